package dicomio

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// layout is a folder with studies for tests of chunks.
type layout struct {
	t   *testing.T
	dir string
}

func (l layout) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

// put writes a train with that study UID, changed, into a folder.
func (l layout) put(folder, study string, change func(n int, im *dicomwrite.Image)) {
	l.t.Helper()
	images := trainOf()
	for n := range images {
		im := &images[n]
		im.StudyUID, im.SeriesUID, im.FrameOfReferenceUID = "2.25."+study, "2.25.1"+study, "2.25.3"+study
		im.InstanceUID = fmt.Sprintf("2.25.2%s.%d", study, n)
		if change != nil {
			change(n, im)
		}
	}
	images = slices.DeleteFunc(images, func(im dicomwrite.Image) bool { return im.Rows == 0 })
	if err := os.MkdirAll(l.path(folder), 0o755); err != nil {
		l.t.Fatal(err)
	}
	for n, im := range images {
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			l.t.Fatal(err)
		}
		name := filepath.Join(l.path(folder), fmt.Sprintf("IM_%04d", n))
		if _, err := os.Stat(name); err == nil {
			name += "_" + study
		}
		write(l.t, name, b.Bytes())
	}
}

// echoesOf keeps some echo times.
func echoesOf(times ...float64) func(int, *dicomwrite.Image) {
	return func(_ int, im *dicomwrite.Image) {
		if !slices.Contains(times, im.TE) {
			im.Rows = 0
		}
	}
}

// object writes one object of another class.
func (l layout) object(folder, study, class, modality string) {
	l.t.Helper()
	l.put(folder, study, func(n int, im *dicomwrite.Image) {
		ofClass(class, modality)(im)
		im.SeriesUID, im.InstanceUID = "2.25.777", fmt.Sprint("2.25.778.", study)
		if n > 0 {
			im.Rows = 0
		}
	})
}

func (l layout) write(name, text string) {
	l.t.Helper()
	if err := os.MkdirAll(filepath.Dir(l.path(name)), 0o755); err != nil {
		l.t.Fatal(err)
	}
	write(l.t, l.path(name), []byte(text))
}

