package dicomio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// foreign returns images of another study: the first n of a train, changed.
func foreign(n int, change func(*dicomwrite.Image)) []dicomwrite.Image {
	images := trainOf()[:n]
	for i := range images {
		images[i].StudyUID, images[i].SeriesUID = "2.25.900", "2.25.901"
		images[i].InstanceUID = fmt.Sprint("2.25.902.", i)
		change(&images[i])
	}
	return images
}

// ofClass makes an image an object of another SOP class.
func ofClass(class, modality string) func(*dicomwrite.Image) {
	return func(im *dicomwrite.Image) {
		im.Overrides = []dicomwrite.Override{{Keyword: "SOPClassUID", Values: []string{class}},
			{Keyword: "Modality", Values: []string{modality}}}
	}
}

// Objects that cannot need a mask do not make a folder shared: objects of another study
// that are not multi-echo images.
func TestHomeIgnoresWhatNeedsNoMask(t *testing.T) {
	const storage = "1.2.840.10008.5.1.4.1.1."
	for _, c := range []struct {
		name   string
		images []dicomwrite.Image
		shared bool // whether the folder then belongs to several studies
	}{
		{"a secondary capture", foreign(1, ofClass(storage+"7", "OT")), false},
		{"a CT", foreign(3, ofClass(storage+"2", "CT")), false},
		{"a report", foreign(1, ofClass(storage+"88.11", "SR")), false},
		{"a scout", foreign(2, func(im *dicomwrite.Image) { im.TE = 5 }), false},
		{"an MR study of two echo times", foreign(12, func(im *dicomwrite.Image) {
			im.TE = 10 + 10*float64(int(im.TE)/20%2)
			im.SeriesUID += "." + fmt.Sprint(im.TE)
		}), false},
		{"a T2 map alone", foreign(3, func(im *dicomwrite.Image) {
			im.ImageType = []string{"DERIVED", "PRIMARY",
				"T2 MAP"}
		}), false},
		{"another multi-echo study", foreign(12, func(*dicomwrite.Image) {}), true},
	} {
		dir := t.TempDir()
		save(t, filepath.Join(dir, "s01"), trainOf())
		for i, im := range c.images {
			save(t, filepath.Join(dir, "s01", fmt.Sprint("more", i)), []dicomwrite.Image{im})
		}
		f := find(t, dir)
		for _, s := range f.Studies {
			if s.Hash != hash(trainOf()[0].StudyUID) {
				if !c.shared && s.Home != "" {
					t.Errorf("%s: it has the home %s", c.name, s.Home)
				}
				continue
			}
			want := dir // nothing else under it needs a mask
			if c.shared {
				want = ""
			}
			if s.Home != want {
				t.Errorf("%s: home %q, want %q", c.name, s.Home, want)
			}
		}
	}
}

// A dangling link is counted and is not a failure, unless the study lacks an image: then it
// is named.
func TestDanglingLinks(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "s01"), trainOf())
	link := filepath.Join(dir, "s01", "IM_0099")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	f := find(t, dir)
	if len(f.Studies) != 1 || len(f.Damaged) != 0 || f.Passed != (Passed{DanglingLinks: 1}) || f.Files != 13 {
		t.Fatalf("%+v", f)
	}
	s := f.Studies[0]
	if s.Trains[0].Problem != nil || len(s.Spoiled) != 1 || !strings.Contains(s.Spoiled[0].Error(),
		"s01/IM_0099: is a dangling link") {
		t.Errorf("problem %v, spoiled %v", s.Trains[0].Problem, s.Spoiled)
	}
	if l := f.Tree.Links(); len(l) != 1 || l[0].Name != "s01/IM_0099" {
		t.Errorf("links %v", l)
	}
}

// Litter is not among the files; images in gzip are images.
func TestLitterAndGzip(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "s01"), trainOf())
	images, err := filepath.Glob(filepath.Join(dir, "s01", "IM_*"))
	if err != nil || len(images) != 12 {
		t.Fatal(images, err)
	}
	for _, path := range images {
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path+".dcm.gz", gzipped(t, data), 0o644)
		}
		if err == nil {
			err = os.Rename(path, filepath.Join(dir, "s01", "._"+filepath.Base(path)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f := find(t, dir)
	if f.Files != 12 || f.Passed != (Passed{Litter: 12}) || len(f.Studies) != 1 ||
		f.Studies[0].Trains[0].Problem != nil {
		t.Fatalf("%+v", f)
	}
	s, inputs, err := Read(t.Context(), f.Studies[0].Trains[0], 1)
	if err != nil || s.Echo[3][0] != 3000 || len(inputs) != 12 {
		t.Errorf("%v, %d inputs", err, len(inputs))
	}
	// A damaged file is reported as damaged, not ignored.
	whole, err := os.ReadFile(images[0] + ".dcm.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{whole[:len(whole)/2], append(slices.Clip(whole), gzipped(t, nil)[:12]...)} {
		write(t, images[0]+".dcm.gz", data)
		f := find(t, dir)
		if all := append(f.Damaged, f.Studies[0].Damaged...); len(all) != 1 ||
			!strings.Contains(all[0].Error(), "is truncated: it ends before its gzip stream does") {
			t.Errorf("damaged %v", all)
		}
	}
	// Consecutive members are one file (RFC 1952 2.2), as in BGZF.
	write(t, images[0]+".dcm.gz", append(slices.Clip(whole), gzipped(t, nil)...))
	if f := find(t, dir); len(f.Damaged) != 0 || f.Passed.NotDICOM != 0 || f.Studies[0].Trains[0].Problem != nil {
		t.Errorf("members: %+v", f)
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
