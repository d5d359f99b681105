package phantom

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func pythonWithPydicom(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c",
			"import pydicom, numpy").Run() == nil {
			return path
		}
	}
	t.Skip("python with pydicom and numpy is not installed")
	return ""
}

func runPython(t *testing.T, out any, python, script, dir string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(python, "-c", script, dir)
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(got, out); err != nil {
		t.Fatal(err)
	}
}

func mustWriteAs(t *testing.T, s *Study, form Form) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "study")
	if err := s.WriteAs(context.Background(), dir, form); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteAsRefuses(t *testing.T) {
	err := mustNew(t, small()).WriteAs(context.Background(), t.TempDir(), Form{Mask: "png"})
	if err == nil || !strings.Contains(err.Error(), `mask: got "png", want one of`) {
		t.Errorf("got %v", err)
	}
}
