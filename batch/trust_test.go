package batch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/volume"
)

// A dry run also leaves the results of studies that would fail.
func TestDryRunOfFailures(t *testing.T) {
	dir, s := resumable(t)
	run(t, s)
	remove(t, filepath.Join(dir, "studies", "S01", "labels.nii.gz"))
	before := tree(t, s.Out)
	s.DryRun = true
	if out := run(t, s); len(out.Failures) != 1 {
		t.Errorf("%+v", out.Failures)
	}
	if diff := cmp.Diff(before, tree(t, s.Out)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(s.Out, supersededFolder)); err == nil {
		t.Error("a dry run has moved a result")
	}
}

// twoMasks writes a study with two different masks of one name in folders of their own, and returns the second reader's
// voxels.
func twoMasks(t *testing.T, study string) volume.Labels {
	t.Helper()
	labels := knee(t, study, phantom.Options{Subject: "S01"}).Labels
	for _, reader := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(study, reader), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(study, "labels.nii.gz"), filepath.Join(study, "a", "m.nii.gz")); err != nil {
		t.Fatal(err)
	}
	writeMask(t, filepath.Join(study, "b", "m.nii.gz"), labels.Geometry, half(labels))
	return labels
}

// half returns the labels of every second voxel.
func half(labels volume.Labels) func(v int) uint8 {
	return func(v int) uint8 {
		if v%2 == 0 {
			return uint8(labels.Data[v])
		}
		return 0
	}
}

// Another mask of the same name is another request, wherever it lies and however it is chosen.
func TestAnotherMaskOfTheSameName(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	labels := twoMasks(t, study)
	outside := filepath.Join(dir, "elsewhere", "m.nii.gz")
	if err := os.MkdirAll(filepath.Dir(outside), 0o777); err != nil {
		t.Fatal(err)
	}
	writeMask(t, outside, labels.Geometry, half(labels))
	s := settings(t, dir)
	s.Force, s.Manifest = false, filepath.Join(dir, "m.csv")
	for _, mask := range []string{"a/m.nii.gz", "b/m.nii.gz", "a/m.nii.gz", outside} {
		writeText(t, s.Manifest, "folder,subject,visit,mask\nstudies/S01,S01,v1,"+mask+"\n")
		if out := run(t, s); out.Mapped != 1 {
			t.Errorf("%s: %v", mask, whys(out))
		}
	}
	s.Manifest, s.Out = "", filepath.Join(dir, "by pattern")
	for _, s.Mask = range []string{"a/m.nii.gz", "b/m.nii.gz"} {
		if out := run(t, s); out.Mapped != 1 {
			t.Errorf("--mask %s: %v", s.Mask, whys(out))
		}
	}
}

// The voxels of a mask that lie beside its header, outside of the searched folders, are an input like any other.
func TestDetachedMaskElsewhere(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "S01")
	labels := knee(t, study, phantom.Options{Subject: "S01"}).Labels
	remove(t, filepath.Join(study, "labels.nii.gz"))
	header, data := filepath.Join(dir, "elsewhere", "m.mhd"), filepath.Join(dir, "elsewhere", "m.raw")
	if err := os.MkdirAll(filepath.Dir(header), 0o777); err != nil {
		t.Fatal(err)
	}
	voxels := make([]byte, len(labels.Data))
	write := func(value func(v int) uint8) {
		for v := range voxels {
			voxels[v] = value(v)
		}
		if err := os.WriteFile(data, voxels, 0o666); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(5 * time.Second)
		if err := os.Chtimes(data, later, later); err != nil {
			t.Fatal(err)
		}
	}
	writeText(t, header, metaText(labels.Geometry, "", "m.raw"))
	write(func(v int) uint8 { return uint8(labels.Data[v]) })
	s := settings(t, dir)
	s.Force, s.Manifest = false, filepath.Join(dir, "m.csv")
	writeText(t, s.Manifest, "folder,subject,visit,mask\nstudies/S01,S01,v1,"+header+"\n")
	run(t, s)
	for _, s.VerifyInputs = range []bool{false, true} {
		if diff := cmp.Diff(map[string]Why{"S01/v1": Done}, whys(run(t, s))); diff != "" {
			t.Errorf("all inputs %t: %s", s.VerifyInputs, diff)
		}
	}
	s.VerifyInputs = false
	write(half(labels))
	if diff := cmp.Diff(map[string]Why{"S01/v1": OtherInputs}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
}

// With a layout, a PatientID that the results do not have is not in the state either.
func TestStateHoldsNoOtherCodes(t *testing.T) {
	dir := t.TempDir()
	knee(t, filepath.Join(dir, "studies", "P001"), phantom.Options{Subject: "MRN4711223"})
	s := settings(t, dir)
	s.Force, s.Layout = false, "{subject}"
	run(t, s)
	names, err := filepath.Glob(filepath.Join(s.Out, stateFolder, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if data, err := os.ReadFile(name); err != nil || strings.Contains(string(data), "MRN4711223") {
			t.Errorf("%s: %v, %s", name, err, data)
		}
	}
	if diff := cmp.Diff(map[string]Why{"P001/study": Done}, whys(run(t, s))); diff != "" {
		t.Error(diff)
	}
}

// An index that another program has written leads to no file outside of the results, and to no panic.
func TestHostileIndex(t *testing.T) {
	for name, change := range map[string]func(c *storedChunk){
		"series": func(c *storedChunk) {
			for k := range c.Studies {
				c.Studies[k].Line.Trains, c.Studies[k].Line.Series = 2, "/../../../escaped"
			}
		},
		"study": func(c *storedChunk) {
			for k := range c.Studies {
				c.Studies[k].Line.Hash = "../../escaped"
			}
		},
		"counts": func(c *storedChunk) { c.Files = -100 },
		"pieces": func(c *storedChunk) {
			c.Facts.Pieces = append(c.Facts.Pieces, c.Facts.Pieces...)
			for range 2 {
				text := `{"pieces":[{"folder":"/x/a","grid":[1]}]}`
				if err := json.Unmarshal([]byte(text), &c.Facts); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		_, s := resumable(t)
		run(t, s)
		path := filepath.Join(s.Out, stateFolder, indexFile)
		var lines []string
		err := eachLine(path, func(line []byte) error {
			if len(lines) > 0 {
				var c storedChunk
				if err := json.Unmarshal(line, &c); err != nil {
					return err
				}
				change(&c)
				line, _ = json.Marshal(c)
			}
			lines = append(lines, string(line))
			return nil
		})
		if len(lines) < 2 {
			t.Fatal(err)
		}
		writeText(t, path, strings.Join(lines, "\n")+"\n")
		out := run(t, s)
		if diff := cmp.Diff(map[string]Why{"S01/study": Done, "S02/study": Done}, whys(out)); diff != "" || out.Files < 0 {
			t.Errorf("%s: %d files, %s", name, out.Files, diff)
		}
	}
}

// A link in place of the state folder may lead to files of another user.
func TestStateIsALink(t *testing.T) {
	dir, s := resumable(t)
	other := filepath.Join(dir, "other")
	for _, folder := range []string{filepath.Join(other, "shards", "precious"), s.Out} {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(other, filepath.Join(s.Out, stateFolder)); err != nil {
		t.Skip("no links here: ", err)
	}
	if _, err := Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), ".t2map is a link") {
		t.Error(err)
	}
	if names, _ := filepath.Glob(filepath.Join(other, "*", "*")); len(names) != 1 {
		t.Errorf("in the folder of another user: %v", names)
	}
}
