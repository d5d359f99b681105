package figures

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/figure"
)

var show = flag.String("show", "", "a folder to write the pictures of the tests to, for looking at them")

// look writes pictures to the folder of -show, if there is one.
func look(t *testing.T, name string, pictures []figure.Picture) {
	t.Helper()
	if *show == "" {
		return
	}
	dir := filepath.Join(*show, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range pictures {
		for ext, data := range map[string][]byte{"svg": p.SVG, "png": p.PNG, "pdf": p.PDF} {
			if err := os.WriteFile(filepath.Join(dir, p.Name+"."+ext), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFounding(t *testing.T) {
	pictures, err := All(trialOf(founding), Options{})
	if err != nil {
		t.Fatal(err)
	}
	look(t, "founding", pictures)
}
