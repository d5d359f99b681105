package dicomio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// damagedFile is a DICOM file that names no study.
var damagedFile = strings.Repeat("\x00", 128) + "DICM"

// deepLayouts are cohorts below the first level. A train has 12 files.
var deepLayouts = []struct {
	name  string
	make  func(l layout)
	roots []string
	most  int
	parts []string // with folders of more than most files divided
}{
	{"site, subject, visit", func(l layout) {
		for n, folder := range []string{"site1/K1/V1", "site1/K1/V2", "site1/K2/V1", "site2/K3/V1"} {
			l.put(folder, fmt.Sprint(71+n), nil)
		}
		l.write("site1/K1/labels.nii", "mask")
		l.write("site2/K3/V1/labels.nii", "mask")
	}, nil, 12, []string{"site1/K1/", "site1/K1/V1", "site1/K1/V2", "site1/K2", "site2"}},
	{"a subject is not divided", func(l layout) {
		for n, folder := range []string{"site1/K1/V1", "site1/K1/V2", "site1/K2/V1", "site2/K3/V1"} {
			l.put(folder, fmt.Sprint(71+n), nil)
		}
	}, nil, 24, []string{"site1/K1", "site1/K2", "site2"}},
	{"visit, subject", func(l layout) {
		for n, folder := range []string{"V1/K1", "V1/K2", "V2/K1", "V2/K2", "V2/K3"} {
			l.put(folder, fmt.Sprint(71+n), nil)
		}
		l.write("V2/list.csv", "loose")
		l.write("V2/IM", damagedFile)
	}, nil, 20, []string{"V1/K1", "V1/K2", "V2/", "V2/K1", "V2/K2", "V2/K3"}},
	{"one wrapper after the other", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("data/export/dicom/K", n), fmt.Sprint(71+n), nil)
		}
		l.write("data/README", "loose")
	}, nil, 12, []string{"data/", "data/export/dicom/K0", "data/export/dicom/K1", "data/export/dicom/K2"}},
	{"loose images in a divided folder", func(l layout) {
		l.put("d", "71", nil)
		l.put("d/K1", "72", nil)
		l.put("d/K2", "73", nil)
		l.write("d/K1/IM", damagedFile)
		l.write("d/x", damagedFile)
	}, nil, 12, []string{"d/", "d/K1", "d/K2"}},
	{"loose images of a study in a folder", func(l layout) {
		l.put("d", "71", echoesOf(10, 20))
		l.put("d/K1", "71", echoesOf(30, 40))
		l.put("d/K2", "73", nil)
		l.put("e", "74", nil)
	}, nil, 5, []string{"d/ d/K1", "d/K2", "e"}},
	{"a link to a loose image of the same study", func(l layout) {
		l.put("d", "71", echoesOf(10, 20))
		l.put("d/K/V1", "71", echoesOf(30, 40))
		l.put("d/K/V2", "72", nil)
		l.put("d/L", "73", nil)
		l.link("d/K/V1/again", "d/IM_0005") // the last one met before
		l.link("d/K/V1/later", "d/zz")      // met afterwards
		l.write("d/zz", "text")
	}, nil, 5, []string{"d/ d/K/V1", "d/K/V2", "d/L"}},
	{"a study over two divided folders", func(l layout) {
		l.put("a/K1", "71", echoesOf(10, 20))
		l.put("a/K2", "72", nil)
		l.put("b/K1", "71", echoesOf(30, 40))
		l.put("b/K3", "73", nil)
		l.write("b/IM", damagedFile)
	}, nil, 7, []string{"a/K1 b/K1", "a/K2", "b/", "b/K3"}},
	{"one multi-echo study in a divided folder", func(l layout) {
		l.put("a/K1/x/knee", "71", nil)
		l.write("a/K1/labels.nii", "mask")
		l.write("a/masks/labels.nii", "mask")
		l.write("a/masks/more/IM", damagedFile)
		l.put("a/scout", "75", func(n int, im *dicomwrite.Image) {
			if im.TE = 5; n > 0 {
				im.Rows = 0
			}
		})
		l.put("b/K2", "72", nil)
		l.put("b/K3", "73", nil)
		l.link("a/gone", "nowhere")
	}, nil, 12, []string{"a/ a/K1 a/masks a/scout", "b/K2", "b/K3"}},
	{"a scattered study in a divided folder", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("a/b/e", n), fmt.Sprint(90+n), echoesOf(te))
		}
		l.put("a/s01", "71", nil)
		l.put("a/s02", "72", nil)
		l.write("a/s02/IM", damagedFile)
	}, nil, 5, []string{"a/b/e0 a/b/e1 a/b/e2 a/b/e3", "a/s01", "a/s02"}},
	{"a scattered study over loose files of divided folders", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("a/e", n), fmt.Sprint(90+n), echoesOf(te))
			for k := range 2 {
				l.put(fmt.Sprintf("a/e%d/f%d", n, k), fmt.Sprintf("7%d%d", n, k), nil)
			}
		}
	}, nil, 12, []string{"a/e0/ a/e1/ a/e2/ a/e3/", "a/e0/f0", "a/e0/f1", "a/e1/f0", "a/e1/f1", "a/e2/f0", "a/e2/f1",
		"a/e3/f0", "a/e3/f1"}},
	{"archives in divided folders", func(l layout) {
		l.put("a/s01", "71", nil)
		l.pack("a/s01")
		l.put("a/s02/x", "72", nil)
		l.put("a/s02/y", "73", nil)
		l.pack("a/s02")
		l.put("a/b/s03", "74", nil)
		l.pack("a/b/s03")
		l.put("a/b/s04", "75", nil)
		l.link("a/b/zz", "a/s01.zip")
		l.link("a/b/z.zip", "a/s02.zip")
	}, nil, 5, []string{"a/b/s03.zip", "a/b/s04", "a/b/z.zip", "a/b/zz"}},
	{"links in divided folders", func(l layout) {
		for n := range 3 {
			l.put(fmt.Sprint("a/s", n), fmt.Sprint(71+n), nil)
			l.put(fmt.Sprint("c/t", n), fmt.Sprint(81+n), nil)
		}
		l.write("c/loose", "text")
		l.link("a/0", "c/loose")     // met before
		l.link("a/again", "c/loose") // met already
		l.link("b", "c")             // a divided folder, under another name
		l.link("c/to", "a/s1/IM_0003")
		l.link("a/s0/loop", "a")
		l.link("a/s2/gone", "nowhere")
		l.link("d/all", "a")
	}, nil, 5, []string{"a/", "a/s0", "a/s1", "a/s2", "b/t0", "b/t1", "b/t2"}},
	{"a divided folder outside", func(l layout) {
		l.put("out/s01", "71", nil)
		l.put("out/s02", "72", nil)
		l.write("out/loose", "text")
		if err := os.Rename(l.path("out"), l.dir+"-outside"); err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { os.RemoveAll(l.dir + "-outside") })
		l.link("away", "../"+filepath.Base(l.dir)+"-outside")
		l.put("s03", "73", nil)
	}, nil, 5, []string{"away/", "away/s01", "away/s02", "s03"}},
	{"roots in divided folders", func(l layout) {
		for n, folder := range []string{"a/b/s01", "a/b/s02", "a/c/s03", "a/c/s04", "a/d/e/s05", "a/d/e/s06"} {
			l.put(folder, fmt.Sprint(71+n), nil)
		}
		l.write("a/b/s01/IM", damagedFile)
		l.write("a/d/e/IM", damagedFile)
		l.write("a/c/x/y/IM", damagedFile)
	}, []string{"a/b", "", "a/d", "a/c/x"}, 12, []string{"b/s01 b/s02", "root/a/c/s03", "root/a/c/s04", "root/a/c/x",
		"root/a/d/e/", "root/a/d/e/s05", "root/a/d/e/s06"}},
	{"a root that is excluded in a divided one", func(l layout) {
		l.put("a/s02", "71", nil)
		l.put("a/s03", "72", nil)
		l.write("s01/IM", damagedFile)
		l.put("s01/x", "73", nil)
		l.put("b/s04", "74", nil)
	}, []string{"", "s01"}, 5, []string{"root/a/s02", "root/a/s03", "root/b", "root/s01"}},
	{"litter in divided folders", func(l layout) {
		l.put("a/s01", "71", nil)
		l.put("a/s02", "72", nil)
		for _, name := range []string{"a/.DS_Store", "a/.git/config", "a/empty/._x", "a/note", "a/note.gz"} {
			l.write(name, "text")
		}
		l.link("a/s01/store", "a/.DS_Store")
	}, nil, 5, []string{"a/", "a/empty", "a/s01", "a/s02"}},
}

