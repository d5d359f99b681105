package reads

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/volume"
)

// An archive shows what a store has written, and writes nothing.
func TestArchive(t *testing.T) {
	empty := t.TempDir()
	if all, err := Look(empty).Readers(); err != nil || len(all) > 0 {
		t.Errorf("%q, %v", all, err)
	}
	if _, err := os.Stat(filepath.Join(empty, audit.File)); !os.IsNotExist(err) {
		t.Errorf("looking has made a record: %v", err)
	}
	s := store(t)
	first := sign(t, s, draw(t, s, "R1", 0, 50), signature())
	if err := draw(t, s, "R2", 1).Close(); err != nil {
		t.Fatal(err)
	}
	again := Key{knee.Study, knee.Series, 3}
	d, err := s.Begin("R1", again, volume.Labels{Geometry: grid, Data: make([]uint16, grid.Voxels())}, []uint16{1}, scheme, nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, s, d, signature())
	if err := os.Mkdir(s.path(Folder, "no reader!"), 0o777); err != nil {
		t.Fatal(err)
	}
	a := Look(s.results)
	if all, err := a.Readers(); err != nil || !slices.Equal(all, []string{"R1", "R2"}) {
		t.Errorf("%q, %v", all, err)
	}
	if all, err := a.Keys("R1"); err != nil || !slices.Equal(all, []Key{knee, again}) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := a.Keys("../R1"); err == nil {
		t.Error("a reader's code leads out of the folder")
	}
	if all, err := a.Reads("R1", knee); err != nil || len(all) != 1 || !same(all[0], *first) {
		t.Errorf("%v, %v", all, err)
	}
	if state, err := a.State("R2", knee); err != nil || state != Draft {
		t.Errorf("%s, %v", state, err)
	}
	if mask, err := a.Mask(*first); err != nil || mask.Data[50] != 2 {
		t.Errorf("%v", err)
	}
}

// The mask of the last signed revision stands until the study is rejected.
func TestStanding(t *testing.T) {
	for _, c := range []struct {
		states []State
		want   int // the index, -1 for none
	}{
		{nil, -1}, {[]State{Signed}, 0}, {[]State{Signed, Signed}, 1}, {[]State{Query}, -1}, {[]State{Signed, Query}, 0},
		{[]State{Signed, Rejected}, -1}, {[]State{Rejected, Signed}, 1}, {[]State{Signed, Rejected, Query}, -1},
	} {
		var all []Read
		for n, state := range c.states {
			all = append(all, Read{Revision: n + 1, State: state})
		}
		if got, ok := Standing(all); ok != (c.want >= 0) || got.Revision != c.want+1 {
			t.Errorf("%q: revision %d, %v", c.states, got.Revision, ok)
		}
	}
}

// Labels with other meanings are another scheme; a read without their hash is compared by the name.
func TestHasScheme(t *testing.T) {
	for _, c := range []struct {
		read Read
		want bool
	}{
		{Read{Scheme: scheme.Name, Labels: scheme.SHA256}, true}, {Read{Scheme: scheme.Name}, true},
		{Read{Scheme: scheme.Name, Labels: "another"}, false}, {Read{Scheme: "skm-tea", Labels: scheme.SHA256}, false},
		{Read{Scheme: "skm-tea"}, false}, {Read{}, false},
	} {
		if got := c.read.HasScheme(scheme); got != c.want {
			t.Errorf("%q, %q: %v", c.read.Scheme, c.read.Labels, got)
		}
	}
}
