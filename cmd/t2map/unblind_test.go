package main

import (
	"encoding/csv"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// unblind names the study of each code, once the record says so.
func TestUnblind(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 1), "--out", out, "--scheme", "compartments", "--quiet")
	if code, _, stderr := call("unblind", out); code != exitUsage || !strings.Contains(stderr, "no reads") {
		t.Errorf("%d: %s", code, stderr)
	}
	paths, err := filepath.Glob(filepath.Join(out, "*", "*", report.ResultFile))
	if err != nil || len(paths) != 1 {
		t.Fatal(err, paths)
	}
	result, err := report.ReadResult(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	store, err := reads.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Blind(0); err != nil {
		t.Fatal(err)
	}
	grid := volume.Geometry{Size: [3]int{2, 2, 2}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	key := reads.Key{Study: result.Study, Series: result.Series}
	d, err := store.Begin("R1", key, volume.Labels{Geometry: grid, Data: make([]uint16, 8)}, []uint16{1},
		reads.Scheme{Name: "compartments"}, "nothing")
	if err == nil {
		_, err = store.Sign(d, reads.Read{Code: "A7K2QX", State: reads.Query, Text: "?"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call("unblind", out)
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if code != 0 || err != nil || len(rows) != 2 || strings.Join(rows[1][:5], " ") != "R1 A7K2QX "+result.Subject+" "+result.Visit+" 0" {
		t.Errorf("%d %v: %s %s", code, err, stdout, stderr)
	}
	opened := 0
	if _, _, err := audit.Read(out, func(e audit.Event) {
		if e.Kind == audit.ReadsUnblinded {
			opened++
		}
	}); err != nil || opened != 1 {
		t.Errorf("%v: %d events", err, opened)
	}
}
