package dicomio

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const rtstruct = "1.2.840.10008.5.1.4.1.1.481.3"

// maskLayouts are cohorts in which masks lie apart from their studies.
var maskLayouts = []struct {
	name  string
	make  func(l layout)
	roots []string
	most  int
	parts []string
}{
	{"one folder with all masks", func(l layout) {
		for n := range 4 {
			l.put(fmt.Sprint("images/K", n), fmt.Sprint(71+n), nil)
			l.object("masks", fmt.Sprint(71+n), seg, "SEG")
		}
		l.write("masks/list.csv", "text")
		l.write("masks/IM", damagedFile)
		l.object("masks", "79", seg, "SEG") // of no study here
	}, nil, 12, []string{"images/K0", "images/K1", "images/K2", "images/K3", "masks"}},
	{"a folder of masks for each subject", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("images/K", n), fmt.Sprint(71+n), nil)
			l.object(fmt.Sprint("masks/K", n), fmt.Sprint(71+n), rtstruct, "RTSTRUCT")
		}
	}, nil, 12, []string{"images/K0", "images/K1", "images/K2", "masks"}},
	{"masks in an archive", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
		}
		l.object("masks", "71", seg, "SEG")
		l.object("masks", "72", seg, "SEG")
		l.pack("masks")
	}, nil, 0, []string{"K0 K1 masks.zip", "K2"}},
	{"masks and reports", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
			l.object("masks", fmt.Sprint(71+n), seg, "SEG")
		}
		l.object("masks", "72", report, "SR")
	}, nil, 0, []string{"K0", "K1 masks", "K2"}},
	{"masks in the folder of another study", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
		}
		l.object("K1", "73", seg, "SEG")
		l.object("K1/more", "72", seg, "SEG")
		l.object("", "71", seg, "SEG")
	}, nil, 0, []string{"/", "K0", "K1", "K2"}},
	{"masks of one study", func(l layout) {
		l.put("K/x", "71", nil)
		l.object("masks", "71", seg, "SEG")
		l.object("other", "72", seg, "SEG")
		l.object("other/more", "72", seg, "SEG")
		l.object("more", "72", seg, "SEG")
	}, nil, 0, []string{"K masks more other"}},
	{"masks in another root", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("images/K", n), fmt.Sprint(71+n), nil)
			l.object("masks", fmt.Sprint(71+n), seg, "SEG")
		}
		l.object("later/x", "72", seg, "SEG")
	}, []string{"masks", "images", "later"}, 0, []string{"masks/", "images/K0", "images/K1", "images/K2", "later/x"}},
	{"links to masks", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
			l.object(fmt.Sprint("z/", n), fmt.Sprint(71+n), seg, "SEG")
			l.link(fmt.Sprint("masks/", n), fmt.Sprintf("z/%d/IM_0000", n))
		}
	}, nil, 0, []string{"K0", "K1", "K2", "masks"}},
	{"a damaged mask", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
			l.object(fmt.Sprint("masks/", n), fmt.Sprint(71+n), seg, "SEG")
		}
		info, err := os.Stat(l.path("masks/1/IM_0000"))
		if err != nil {
			l.t.Fatal(err)
		}
		l.cut("masks/1/IM_0000", info.Size()-4)
		l.cut("masks/2/IM_0000", 400)
	}, nil, 0, []string{"K0", "K1", "K2", "masks"}},
	{"a damaged image among the masks", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
			l.object("masks", fmt.Sprint(71+n), seg, "SEG")
		}
		l.put("more", "72", echoesOf(10))
		info, err := os.Stat(l.path("more/IM_0000"))
		if err == nil {
			err = os.Rename(l.path("more/IM_0000"), l.path("masks/image"))
		}
		if err == nil {
			err = os.RemoveAll(l.path("more"))
		}
		if err != nil {
			l.t.Fatal(err)
		}
		l.cut("masks/image", info.Size()-4) // names the study in K1
	}, nil, 0, []string{"K0", "K1 masks", "K2"}},
	{"masks of a scattered study", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("e", n), fmt.Sprint(90+n), echoesOf(te))
			l.object("masks", fmt.Sprint(90+n), seg, "SEG")
		}
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
	}, nil, 0, []string{"e0 e1 e2 e3", "masks", "s01", "s02"}},
}

func TestMaskChunks(t *testing.T) {
	for _, c := range maskLayouts {
		t.Run(c.name, func(t *testing.T) { checkChunks(t, c.make, c.roots, c.most, c.parts) })
	}
}

// A mask that is replaced in the folder of all masks changes the chunk of its study, and
// that of the folder, but no other. So does a new one.
func TestReplacedMask(t *testing.T) {
	l := layout{t, t.TempDir()}
	for n := range 3 {
		l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
		l.object("masks", fmt.Sprint(71+n), seg, "SEG")
	}
	stored := map[string]Facts{}
	settle := func() (seen []string) {
		s, err := NewSearch(t.Context(), []string{l.dir}, FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		recall := func(c *Chunk) (Facts, bool) { f, ok := stored[c.Digest]; return f, ok }
		if err := s.Settle(t.Context(), recall, func(f Finding, facts Facts) error {
			masks := 0
			for _, s := range f.Studies {
				masks += len(s.Masks)
			}
			if f.Chunk.Files != f.Files {
				t.Errorf("chunk %+v of %d files", f.Chunk, f.Files)
			}
			seen = append(seen, fmt.Sprintf("%s: %d", strings.Join(f.Chunk.Parts, " "), masks))
			stored[f.Chunk.Digest] = facts
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for _, step := range []struct {
		change func()
		want   []string // chunks that were read, with their masks
	}{
		{func() {}, []string{"K0: 0", "K1: 0", "K2: 0", "masks: 0", "K0: 1", "K1: 1", "K2: 1", "masks: 0"}},
		{func() {}, nil},
		{func() {
			if err := os.Remove(l.path("masks/IM_0000_72")); err != nil {
				t.Fatal(err)
			}
			l.object("masks", "72", rtstruct, "RTSTRUCT")
			if err := os.Rename(l.path("masks/IM_0000_72"), l.path("masks/new")); err != nil {
				t.Fatal(err)
			}
		}, []string{"masks: 0", "K1: 1", "masks: 0"}},
		{func() {
			l.object("masks", "74", rtstruct, "RTSTRUCT")
			l.put("K3", "74", nil)
		}, []string{"K3: 0", "masks: 0", "K3: 1", "masks: 0"}},
		{func() { l.put("K4", "75", nil) }, []string{"K4: 0"}},
	} {
		step.change()
		if got := settle(); !slices.Equal(got, step.want) {
			t.Errorf("chunks %q were read, want %q", got, step.want)
		}
	}
}