func (l layout) link(name, target string) {
	l.t.Helper()
	if err := os.MkdirAll(filepath.Dir(l.path(name)), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Symlink(l.path(target), l.path(name)); err != nil {
		l.t.Skip("no symbolic links here: ", err)
	}
}

// pack moves a folder into a zip archive beside it.
func (l layout) pack(folder string) {
	l.t.Helper()
	f, err := os.Create(l.path(folder) + ".zip")
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	if err := z.AddFS(os.DirFS(l.path(folder))); err != nil {
		l.t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		l.t.Fatal(err)
	}
	if err := os.RemoveAll(l.path(folder)); err != nil {
		l.t.Fatal(err)
	}
}

// cut truncates a file.
func (l layout) cut(name string, size int64) {
	l.t.Helper()
	if err := os.Truncate(l.path(name), size); err != nil {
		l.t.Fatal(err)
	}
}

const seg, report = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.88.11"

var layouts = []struct {
	name  string
	make  func(l layout)
	roots []string // below the folder; "" is the folder
	parts []string // the parts of each chunk
}{
	{"a folder for each study", func(l layout) {
		l.put("s01/dicom", "71", nil)
		l.write("s01/labels.nii.gz", "mask")
		l.put("s02", "72", nil)
		l.put("s03/a", "73", nil)
		l.put("s03/b", "74", nil)
		l.write("list.csv", "loose")
	}, nil, []string{"/", "s01", "s02", "s03"}},
	{"one study and its mask beside it", func(l layout) {
		l.put("dicom", "71", nil)
		l.write("mask/labels.nii.gz", "mask")
		l.write("labels.nii", "mask")
		l.object("report", "75", report, "SR")
	}, nil, []string{"/ dicom mask report"}},
	{"one folder with all studies", func(l layout) {
		l.put("data/s01", "71", nil)
		l.put("data/s02", "72", nil)
		l.write("masks/s01.nii", "mask")
	}, nil, []string{"data", "masks"}},
	{"a study over two folders", func(l layout) {
		l.put("a", "71", echoesOf(10, 20))
		l.put("b", "72", nil)
		l.put("c", "71", echoesOf(30, 40))
		l.put("d", "73", nil)
	}, nil, []string{"a c", "b", "d"}},
	{"a study over a folder and loose files", func(l layout) {
		l.put("a", "72", nil)
		l.put("Z", "71", echoesOf(10, 20))
		l.put("", "71", echoesOf(30, 40))
		l.put("z", "73", nil)
	}, nil, []string{"/ Z", "a", "z"}},
	{"a DICOM mask in another folder", func(l layout) {
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
		l.object("masks", "72", seg, "SEG")
	}, nil, []string{"masks", "s01", "s02"}},
	{"an echo in each folder, with UIDs of its own", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("e", n), fmt.Sprint(90+n), echoesOf(te))
		}
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
		l.put("scout", "73", func(n int, im *dicomwrite.Image) {
			echoesOf(10)(n, im)
			im.PixelSpacing[0] *= 2
		})
	}, nil, []string{"e0 e1 e2 e3", "s01", "s02", "scout"}},
	{"an echo in each archive, with UIDs of its own", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("e", n), fmt.Sprint(90+n), echoesOf(te))
			l.pack(fmt.Sprint("e", n))
		}
		l.put("s01", "71", nil)
	}, []string{"e0.zip", "e1.zip", "e2.zip", "e3.zip", "s01"},
		[]string{"e0.zip e1.zip e2.zip e3.zip", "s01/"}},
	{"loose echoes with UIDs of their own", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put("", fmt.Sprint(90+n), echoesOf(te))
		}
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
	}, nil, []string{"/", "s01", "s02"}},
	{"a scattered study over pairs of folders", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("a", n), fmt.Sprint(90+n), func(i int, im *dicomwrite.Image) {
				if echoesOf(te)(i, im); i%2 == 0 {
					im.Rows = 0
				}
			})
			l.put(fmt.Sprint("b", n), fmt.Sprint(90+n), func(i int, im *dicomwrite.Image) {
				if echoesOf(te)(i, im); i%2 != 0 {
					im.Rows = 0
				}
				im.InstanceUID += ".7"
			})
		}
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
	}, nil, []string{"a0 a1 a2 a3 b0 b1 b2 b3", "s01", "s02"}},
	{"links between studies", func(l layout) {
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
		l.put("s03", "73", nil)
		l.put("outside", "74", nil)
		if err := os.Rename(l.path("outside"), l.dir+"-outside"); err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { os.RemoveAll(l.dir + "-outside") })
		l.link("0", "s03/IM_0005")      // met before the file itself
		l.link("s01/to", "s02/IM_0003") // met before
		l.link("s01/IM_00011", "s01/IM_0002")
		l.link("s01/again", "s01/IM_0002")
		l.link("s03/to", "s02/IM_0004") // met after
		l.link("s03/back", "s01")
		l.link("s03/loop", "")
		l.link("s03/z", "s03/IM_0001")
		l.link("s02/gone", "nowhere")
		l.link("gone", "nowhere")
		l.link("away", "../"+filepath.Base(l.dir)+"-outside")
		l.link("s03/out", "../"+filepath.Base(l.dir)+"-outside/IM_0000")
		l.link("zz", "s02")
	}, nil, []string{"/ s01 s02 s03", "away"}},
	{"links to studies that were met before", func(l layout) {
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
		l.put("s03", "73", nil)
		l.put("._s04", "74", nil)
		l.write("s01/._image", "litter")
		l.link("s03/all", "s01")
		l.link("s03/one", "s02/IM_0004")
		l.link("s03/two", "s01/._image")
		l.link("zz", "s02")
	}, nil, []string{"._s04", "s01", "s02", "s03"}},
	{"litter and packed files", func(l layout) {
		l.put("s01", "71", nil)
		l.put("s02", "72", nil)
		for _, name := range []string{".DS_Store", "s01/Thumbs.db", ".git/config", "s02/@eaDir/x", "empty/._x",
			"s02/note", "s02/note.gz", "loose", "loose.gz", "c.tar", "c.tar.gz"} {
			l.write(name, "text")
		}
		l.link("s01/config", ".git/config")
		l.link("s01/store", ".DS_Store")
	}, nil, []string{"/", "c.tar", "c.tar.gz", "empty", "s01", "s02"}},
	{"archives", func(l layout) {
		l.put("s01", "71", nil)
		l.write("s01/__MACOSX/x", "litter")
		l.pack("s01")
		l.put("s02/a", "72", nil)
		l.pack("s02/a")
		l.put("s03", "73", nil)
		l.pack("s03")
		l.cut("s03.zip", 1000)
		l.write("s04.zip", "not an archive")
		l.link("s05", "s01.zip")
	}, nil, []string{"s01.zip", "s02", "s03.zip", "s04.zip"}},
	{"damaged files", func(l layout) {
		l.put("s01", "71", nil)
		l.cut("s01/IM_0003", 300)
		l.put("s02", "72", nil)
		l.put("s03", "73", nil)
		l.put("x", "73", nil)
		for n := 1; n < 12; n++ {
			if err := os.Remove(l.path(fmt.Sprintf("x/IM_%04d", n))); err != nil {
				l.t.Fatal(err)
			}
		}
		info, err := os.Stat(l.path("x/IM_0000"))
		if err != nil {
			l.t.Fatal(err)
		}
		l.cut("x/IM_0000", info.Size()-4) // names the study in s03
		l.write("IM", strings.Repeat("\x00", 128)+"DICM")
	}, nil, []string{"/", "s01", "s02", "s03 x"}},
	{"a damaged file beside the only study", func(l layout) {
		l.put("", "71", nil)
		l.write("a/IM", strings.Repeat("\x00", 128)+"DICM")
		l.link("b/gone", "nowhere")
	}, nil, []string{"/ a b"}},
	{"several roots", func(l layout) {
		l.put("a/x", "71", nil)
		l.put("b/x", "72", nil)
		l.write("b/labels.nii", "mask")
		l.put("c/x/s01", "73", nil)
		l.put("c/x/s02", "74", echoesOf(10, 20))
		l.put("d/s02", "74", echoesOf(30, 40))
		l.put("d/s03", "75", nil)
		l.link("d/s04", "a/x")
	}, []string{"a/x", "b", "c/x", "d", "a/x"},
		[]string{"x(1)/", "b/ b/x", "x(3)/s01", "x(3)/s02 d/s02", "d/s03"}},
	{"nested roots", func(l layout) {
		l.put("a/s01", "71", nil)
		l.put("a/s02", "72", nil)
		l.put("b/s03", "73", nil)
		l.write("b/s03/sub/IM", strings.Repeat("\x00", 128)+"DICM")
		l.put("c", "74", nil)
		l.put("d", "75", nil)
	}, []string{"a", "b/s03/sub", "", "c"}, []string{"a/s01 a/s02", "sub/ root/b", "root/c", "root/d"}},
	{"a root in the home of the only study", func(l layout) {
		l.put("", "71", nil)
		l.write("a/b/IM", strings.Repeat("\x00", 128)+"DICM")
	}, []string{"a/b", ""}, []string{"b/ root/"}},
	{"a root as a link, and a link to a root", func(l layout) {
		l.put("store/s01", "71", nil)
		l.put("store/s02", "72", nil)
		l.put("more/s03", "73", nil)
		l.put("more/s04", "74", nil)
		l.link("door", "store")
		l.link("store/more", "more")
	}, []string{"door", "more", "store"}, []string{"door/more", "door/s01", "door/s02"}},
	{"files as roots", func(l layout) {
		l.put("s", "71", nil)
		l.put("t", "72", nil)
		l.pack("t")
	}, []string{"s/IM_0003", "t.zip", "s"}, []string{"IM_0003 s/", "t.zip"}},
	{"slices with UIDs of their own, loose and in folders", func(l layout) {
		for k := range 3 {
			for n, folder := range []string{"", "f"} {
				l.put(folder, fmt.Sprint("9", k), func(i int, im *dicomwrite.Image) {
					if i%3 != k || i/3%2 != n {
						im.Rows = 0
					}
					im.SeriesUID, im.FrameOfReferenceUID = "2.25.1000", "2.25.1001"
				})
			}
		}
		l.put("s01", "71", nil)
	}, nil, []string{"/ f", "s01"}},
	{"single echoes of several patients", func(l layout) {
		for n, te := range []float64{10, 20, 30, 40} {
			l.put(fmt.Sprint("p", n), fmt.Sprint("7", n), func(k int, im *dicomwrite.Image) {
				im.PatientID = fmt.Sprint("P", n)
				echoesOf(te)(k, im)
			})
		}
	}, nil, []string{"p0", "p1", "p2", "p3"}},
	{"nothing", func(layout) {}, nil, nil},
}

