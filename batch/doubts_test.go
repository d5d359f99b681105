package batch

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
)

// eachImage puts what change returns in place of every image under dir; nil takes the file
// away. TE is the image's echo time in ms.
func eachImage(t testing.TB, dir string, change func(te float64, file []byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		offset := bytes.Index(file, []byte("\x18\x00\x81\x00DS"))
		te, err := strconv.ParseFloat(strings.TrimSpace(string(file[offset+8:][:file[offset+6]])), 64)
		if err != nil {
			t.Fatal(err)
		}
		if file = change(te, file); file == nil {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, file, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// replaced puts a text in place of another of the same length, which must be there.
func replaced(t testing.TB, file []byte, old, text string) []byte {
	t.Helper()
	if len(old) != len(text) || !bytes.Contains(file, []byte(old)) {
		t.Fatalf("%q cannot take the place of %q", text, old)
	}
	return bytes.ReplaceAll(file, []byte(old), []byte(text))
}

// An echo that is lost on all slices is a warning of the result and of inspect, and where
// the protocol names the number of echoes a failure that says which one it seems to be.
func TestLostEcho(t *testing.T) {
	for _, c := range []struct {
		name   string
		lost   []float64
		want   []string // in the warning
		failed []string // and in the reason to fail
	}{
		{"the third", []float64{30}, []string{"EchoNumbers (0018,0086) skip 3", "as if 30 ms had been lost",
			"EchoTrainLength (0018,0091) is 7, but there are 6 echoes"}, []string{"30 ms"}},
		{"the first", []float64{10}, []string{"EchoNumbers (0018,0086) skip 1 at the echo times 20, 30, 40, 50, " +
			"60, 70 ms"}, []string{"skip 1"}},
		{"the last", []float64{70}, []string{"EchoTrainLength (0018,0091) is 7"},
			[]string{"EchoTrainLength (0018,0091) is 7"}},
		{"two", []float64{30, 50}, []string{"EchoNumbers (0018,0086) skip 3, 5", "as if 30, 50 ms had been lost"},
			[]string{"5 echo times"}},
		{"none", nil, nil, nil},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "S01")
		knee(t, study, phantom.Options{})
		eachImage(t, study, func(te float64, file []byte) []byte {
			if slices.Contains(c.lost, te) {
				return nil
			}
			return file
		})
		s := settings(t, dir)
		out := run(t, s)
		in, err := Inspect(context.Background(), s)
		if err != nil || len(out.Results) != 1 {
			t.Fatalf("%s: %v, %+v", c.name, err, out.Failures)
		}
		for _, warnings := range [][]string{out.Results[0].Warnings, in.Studies[0].Warnings} {
			if c.want == nil && len(warnings) != 0 || c.want != nil && len(warnings) != 1 {
				t.Fatalf("%s: warnings %q", c.name, warnings)
			}
			for _, want := range c.want {
				if !strings.Contains(warnings[0], want) {
					t.Errorf("%s: warnings %q, want …%s…", c.name, warnings, want)
				}
			}
		}
		if uneven := in.Studies[0].Series[0].Uneven; uneven != slices.Contains(c.lost, 30) {
			t.Errorf("%s: uneven %t", c.name, uneven)
		}
		s.Protocol.Series.Echoes, s.Out = 7, filepath.Join(dir, "seven")
		out = run(t, s)
		if len(out.Failures) != min(len(c.lost), 1) {
			t.Fatalf("%s: %+v", c.name, out)
		}
		for _, want := range c.failed {
			if f := out.Failures[0]; !strings.Contains(f.Reason, want) || !strings.Contains(f.Reason,
				"the protocol asks for 7") || f.Hint == "" {
				t.Errorf("%s: %q, want …%s…", c.name, f.Reason, want)
			}
		}
		// A protocol that names as many as there are settles all but the numbers.
		s.Protocol.Series.Echoes, s.Out = 7-len(c.lost), filepath.Join(dir, "as-many")
		if out = run(t, s); len(out.Results) != 1 || len(out.Results[0].Warnings) > 1 || c.name == "the last" &&
			len(out.Results[0].Warnings) != 0 ||
			len(out.Results[0].Warnings) == 1 && strings.Contains(out.Results[0].Warnings[0], "EchoTrainLength") {
			t.Errorf("%s, named: %+v", c.name, out)
		}
		// One that promises more warns even where a flag names the series.
		s.Protocol.Series.Echoes, s.Series, s.Out = 7, "1", filepath.Join(dir, "flag")
		if out = run(t, s); len(out.Results) != 1 || strings.Contains(strings.Join(out.Results[0].Warnings, " "),
			"the protocol asks for 7") != (c.lost != nil) {
			t.Errorf("%s, by a flag: %+v", c.name, out)
		}
	}
}

// A series that says that it is of T1ρ fails with its words, beside a series of T2 is left
// aside, and is mapped where the protocol names it as one of T2, which the result says.
func TestQuantityIsOverruled(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	asT1rho := func(dir string) {
		eachImage(t, dir, func(te float64, file []byte) []byte {
			if te != 40 {
				return file
			}
			return replaced(t, file, "SAG T2 MAP 7 ECHO", "SAG T1-rho 7 ECHO")
		})
	}
	s := settings(t, dir)
	plain := run(t, s).Results[0]
	asT1rho(study)
	s.Out = filepath.Join(dir, "refused")
	out := run(t, s)
	if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason,
		`SeriesDescription (0008,103E) says "T1-rho"`) || !strings.Contains(out.Failures[0].Hint, "quantity: T2") {
		t.Fatalf("%+v", out)
	}
	for _, rule := range []protocol.SeriesRule{{Number: 1}, {Description: "SAG*"}} {
		if out := run(t, func() Settings { s := s; s.Protocol.Series = rule; return s }()); len(out.Failures) != 1 ||
			!strings.Contains(out.Failures[0].Reason, "not T2") {
			t.Errorf("%s: %+v", rule, out)
		}
	}
	s.Protocol.Series, s.Out = protocol.SeriesRule{Number: 1, Quantity: "T2"}, filepath.Join(dir, "overruled")
	out = run(t, s)
	if len(out.Results) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	r := out.Results[0]
	if r.Protocol.QuantityOverruled != "T1ρ" || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0],
		`SeriesDescription (0008,103E) says "T1-rho"`) || r.Compartments[0].MeanT2 != plain.Compartments[0].MeanT2 {
		t.Errorf("%+v, warnings %q", r.Protocol, r.Warnings)
	}
	if plain.Protocol.QuantityOverruled != "" || len(plain.Warnings) != 0 {
		t.Errorf("a series of T2: %+v, %q", plain.Protocol, plain.Warnings)
	}
	// Beside a series of T2 it is not meant, unless it is named.
	secondTrain(t, study)
	eachImage(t, filepath.Join(study, "again"), func(_ float64, file []byte) []byte {
		return bytes.ReplaceAll(file, []byte("SAG T1-rho 7 ECHO"), []byte("SAG T2 MAP 7 ECHO"))
	})
	s.Protocol.Series, s.Out = protocol.SeriesRule{}, filepath.Join(dir, "beside")
	if out := run(t, s); len(out.Results) != 1 || out.Results[0].Series == r.Series ||
		out.Results[0].Protocol.QuantityOverruled != "" {
		t.Errorf("%+v", out)
	}
	s.Series, s.Out = r.Series[:8], filepath.Join(dir, "named")
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "not T2") {
		t.Errorf("%+v", out)
	}
	// --series chooses, and the protocol's word on the series that it names stays.
	s.Protocol.Series, s.Out = protocol.SeriesRule{Description: "SAG*", Quantity: "T2"}, filepath.Join(dir, "chosen")
	if out := run(t, s); len(out.Results) != 1 || out.Results[0].Series != r.Series ||
		out.Results[0].Protocol.QuantityOverruled != "T1ρ" {
		t.Errorf("%+v", out)
	}
	s.Protocol.Series, s.Out = protocol.SeriesRule{Number: 99, Quantity: "T2"}, filepath.Join(dir, "another")
	if out := run(t, s); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "not T2") {
		t.Errorf("%+v", out)
	}
}

