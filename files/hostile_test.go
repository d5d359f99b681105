package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// alone lists a folder with a study and an archive, and returns the only entry of the
// archive; the study must be listed as without it.
func alone(t *testing.T, name string, data []byte, l Limits) Entry {
	t.Helper()
	leavesNothing(t)
	dir := t.TempDir()
	put(t, filepath.Join(dir, name), data)
	put(t, filepath.Join(dir, "study", "IM1"), []byte("sound"))
	tree := list(t, l, dir)
	entries := tree.Entries()
	if len(entries) != 2 || entries[1].Name != "study/IM1" || entries[0].Path != filepath.Join(dir, name) {
		t.Fatalf("got %q", names(tree))
	}
	if err := same(tree, entries[1].Path, "sound"); err != nil {
		t.Error(err)
	}
	if _, err := tree.Open(filepath.Join(dir, name, "dicom", "IM1")); err == nil {
		t.Error("a file in it was opened")
	}
	return entries[0]
}

func TestBroken(t *testing.T) {
	zipped, tape := zipOf(t, zip.Deflate, sample...), tarOf(t, sample...)
	gzipped := gzipOf(t, tape)
	flipped := bytes.Clone(gzipped)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	endless := tape[:len(tape)-1024]
	header := bytes.Clone(tape)
	header[1024+10] ^= 1 // in the second entry's header
	for _, c := range []struct {
		name, file string
		data       []byte
		words      string
	}{
		{"zip cut off", "a.zip", zipped[:len(zipped)-30], "a.zip: ends early: it has no directory"},
		{"zip of its signature", "a.zip", zipped[:4], "a.zip: ends early"},
		{"zip without its middle", "a.zip", append(bytes.Clone(zipped[:1000]), zipped[len(zipped)-300:]...), "a.zip: "},
		{"tar cut off", "a.tar", tape[:5000], "a.tar: ends early after 2 entries"},
		{"tar cut off between two files", "a.tar", tape[:1024], "a.tar: ends early after 1 entries"},
		{"tar without its end", "a.tar", endless, "a.tar: ends early after 4 entries"},
		{"tar with a damaged header", "a.tar", header, "a.tar: is damaged after 1 entries"},
		{"gzip cut off", "a.tgz", gzipped[:50_000], "a.tgz: ends early after 2 entries"},
		{"gzip without its checksum", "a.tgz", gzipped[:len(gzipped)-8], "a.tgz: ends early"},
		{"gzip with a wrong checksum", "a.tgz", flipped, "a.tgz: is damaged"},
		{"gzip without the tar's end", "a.tgz", gzipOf(t, endless), "a.tgz: ends early after 4 entries"},
		{"gzip of something else", "a.tar.gz", gzipOf(t, []byte(noise(5000))), "a.tar.gz: is not a tar archive"},
		{"gzip of nothing", "a.tar.gz", gzipOf(t, nil), "a.tar.gz: ends early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := alone(t, c.file, c.data, Limits{})
			wantKind(t, e.Err, ErrInvalid, c.words, filepath.Dir(e.Path))
			if hint.Find(e.Err) == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestLimits(t *testing.T) {
	tape := tarOf(t, sample...)
	forms := map[string][]byte{"a.zip": zipOf(t, zip.Deflate, sample...), "a.tar": tape, "a.tgz": gzipOf(t, tape)}
	long := []content{{strings.Repeat("n", 4000), ""}, {strings.Repeat("m", 4000), ""}}
	longForms := map[string][]byte{"a.zip": zipOf(t, zip.Store, long...), "a.tar": tarOf(t, long...),
		"a.tgz": gzipOf(t, tarOf(t, long...))}
	for name, data := range forms {
		t.Run("files in "+name, func(t *testing.T) {
			wantKind(t, alone(t, name, data, Limits{Entries: 3}).Err, ErrLimit, name+": holds more than 3 files", "")
		})
		t.Run("names in "+name, func(t *testing.T) {
			wantKind(t, alone(t, name, longForms[name], Limits{Entries: 10}).Err, ErrLimit, "names too long", "")
		})
		t.Run("bytes in "+name, func(t *testing.T) {
			wantKind(t, alone(t, name, data, Limits{TotalBytes: 300_000}).Err, ErrLimit,
				name+": holds more than 300000 bytes", "")
		})
		t.Run("bytes of a file in "+name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, name), data)
			tree := list(t, Limits{EntryBytes: 1 << 18}, dir)
			e := tree.Entries()[3]
			wantKind(t, e.Err, ErrLimit, name+"/labels.nii: holds more than 262144 bytes", dir)
			_, err := tree.Open(e.Path)
			wantKind(t, err, ErrLimit, name+"/labels.nii: holds more than 262144 bytes", dir)
			check(t, same(tree, tree.Entries()[0].Path, "first"))
		})
	}
}

