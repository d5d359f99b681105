// Package tools holds helpers of tests that packages on both sides of dicomtest share.
package tools

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// pythons holds the result of searchPython for each list of modules, because starting Python with pydicom
// takes half a second.
var pythons sync.Map

// Python returns the path of a Python that has the modules. If there is none, the test is skipped.
func Python(t *testing.T, modules ...string) string {
	t.Helper()
	list := strings.Join(modules, ", ")
	search, _ := pythons.LoadOrStore(list, sync.OnceValue(func() string { return searchPython(list) }))
	path := search.(func() string)()
	if path == "" {
		t.Skipf("Python with %s is not installed", list)
	}
	return path
}

func searchPython(modules string) string {
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import "+modules).Run() == nil {
			return path
		}
	}
	return ""
}

// RunPydicom runs a script with pydicom and numpy and decodes the JSON that it prints into out.
func RunPydicom(t *testing.T, out any, script string, args ...string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(Python(t, "pydicom", "numpy"), append([]string{"-c", script}, args...)...)
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(got, out); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
}

// ReadTree returns the files below a folder by their relative paths, with forward slashes.
func ReadTree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// ReadMap reads a NIfTI file of one volume.
func ReadMap(t *testing.T, path string) volume.Map {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, frames, err := nifti.ReadFrames(f)
	if err != nil {
		t.Fatal(err)
	}
	return volume.Map{Geometry: g, Data: frames[0]}
}
