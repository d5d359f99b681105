package report

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/volume"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// checkGolden compares got with testdata/name.
func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may have turned the line ends.
	want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// sampleGeometry is an oblique grid, whose spacing is not exact in binary.
func sampleGeometry() volume.Geometry {
	return volume.Geometry{Size: [3]int{4, 3, 2},
		Affine: [3][4]float64{{0.01, 0, 3.5, 0}, {0.3124, 0.1, 0, 0}, {0, -0.3, 0.1, 0}}}
}

func TestResultGolden(t *testing.T) {
	text, err := sampleResult(sampleGeometry()).encode()
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "result.json", text)
}

// sameNumbers takes NaN, "absent", as equal to itself.
var sameNumbers = cmp.Comparer(func(a, b number.Float) bool { return a == b || a != a && b != b })

func TestResultRoundTrip(t *testing.T) {
	want := sampleResult(sampleGeometry())
	want.Outputs = []File{{Path: "overlay.png", SHA256: "ab"}}
	text, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"mean_t2_ms": null`)) || bytes.Contains(text, []byte("NaN")) {
		t.Errorf("a figure that could not be had is not null:\n%s", text)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, ResultFile)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadResult(path)
	if err != nil {
		t.Fatal(err)
	}
	want.Dir = dir
	if diff := cmp.Diff(want, got, sameNumbers); diff != "" {
		t.Errorf("after writing and reading (-want +got):\n%s", diff)
	}
}

func TestResultHasNoNullLists(t *testing.T) {
	text, err := Result{Version: "1"}.encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("null")) {
		t.Errorf("an empty list is null:\n%s", text)
	}
}

func TestReadResultRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"not JSON", "<html>", "invalid character"},
		{"cut short", `{"version": "1", "te_ms": [10`, "unexpected end"},
		{"of another program", `{"a": 1}`, "version is missing"},
		{"decay without echoes", `{"version": "1", "te_ms": [10, 20], "decays": [{"compartment": "medial", "signal": [1]}]}`,
			`decay of "medial": got 1 signals, want one per echo time: 2`},
		{"all echoes skipped and more", `{"version": "1", "te_ms": [10], "protocol": {"skipped_echoes": 2}}`,
			"skipped_echoes: got 2, want 0 to 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), ResultFile)
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := ReadResult(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one with %q and the path", err, c.want)
			}
		})
	}
	if _, err := ReadResult(filepath.Join(t.TempDir(), "absent.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: error %v, want one that is fs.ErrNotExist", err)
	}
}