// Data that exceed the limits only when they are unpacked are refused then.
func TestUnpackingIsLimited(t *testing.T) {
	leavesNothing(t)
	dir := t.TempDir()
	tape := tarOf(t, sample...)
	put(t, filepath.Join(dir, "a.tgz"), gzipOf(t, tape))
	tree := list(t, Limits{}, t.TempDir())
	tree.limits.TotalBytes = 200_000
	_, err := tree.Open(filepath.Join(dir, "a.tgz", "dicom", "IM1"))
	wantKind(t, err, ErrLimit, "a.tgz: holds more than 200000 bytes", dir)

	ctx, cancel := context.WithCancel(context.Background())
	tree, err = List(ctx, []string{dir}, "", Limits{})
	check(t, err)
	cancel()
	if _, err := tree.Open(tree.Entries()[0].Path); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	check(t, tree.Close())
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ raw, name, problem string }{
		{"dicom/IM1", "dicom/IM1", ""},
		{"./dicom//IM1", "dicom/IM1", ""},
		{`dicom\IM1`, "dicom/IM1", ""},
		{"Übung/膝.dcm", "Übung/膝.dcm", ""},
		{"\xdcbung", "%DCbung", ""},
		{"..IM/IM..", "..IM/IM..", ""},
		{"12:30", "12:30", ""},
		{"", "", "it has no name"},
		{".", "", "it has no name"},
		{"../../x", "", "its name leads out of the archive"},
		{"a/../b", "", "its name leads out of the archive"},
		{`..\x`, "", "its name leads out of the archive"},
		{"/etc/passwd", "", "its name is an absolute path"},
		{`\\server\share`, "", "its name is an absolute path"},
		{`C:\x`, "", "its name begins with a drive"},
		{"c:x", "", "its name begins with a drive"},
		{"a\x00b", "", "its name holds control characters"},
		{"a\nb", "", "its name holds control characters"},
		{"a\u009bb", "", "its name holds control characters"},
		{strings.Repeat("n/", 2050), "", "its name takes 4100 bytes, want at most 4096"},
	} {
		name, problem := entryName(c.raw)
		if name != c.name || problem != c.problem {
			t.Errorf("%q: got %q, %q, want %q, %q", c.raw, name, problem, c.name, c.problem)
		}
	}
	if got := from437("\x9abung \x81 \xe1\xff"); got != "Übung ü ß\u00a0" {
		t.Errorf("got %q", got)
	}
	if n := len(upper437); n != 128 {
		t.Errorf("%d characters, want 128", n)
	}
}

