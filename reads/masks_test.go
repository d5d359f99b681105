package reads

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Masks are used when as many readers as the rule wants have signed, or an adjudicator has.
func TestFindWithRule(t *testing.T) {
	signed := func(reader, mask string) decision {
		return decision{Read: Read{Key: knee, Reader: reader, State: Signed, Mask: mask, Revision: 1}}
	}
	rejected := decision{Read: Read{Key: knee, Reader: "R3", State: Rejected, Reason: "motion"}}
	judged := signed("A1", "m")
	judged.Adjudicates = []string{"x", ""} // the sums of these reads are empty
	late := signed("R2", "m")
	late.sum = "late"
	results := t.TempDir()
	for _, reader := range []string{"R1", "A1"} {
		path := filepath.FromSlash(signed(reader, "").mask(results).Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const none, one = "", "R1"
	for name, c := range map[string]struct {
		decided []decision
		rule    Rule
		want    string // the reader
		err     string
	}{
		"nobody, any":          {nil, Rule{Readers: 2}, none, ""},
		"nobody":               {nil, Rule{Readers: 2, Required: true}, none, "no reader has signed the mask"},
		"one of one":           {[]decision{signed("R1", "m")}, Rule{Required: true}, one, ""},
		"one of one, any":      {[]decision{signed("R1", "m")}, Rule{Readers: 1}, one, ""},
		"one of two":           {[]decision{signed("R1", "m")}, Rule{Readers: 2, Required: true}, none, "1 of 2 readers has signed"},
		"one of two, any":      {[]decision{signed("R1", "m")}, Rule{Readers: 2}, none, ""},
		"two of three":         {[]decision{signed("R1", "m"), rejected}, Rule{Readers: 3, Required: true}, none, "2 of 3 readers have signed"},
		"a rejection of two":   {[]decision{signed("R1", "m"), rejected}, Rule{Readers: 2}, none, `reader R3 has rejected the study: "motion"`},
		"one rejection of two": {[]decision{rejected}, Rule{Readers: 2}, none, ""},
		"two of two":           {[]decision{signed("R1", "m"), signed("R2", "m")}, Rule{Readers: 2, Required: true}, one, ""},
		"two who disagree":     {[]decision{signed("R1", "m"), signed("R2", "n")}, Rule{Readers: 2}, none, "readers R1 and R2 have signed different masks"},
		"an adjudicator":       {[]decision{judged, signed("R1", "m")}, Rule{Readers: 3, Required: true}, "A1", ""},
		"a reader after him": {[]decision{judged, signed("R1", "m"), late}, Rule{}, none,
			"reader R2 signed after adjudicator A1 had decided"},
		"no adjudicator":          {[]decision{signed("R1", "m")}, Rule{Required: true, Adjudicated: true}, none, "no reader has signed the mask as adjudicator"},
		"no adjudicator, any":     {[]decision{signed("R1", "m")}, Rule{Adjudicated: true}, none, ""},
		"a read that is not read": {[]decision{signed("R1", "m"), {err: fs.ErrPermission}}, Rule{Readers: 3}, none, fs.ErrPermission.Error()},
	} {
		m := &Masks{results: results, decided: map[Key][]decision{knee: c.decided}}
		got, err := m.Find(knee.Study, knee.Series, c.rule)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != c.err || (got == nil) != (c.want == none) || got != nil && got.Reader != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if err := error(&TooFewError{1, 2}); !errors.Is(err, ErrNotSigned) {
		t.Error("too few is not ErrNotSigned")
	}
}
