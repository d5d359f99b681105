package publish

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/figures"
)

// TestLook writes reports to look at, where T2MAP_LOOK names a folder; with
// T2MAP_DEMO, which names what `t2map demo` has written, also that of its trial.
func TestLook(t *testing.T) {
	dir := os.Getenv("T2MAP_LOOK")
	if dir == "" {
		t.Skip("T2MAP_LOOK names no folder")
	}
	for name, s := range map[string]sample{
		"usual": {2, 3, 12, true}, "one-arm": {1, 3, 8, false}, "one-visit": {2, 1, 6, false}, "six": {6, 5, 5, true}, "visits": {2, 200, 6, false},
	} {
		writeLook(t, filepath.Join(dir, name), s.analysis())
	}
	writeLook(t, filepath.Join(dir, "hostile"), hostile())
	if demo := os.Getenv("T2MAP_DEMO"); demo != "" {
		writeLook(t, filepath.Join(dir, "demo"), demoTrial(t, demo))
	}
}

func writeLook(t *testing.T, dir string, a trial.Analysis) {
	t.Helper()
	pictures, err := figures.All(a, figures.Options{})
	if err != nil {
		t.Errorf("%s: %v", dir, err)
		pictures = []figure.Picture{picture("compartments")}
	}
	if err := Write(dir, a, pictures); err != nil {
		t.Error(err)
	}
}

func demoTrial(t *testing.T, dir string) trial.Analysis {
	t.Helper()
	source := func(name string) trial.Source {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return trial.Source{Name: filepath.Base(name), Data: data}
	}
	a, err := trial.Analyse(t.Context(), "1.2.3", trial.Tables{
		Design: source("studies/trial.csv"), Compartments: source("results/compartments.csv"), Studies: source("results/studies.csv"),
		Scores: []trial.Source{source("studies/scores.csv")},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