// All chunks together are what Find returns, for each layout, with a folder excluded, and
// whatever the size of a folder that is divided.
func TestChunks(t *testing.T) {
	for _, c := range layouts {
		t.Run(c.name, func(t *testing.T) { checkChunks(t, c.make, c.roots, 0, c.parts) })
	}
}

// checkChunks compares a search in chunks with Find. Folders with more than most files are
// divided into the parts that are wanted.
func checkChunks(t *testing.T, create func(l layout), below []string, most int, want []string) {
	t.Helper()
	l := layout{t, filepath.Join(t.TempDir(), "root")}
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	create(l)
	roots := []string{l.dir}
	if below != nil {
		roots = nil
	}
	for _, r := range below {
		roots = append(roots, l.path(r))
	}
	for _, exclude := range []string{"", "s01", "a"} {
		o := FindOptions{}
		if exclude != "" {
			o.Exclude = l.path(exclude)
		}
		whole, err := Find(t.Context(), roots, o)
		if err != nil {
			t.Fatal(err)
		}
		sizes := []int{0, 1, 2, 5}
		if exclude != "" {
			sizes = sizes[:2]
		}
		for _, o.ChunkFiles = range append(sizes, most) {
			parts := sameInChunks(t, whole, roots, o)
			if exclude == "" && o.ChunkFiles == most && !slices.Equal(parts, want) {
				t.Errorf("chunks %q, want %q", parts, want)
			}
		}
		if exclude == "" {
			sameAgain(t, roots, o)
		}
	}
}