func TestHostileNames(t *testing.T) {
	evil := []content{{"../../x", "out"}, {"dicom/IM1", "first"}, {"/etc/passwd", "root"}, {"a\x1b[2J\x00", ""}}
	tape := tarWith(t, []tar.Header{{Name: "../../x", Size: 3}, {Name: "dicom/IM1", Size: 5},
		{Name: "/etc/passwd", Size: 4}, {Name: "a\x1b[2J"}}, evil)
	for name, data := range map[string][]byte{"a.zip": zipOf(t, zip.Deflate, evil...), "a.tar": tape,
		"a.tgz": gzipOf(t, tape)} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			dir := t.TempDir()
			put(t, filepath.Join(dir, "deep", "er", name), data)
			put(t, filepath.Join(dir, "x"), []byte("mine"))
			tree := list(t, Limits{}, filepath.Join(dir, "deep"))
			wantNames(t, tree,
				"error er/"+name+`: 3 entries cannot be listed, the first: `+
					`entry "../../x": its name leads out of the archive`,
				"er/"+name+"/dicom/IM1")
			if e := tree.Entries()[0]; e.Path != filepath.Join(dir, "deep", "er", name) {
				t.Errorf("the error is at %s", e.Path)
			}
			for _, p := range []string{"../../x", "/etc/passwd", "etc/passwd", "x"} {
				f, err := tree.Open(filepath.Join(dir, "deep", "er", name) + "/" + p)
				if err == nil && p != "../../x" { // Clean makes that a path of the file system
					t.Errorf("%s was opened", p)
				}
				if err == nil {
					f.Close()
				}
			}
			check(t, same(tree, tree.Entries()[1].Path, "first"))
		})
	}
}

func TestDoubtfulEntries(t *testing.T) {
	double := []content{{"IM1", "one"}, {"IM2", "two"}, {"./IM1", "other"}}
	for name, data := range map[string][]byte{"a.zip": zipOf(t, zip.Deflate, double...), "a.tar": tarOf(t, double...)} {
		tree := list(t, Limits{}, alongside(t, name, data))
		wantNames(t, tree, "error "+name+"/IM1: is in the archive 2 times", name+"/IM2")
	}

	secret := zipOf(t, zip.Deflate, content{"IM1", "one"}, content{"IM2", "two"})
	secret[bytes.Index(secret, []byte("PK\x01\x02"))+8] |= 1
	tree := list(t, Limits{}, alongside(t, "a.zip", secret))
	wantNames(t, tree, "error a.zip/IM1: is encrypted", "a.zip/IM2")
	wantKind(t, tree.Entries()[0].Err, ErrUnsupported, "", "")
	if !strings.Contains(hint.Find(tree.Entries()[0].Err), "password") {
		t.Error("no hint")
	}
	_, err := tree.Open(tree.Entries()[0].Path)
	wantKind(t, err, ErrUnsupported, "a.zip/IM1: is encrypted", "")

	odd := rawZip(t, []byte("??"), zip.FileHeader{Name: "IM1", Method: 12, CompressedSize64: 2, UncompressedSize64: 9})
	wantNames(t, list(t, Limits{}, alongside(t, "a.zip", odd)),
		"error a.zip/IM1: is compressed by method 12, want stored (0) or deflated (8)")
	odd = rawZip(t, []byte("??"), zip.FileHeader{Name: "IM1", Method: zip.Store, CompressedSize64: 2,
		UncompressedSize64: 9})
	wantNames(t, list(t, Limits{}, alongside(t, "a.zip", odd)), "error a.zip/IM1: is stored in 2 bytes, want 9")

	inner := zipOf(t, zip.Store, sample...)
	tree = list(t, Limits{}, alongside(t, "a.zip", zipOf(t, zip.Store, content{"inner.zip", string(inner)},
		content{"__MACOSX/._IM1", "junk"})))
	wantNames(t, tree, "a.zip/inner.zip")
	_, err = tree.Open(tree.Entries()[0].Path + "/dicom/IM1")
	wantKind(t, err, fs.ErrNotExist, "a.zip/inner.zip/dicom/IM1: is not in the archive", "")
}

// alongside writes an archive to a folder of its own and returns the folder.
func alongside(t *testing.T, name string, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, name), data)
	return dir
}