func TestDeepChunks(t *testing.T) {
	for _, c := range deepLayouts {
		t.Run(c.name, func(t *testing.T) { checkChunks(t, c.make, c.roots, c.most, c.parts) })
	}
}

// A folder that becomes so large that it is divided has other chunks; those beside it are
// recalled. So are the chunks of a divided folder if a study is added to it.
func TestGrowingFolder(t *testing.T) {
	l := layout{t, t.TempDir()}
	l.put("a/s01", "71", nil)
	l.put("a/s02", "72", nil)
	l.put("b/s03", "73", nil)
	l.put("b/s04", "74", nil)
	stored := map[string]Facts{}
	settle := func() (seen []string) {
		s, err := NewSearch(t.Context(), []string{l.dir}, FindOptions{ChunkFiles: 24})
		if err != nil {
			t.Fatal(err)
		}
		recall := func(c *Chunk) (Facts, bool) { f, ok := stored[c.Digest]; return f, ok }
		if err := s.Settle(t.Context(), recall, func(f Finding, facts Facts) error {
			seen = append(seen, strings.Join(f.Chunk.Parts, " "))
			stored[f.Chunk.Digest] = facts
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for _, step := range []struct {
		change func()
		want   []string
	}{
		{func() {}, []string{"a", "b"}},
		{func() {}, nil},
		{func() { l.put("a/s05", "75", nil) }, []string{"a/s01", "a/s02", "a/s05"}},
		{func() { l.put("a/s06", "76", nil) }, []string{"a/s06"}},
		{func() { l.write("a/s02/labels.nii", "mask") }, []string{"a/s02"}},
		{func() { l.put("b/s03", "77", nil) }, []string{"b/s03", "b/s04"}},
	} {
		step.change()
		if got := settle(); !slices.Equal(got, step.want) {
			t.Errorf("chunks %q were read, want %q", got, step.want)
		}
	}
}
