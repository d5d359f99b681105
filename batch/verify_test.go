package batch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/protocol"
)

// A folder that is as it was written has no findings, and each change is named.
func TestVerify(t *testing.T) {
	dir, s := resumable(t)
	run(t, s)
	studies := filepath.Join(dir, "studies")
	verify := func() Verification {
		t.Helper()
		v, err := Verify(t.Context(), s.Out, []string{studies}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(); v.Results != 2 || v.Outputs < 10 || v.Inputs < 10 || v.Lines != 5 || len(v.Findings) > 0 {
		t.Fatalf("%+v", v)
	}
	result, record := filepath.Join(s.Out, "S01", "study", "result.json"), filepath.Join(s.Out, audit.File)
	input := first(t, filepath.Join(studies, "S02"))
	for _, c := range []struct {
		path   string
		change func(data []byte) []byte // nil removes the file
		want   []Finding
	}{
		{filepath.Join(s.Out, "S01", "study", "t2.nii.gz"), invert, []Finding{{"S01/study/t2.nii.gz",
			"has changed since a run wrote it"}}},
		{filepath.Join(s.Out, "S02", "study", "overlay.png"), nil, []Finding{{"S02/study/overlay.png", "is missing"}}},
		{result, func(data []byte) []byte { return bytes.Replace(data, []byte("S01"), []byte("S91"), 1) },
			[]Finding{{"S01/study/result.json", "has changed since a run wrote it"}}},
		{result, func([]byte) []byte { return []byte("{") }, []Finding{{"S01/study/result.json", "cannot be read"}}},
		{record, func(data []byte) []byte { return bytes.Replace(data, []byte(`"S01"`), []byte(`"S91"`), 1) },
			[]Finding{{"audit.jsonl, line 3", "does not follow the line before it: one of them was changed, or lines " +
				"between them were removed or inserted"}}},
		{filepath.Join(s.Out, "compartments.csv"), invert, []Finding{{"compartments.csv",
			"has changed since it was written: t2map tables writes it again"}}},
		{filepath.Join(s.Out, "index.html"), nil, []Finding{{"index.html",
			"is missing: t2map tables writes it again"}}},
		{input, invert, []Finding{{"S02/study/result.json", "its input S02/IM_0001.dcm has changed since it was read"}}},
		{input, nil, []Finding{{"S02/study/result.json", "its input S02/IM_0001.dcm is not in the searched folders"}}},
	} {
		before, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if c.change == nil {
			remove(t, c.path)
		} else if err := os.WriteFile(c.path, c.change(bytes.Clone(before)), 0o644); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, verify().Findings); diff != "" {
			t.Errorf("%s: %s", c.path, diff)
		}
		if err := os.WriteFile(c.path, before, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Out, "S01", "study", "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(s.Out, "S02")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Finding{{"S01/study/notes.txt", "was not written by the run"},
		{"S02/study", "is missing: the record says that a run wrote it"}}, verify().Findings); diff != "" {
		t.Error(diff)
	}
}

// invert changes the last byte.
func invert(data []byte) []byte {
	data[len(data)-1] ^= 1
	return data
}

// A superseded result that has changed is found; one that was deleted is not missed.
func TestVerifySuperseded(t *testing.T) {
	_, s := resumable(t)
	run(t, s)
	s.Protocol.Maps = protocol.MapsNone
	run(t, s)
	verify := func() []Finding {
		t.Helper()
		v, err := Verify(t.Context(), s.Out, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v.Findings
	}
	if got := verify(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	names, err := filepath.Glob(filepath.Join(s.Out, supersededFolder, "S01", "*", "result.json"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	pictures, err := filepath.Glob(filepath.Join(filepath.Dir(names[0]), "*.png"))
	if err != nil || len(pictures) == 0 {
		t.Fatal(pictures, err)
	}
	picture, err := os.ReadFile(pictures[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pictures[0], invert(bytes.Clone(picture)), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := verify(); len(got) != 1 || !strings.HasSuffix(got[0].Place, filepath.Base(pictures[0])) {
		t.Errorf("%+v", got)
	}
	if err := errors.Join(os.WriteFile(pictures[0], picture, 0o666), os.WriteFile(names[0], []byte("{}"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if got := verify(); len(got) != 1 || !strings.HasPrefix(got[0].Place, "superseded/S01/study-") {
		t.Errorf("%+v", got)
	}
	if err := os.RemoveAll(filepath.Join(s.Out, supersededFolder)); err != nil {
		t.Fatal(err)
	}
	if got := verify(); len(got) != 0 {
		t.Errorf("after the folder was deleted: %+v", got)
	}
}