// The key is checked: it is T2, of the series that is mapped, and that is named.
func TestQuantityInAProtocol(t *testing.T) {
	for text, want := range map[string]string{
		"series: {number: 5, quantity: T2}":             "",
		"series: {description: 'T1*', quantity: T2}":    "",
		"series: {number: 5, quantity: T1rho}":          `quantity "T1rho" is not T2`,
		"series: {echoes: 7, quantity: T2}":             "needs description or number",
		"anatomy: {number: 4, quantity: T2}":            "quantity applies only to the series that is mapped",
		"series: {number: 5, quantity: [T2, 'T2star']}": "quantity",
	} {
		path := filepath.Join(t.TempDir(), "p.yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := protocol.ReadProtocol(path); (err == nil) != (want == "") || err != nil &&
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want …%s…", text, err, want)
		}
	}
}

// An echo of another ImageType is part of the train where the type describes the echo, and
// else a warning with its echo time; never an other series.
func TestEchoOfAnotherImageType(t *testing.T) {
	for _, c := range []struct{ kind, want string }{
		{`ORIGINAL\PRIMARY\PD`, ""},
		{`DERIVED \PRIMARY\M\`,
			`images of the series at echo time 10 ms were omitted: their ImageType (0008,0008) is "DERIVED\PRIMARY`},
	} {
		dir := t.TempDir()
		study := filepath.Join(dir, "studies", "S01")
		knee(t, study, phantom.Options{})
		eachImage(t, study, func(te float64, file []byte) []byte {
			if te != 10 {
				return file
			}
			offset := bytes.Index(file, []byte("\x08\x00\x08\x00CS"))
			length := int(file[offset+6])
			return slices.Concat(file[:offset+8], []byte((c.kind + strings.Repeat(" ", length))[:length]),
				file[offset+8+length:])
		})
		s := settings(t, dir)
		out := run(t, s)
		if len(out.Results) != 1 {
			t.Fatalf("%s: %+v", c.kind, out.Failures)
		}
		r := out.Results[0]
		warned := strings.Join(r.Warnings, "\n")
		if (len(r.TE) == 7) != (c.want == "") || c.want == "" && warned != "" || !strings.Contains(warned, c.want) ||
			strings.Contains(strings.Join(r.Notes, " "), "other series") {
			t.Errorf("%s: echo times %v, warnings %q, notes %q", c.kind, r.TE, r.Warnings, r.Notes)
		}
	}
}

// Seven studies that are one visit fail once, under its name.
func TestScatteredVisitFailsOnce(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	knee(t, study, phantom.Options{})
	eachImage(t, study, func(te float64, file []byte) []byte {
		offset := bytes.Index(file, []byte("\x20\x00\x0d\x00UI"))
		end := offset + 8 + int(file[offset+6])
		for file[end-1] == 0 {
			end--
		}
		file[end-1] = '0' + byte(te/10)
		return file
	})
	knee(t, filepath.Join(dir, "studies", "S02"), phantom.Options{Subject: "S02"})
	s := settings(t, dir)
	out := run(t, s)
	if len(out.Results) != 1 || len(out.Failures) != 1 || out.Failures[0].Folder != "S01" ||
		!strings.Contains(out.Failures[0].Reason, "StudyInstanceUID (0020,000D): 7 different UIDs") ||
		out.Failures[0].Hint == "" {
		t.Errorf("%d results, failures %+v", len(out.Results), out.Failures)
	}
}
