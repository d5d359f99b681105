package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCases runs the scripts in ../shared/cases with the built program. Each script creates an input after a public
// report and checks the behaviour.
func TestCases(t *testing.T) {
	if testing.Short() {
		t.Skip("some minutes of building inputs in Python")
	}
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import pydicom, numpy, nibabel").Run(); err != nil {
		t.Skip("python3 with pydicom, numpy and nibabel is not installed: ", err)
	}
	scripts, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "cases", "[0-9]*.py"))
	if len(scripts) == 0 {
		t.Skip("../shared/cases is not here: the scripts are not part of this project")
	}
	program := filepath.Join(t.TempDir(), "t2map")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".py"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(python, script, program)
			// Do not write to the folder of the scripts.
			cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "TMPDIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
