package main

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/t2map/t2map/phantom"
)

// Regions and layers of two divided masks are compared. Voxels and T2 of each row are those of compartments.csv, and a
// mask agrees with itself in every row.
func TestCompareMasksByRegion(t *testing.T) {
	if testing.Short() {
		t.Skip("divides masks")
	}
	dir := filepath.Join(t.TempDir(), "studies")
	s, err := phantom.New(t.Context(), phantom.Options{Subject: "SA", Matrix: 96, Slices: 20, Echoes: 4,
		DESSMatrix: 132, DESSSlices: 48})
	if err == nil {
		err = s.WriteAs(t.Context(), filepath.Join(dir, "SA"), phantom.Form{Mask: phantom.MaskTissues})
	}
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	a, b, c := filepath.Join(out, "a"), filepath.Join(out, "b"), filepath.Join(out, "c")
	run := []string{"run", dir, "--scheme", "skm-tea", "--maps", "mask", "--quiet", "--out"}
	mustCall(t, append(run, a)...)
	mustCall(t, append(run, c, "--layers", "3")...)
	path := maskOf(t, dir)
	rewriteMask(t, path, path, shifted)
	mustCall(t, append(run, b)...)

	compared := func(first, second string) map[rowKey]map[string]string {
		table := filepath.Join(t.TempDir(), "agreement")
		mustCall(t, "compare-masks", first, second, "--out", table)
		rows := map[rowKey]map[string]string{}
		for _, r := range readTable(t, filepath.Join(table, "mask_agreement_studies.csv")) {
			rows[rowKey{r["compartment"], r["region"], r["layer"]}] = r
		}
		if n := len(readTable(t, filepath.Join(table, "mask_agreement.csv"))); n != len(rows) {
			t.Errorf("%d rows over the studies, %d of one study", n, len(rows))
		}
		return rows
	}
	rows := compared(a, b)
	for folder, side := range map[string]string{a: "a", b: "b"} {
		for _, want := range readTable(t, filepath.Join(folder, "compartments.csv")) {
			key := rowKey{want["compartment"], want["region"], want["layer"]}
			got := rows[key]
			if got == nil || got["voxels_"+side] != want["voxels"] || got["mean_t2_"+side+"_ms"] != want["mean_t2_ms"] {
				t.Errorf("%v of %s: %v, want %s voxels of %s ms", key, side, got, want["voxels"], want["mean_t2_ms"])
			}
		}
	}
	// The mask was moved by one of its voxels, 1 mm, so that every row loses voxels.
	moved := 0
	for key, r := range rows {
		voxelsA, _ := strconv.Atoi(r["voxels_a"])
		common, _ := strconv.Atoi(r["voxels_common"])
		if voxelsA > 0 && common < voxelsA {
			moved++
		} else if voxelsA > 200 {
			t.Errorf("%v: %v", key, r)
		}
	}
	if moved < 30 {
		t.Errorf("%d rows moved", moved)
	}
	for key, r := range compared(a, a) {
		if r["voxels_a"] != "0" && (r["dice"] != "1.0000" || r["largest_distance_mm"] != "0.000") {
			t.Errorf("%v: %v", key, r)
		}
	}
	// Layers are compared only if their number is the same.
	for key := range compared(a, c) {
		if key.layer != "all" {
			t.Errorf("%v is compared", key)
		}
	}
}
