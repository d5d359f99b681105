package batch

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/phantom"
)

// clipFiles cuts the pixels of a phantom's classic images off at a value, at one echo time.
func clipFiles(t *testing.T, dir, te string, most uint16) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(paths) == 0 {
		t.Fatal(err, "no images")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "\x18\x00\x81\x00DS\x02\x00"+te) {
			continue
		}
		offset := strings.LastIndex(string(data), "\xE0\x7F\x10\x00OW") + 12
		for ; offset+1 < len(data); offset += 2 {
			binary.LittleEndian.PutUint16(data[offset:], min(most, binary.LittleEndian.Uint16(data[offset:])))
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A study whose second echo is clipped has saturated voxels, a warning that names the echo, and
// T2 from the others alone.
func TestSaturatedVoxelsAreExcluded(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "studies", "S01")
	knee(t, folder, phantom.Options{Subject: "S01", Seed: 3})
	free := run(t, settings(t, dir)).Results[0]
	if free.Compartments[0].Excluded.Saturated != 0 {
		t.Fatalf("%+v", free.Compartments[0])
	}
	images := filepath.Dir(first(t, folder))
	if _, err := os.Stat(first(t, folder)); err != nil {
		images = filepath.Join(folder, "dicom")
	}
	clipFiles(t, images, "20", 700)
	s := settings(t, dir)
	s.Out = filepath.Join(dir, "clipped")
	out := run(t, s)
	if len(out.Results) != 1 {
		t.Fatal(out.Failures)
	}
	r, saturated := out.Results[0], 0
	for _, c := range r.Compartments {
		saturated += c.Excluded.Saturated
		if c.Used+c.Excluded.Total() != c.Voxels {
			t.Errorf("%+v", c)
		}
	}
	if saturated == 0 {
		t.Fatalf("no voxel is saturated: %+v", r.Compartments)
	}
	if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, "saturated") || !strings.Contains(text,
		"at echo 2 (20 ms)") || strings.Contains(text, "echo 3") {
		t.Errorf("warnings %q", text)
	}
	table, err := os.ReadFile(filepath.Join(s.Out, "compartments.csv"))
	if err != nil || !strings.Contains(string(table), "excluded_saturated") {
		t.Errorf("%v: %s", err, table)
	}
}