func TestArchivedLinks(t *testing.T) {
	link := func(kind byte, name, target string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: target}
	}
	tape := tarWith(t, []tar.Header{
		{Name: "d/IM1", Size: 3}, {Name: "d/", Typeflag: tar.TypeDir}, {Name: "pipe", Typeflag: tar.TypeFifo},
		{Name: "disk", Typeflag: tar.TypeBlock},
		link(tar.TypeLink, "hard", "./d/IM1"), link(tar.TypeSymlink, "d/soft", "IM1"),
		link(tar.TypeSymlink, "folder", "d"),
		link(tar.TypeSymlink, "e/through", "../folder/IM1"), link(tar.TypeSymlink, "self", "self"),
		link(tar.TypeSymlink, "top", "."),
		link(tar.TypeLink, "hard2", "d/IM2"), link(tar.TypeSymlink, "out", "../../etc/passwd"),
		link(tar.TypeSymlink, "root", "/etc/passwd"),
	}, []content{{"", "one"}})
	lost := ": is a link whose target is not in the archive"
	for name, data := range map[string][]byte{"a.tar": tape, "a.tgz": gzipOf(t, tape)} {
		dir := alongside(t, name, data)
		tree := list(t, Limits{}, dir)
		wantNames(t, tree, name+"/d/IM1", name+"/disk", "error "+name+"/hard2"+lost, "error "+name+"/out"+lost,
			name+"/pipe", "error "+name+"/root"+lost)
		_, err := tree.Open(filepath.Join(dir, name, "pipe"))
		wantKind(t, err, ErrNotRegular, name+"/pipe", dir)
		_, err = tree.Open(filepath.Join(dir, name, "out"))
		wantKind(t, err, ErrUnsupported, lost, dir)
	}

	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, c := range map[string]struct {
		mode fs.FileMode
		data string
	}{"d/IM1": {0o644, "one"}, "d/soft": {fs.ModeSymlink, "IM1"}, "out": {fs.ModeSymlink, "../IM1"},
		"pipe": {fs.ModeNamedPipe, ""}, "d": {fs.ModeDir, ""}} {
		h := zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(c.mode)
		w, err := z.CreateHeader(&h)
		check(t, err)
		_, err = w.Write([]byte(c.data))
		check(t, err)
	}
	check(t, z.Close())
	dir := alongside(t, "a.zip", b.Bytes())
	tree := list(t, Limits{}, dir)
	wantNames(t, tree, "a.zip/d/IM1", "error a.zip/out"+lost, "a.zip/pipe")
	_, err := tree.Open(tree.Entries()[2].Path)
	wantKind(t, err, ErrNotRegular, "a.zip/pipe", dir)
}

// Sparse files in each of GNU tar's four formats are refused.
func TestSparse(t *testing.T) {
	tarProgram, err := exec.LookPath("tar")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("GNU tar is not installed")
	}
	src := t.TempDir()
	put(t, filepath.Join(src, "IM1"), []byte("one"))
	check(t, os.Truncate(filepath.Join(src, "IM1"), 1<<33))
	put(t, filepath.Join(src, "IM2"), []byte("two"))
	for _, format := range []string{"--format=gnu", "--format=pax --sparse-version=0.0",
		"--format=pax --sparse-version=0.1", "--format=pax --sparse-version=1.0"} {
		for _, name := range []string{"a.tar", "a.tar.gz"} {
			dir := t.TempDir()
			args := append(strings.Fields(format), "--sparse", "-caf", filepath.Join(dir, name), "-C", src, "IM1",
				"IM2")
			if out, err := exec.Command(tarProgram, args...).CombinedOutput(); err != nil {
				t.Skipf("%s %v", out, err)
			}
			tree := list(t, Limits{}, dir)
			wantNames(t, tree, "error "+name+"/IM1: is stored as a sparse file", name+"/IM2")
			check(t, same(tree, tree.Entries()[1].Path, "two"))
			wantKind(t, list(t, Limits{TotalBytes: 1 << 20}, dir).Entries()[0].Err, ErrLimit, "holds more than 1 MiB",
				dir)
		}
	}
}