// Settle shows each chunk that it reads, and joined chunks again. A chunk is another one
// when a study beside it changes the home of its studies.
func TestSettle(t *testing.T) {
	l := layout{t, t.TempDir()}
	l.put("a", "71", echoesOf(10, 20))
	l.put("b", "72", nil)
	l.put("c", "71", echoesOf(30, 40))
	settle := func(recall func(*Chunk) (Facts, bool)) (seen []string, stored map[string]Facts) {
		s, err := NewSearch(t.Context(), []string{l.dir}, FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		stored = map[string]Facts{}
		if err := s.Settle(t.Context(), recall, func(f Finding, facts Facts) error {
			if f.Chunk.Name != f.Chunk.Parts[0] || f.Chunk.Files != f.Files {
				t.Errorf("chunk %+v of %d files", f.Chunk, f.Files)
			}
			seen = append(seen, fmt.Sprintf("%s: %d studies", strings.Join(f.Chunk.Parts, " "), len(f.Studies)))
			stored[f.Chunk.Digest] = facts
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seen, stored
	}
	check := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	seen, stored := settle(nil)
	check("first", seen, []string{"a: 1 studies", "b: 1 studies", "c: 1 studies", "a c: 1 studies"})
	recall := func(c *Chunk) (Facts, bool) { f, ok := stored[c.Digest]; return f, ok }
	l.put("d", "73", nil)
	seen, _ = settle(recall)
	check("with a new study", seen, []string{"d: 1 studies"})
	for _, folder := range []string{"a", "c", "d"} {
		if err := os.RemoveAll(l.path(folder)); err != nil {
			t.Fatal(err)
		}
	}
	seen, _ = settle(recall)
	check("without other studies", seen, []string{"b: 1 studies"}) // its home is the root
}
