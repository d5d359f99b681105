package files

import (
	"archive/zip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/t2map/t2map/hint"
)

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b/IM1", "a/IM2", "a.txt", "a/deep/er", "out/result", "report.docx", "fake.zip"} {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), []byte("content of "+name))
	}
	wantNames(t, list(t, Limits{}, dir), "a/IM2", "a/deep/er", "a.txt", "b/IM1", "fake.zip", "out/result",
		"report.docx")

	t.Run("exclude", func(t *testing.T) {
		out := filepath.Join(dir, "out")
		tree, err := List(context.Background(), []string{dir}, out, Limits{})
		check(t, err)
		wantNames(t, tree, "a/IM2", "a/deep/er", "a.txt", "b/IM1", "fake.zip", "report.docx")
		tree, err = List(context.Background(), []string{out}, out, Limits{})
		check(t, err)
		wantNames(t, tree, "result")
	})
	t.Run("roots", func(t *testing.T) {
		tree := list(t, Limits{}, filepath.Join(dir, "a"), filepath.Join(dir, "a.txt"), filepath.Join(dir, "b"), dir,
			filepath.Join(dir, "b"))
		wantNames(t, tree, "a/IM2", "a/deep/er", "a.txt/a.txt", "b(3)/IM1",
			filepath.Base(dir)+"/fake.zip", filepath.Base(dir)+"/out/result", filepath.Base(dir)+"/report.docx")
		e := tree.Entries()[0]
		if e.Root != filepath.Join(dir, "a") || e.RootName != "a" || e.Path != filepath.Join(dir, "a", "IM2") {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("file as root", func(t *testing.T) { wantNames(t, list(t, Limits{}, filepath.Join(dir, "a.txt")), "a.txt") })
	t.Run("root with a dot", func(t *testing.T) {
		wantNames(t, list(t, Limits{}, filepath.Join(dir, "b")+"/."),
			"IM1")
	})
	t.Run("no root", func(t *testing.T) {
		if _, err := List(context.Background(), []string{filepath.Join(dir, "none")}, "", Limits{}); !errors.Is(err,
			fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := List(ctx, []string{dir}, "", Limits{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "data", "IM1"), []byte("one"))
	put(t, filepath.Join(dir, "data", "z.zip"), zipOf(t, zip.Deflate, sample...))
	put(t, filepath.Join(dir, "elsewhere", "IM9"), []byte("nine"))
	for link, target := range map[string]string{
		"data/again": "IM1", "data/loop": ".", "data/out": "../elsewhere", "data/nowhere": "none",
		"data/zz.zip": "z.zip",
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	root := filepath.Join(dir, "data")
	tree := list(t, Limits{}, root)
	wantNames(t, tree, "IM1", "error nowhere: is a dangling link", "out/IM9", "z.zip/dicom/IM1", "z.zip/dicom/IM2",
		"z.zip/dicom/empty", "z.zip/labels.nii")
	_, err := tree.Open(filepath.Join(root, "nowhere"))
	wantKind(t, err, fs.ErrNotExist, "nowhere: cannot be read", dir)
	// A path that was not listed leads through the link too.
	if err := same(tree, filepath.Join(root, "zz.zip", "dicom", "IM2"), noise(100_000)); err != nil {
		t.Error(err)
	}

	// A link of any name to an archive leads to it.
	check(t, os.Symlink("z.zip", filepath.Join(root, "first")))
	tree = list(t, Limits{}, root)
	if err := same(tree, filepath.Join(root, "first", "dicom", "IM2"), noise(100_000)); err != nil {
		t.Error(err)
	}
	wantNames(t, tree, "IM1", "first/dicom/IM1", "first/dicom/IM2", "first/dicom/empty", "first/labels.nii",
		"error nowhere: is a dangling link", "out/IM9")
	check(t, os.Remove(filepath.Join(root, "first")))

	alias := filepath.Join(dir, "alias")
	check(t, os.Symlink(root, alias))
	tree = list(t, Limits{}, alias)
	if e := tree.Entries()[0]; e.Path != filepath.Join(alias, "IM1") {
		t.Errorf("%s is not as the user sees it", e.Path)
	}
}

func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("everything can be read here")
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a", "IM1"), nil)
	put(t, filepath.Join(dir, "b.zip"), zipOf(t, zip.Store, sample...))
	check(t, os.Chmod(filepath.Join(dir, "a"), 0))
	check(t, os.Chmod(filepath.Join(dir, "b.zip"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "a"), 0o755) })
	tree := list(t, Limits{}, dir)
	wantNames(t, tree, "error a: cannot be read: permission denied", "b.zip")
	wantKind(t, tree.Entries()[0].Err, fs.ErrPermission, "", dir)
	_, err := tree.Open(filepath.Join(dir, "b.zip"))
	wantKind(t, err, fs.ErrPermission, "b.zip: cannot be read", dir)
}

// archives returns the sample in every form.
func archives(t testing.TB) map[string][]byte {
	tape := tarOf(t, sample...)
	return map[string][]byte{
		"stored.zip": zipOf(t, zip.Store, sample...), "deflated.ZIP": zipOf(t, zip.Deflate, sample...),
		"plain.tar": tape, "gzipped.tar.gz": gzipOf(t, tape), "short.TGZ": gzipOf(t, tape),
		"mislabelled.tar": gzipOf(t, tape),
	}
}

func TestArchives(t *testing.T) {
	for name, data := range archives(t) {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			dir := t.TempDir()
			put(t, filepath.Join(dir, "s", name), data)
			var below []content
			for _, c := range sample {
				below = append(below, content{"s/" + name + "/" + c.name, c.data})
			}
			tree := list(t, Limits{}, dir)
			wantContents(t, tree, below)
			if e := tree.Entries()[0]; e.Path != filepath.Join(dir, "s", name, "dicom", "IM1") || e.Root != dir {
				t.Errorf("got %+v", e)
			}

			archive := filepath.Join(dir, "s", name)
			wantContents(t, list(t, Limits{}, archive), sample)

			_, err := tree.Open(filepath.Join(archive, "none"))
			wantKind(t, err, fs.ErrNotExist, "s/"+name+"/none: is not in the archive", dir)
			if err := same(tree, archive, string(data)); err != nil {
				t.Error(err) // the archive itself is a file too
			}
			other := list(t, Limits{}, t.TempDir())
			if err := same(other, filepath.Join(archive, "dicom", "IM2"), sample[1].data); err != nil {
				t.Error("not listed:", err)
			}
		})
	}
}

func TestLargeEntry(t *testing.T) {
	leavesNothing(t)
	dir := t.TempDir()
	large := []content{{"IM", noise(3_000_000)}}
	put(t, filepath.Join(dir, "a.zip"), zipOf(t, zip.Deflate, large...))
	tree := list(t, Limits{MemoryBytes: 1 << 16}, filepath.Join(dir, "a.zip"))
	wantContents(t, tree, large)
	f, err := tree.Open(tree.Entries()[0].Path)
	check(t, err)
	p := make([]byte, 100)
	if _, err := f.ReadAt(p, 2_000_000); err != nil || string(p) != large[0].data[2_000_000:][:100] {
		t.Errorf("got %v", err)
	}
	if err := tree.Close(); err != nil { // while the file is open
		t.Error(err)
	}
	if _, err := f.ReadAt(p, 2_900_000); err != nil || string(p) != large[0].data[2_900_000:][:100] {
		t.Errorf("after the tree was closed: %v", err)
	}
	check(t, f.Close())
	check(t, f.Close())
	_, err = f.ReadAt(p, 0)
	wantKind(t, err, fs.ErrClosed, "IM: is closed", dir)
	_, err = tree.Open(tree.Entries()[0].Path)
	wantKind(t, err, fs.ErrClosed, "a.zip: is closed", dir)
}

// A pipe of any name in any place is never waited for.
func TestNotRegular(t *testing.T) {
	dir := t.TempDir()
	tree := list(t, Limits{}, dir)
	_, err := tree.Open(dir)
	wantKind(t, err, ErrNotRegular, "", filepath.Dir(dir))
	if !makePipe(filepath.Join(dir, "pipe.zip")) {
		t.Skip("no pipes here")
	}
	tree = list(t, Limits{}, dir)
	wantNames(t, tree, "pipe.zip")
	_, err = tree.Open(filepath.Join(dir, "pipe.zip"))
	wantKind(t, err, ErrNotRegular, "pipe.zip", dir)
	_, err = tree.Open(filepath.Join(dir, "pipe.zip", "IM1"))
	if err == nil {
		t.Error("a file in a pipe was opened")
	}
}

func TestManyAtATime(t *testing.T) {
	leavesNothing(t)
	dir := t.TempDir()
	for name, data := range archives(t) {
		put(t, filepath.Join(dir, name), data)
		put(t, filepath.Join(dir, "b", name), data)
	}
	tree := list(t, Limits{OpenArchives: 2, MemoryBytes: 1 << 16}, dir)
	data := map[string]string{}
	for _, c := range sample {
		data[c.name] = c.data
	}
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i, e := range tree.Entries() {
				if (i*7+worker)%3 == 0 {
					continue
				}
				_, inner, _ := tree.split(e.Path)
				if err := same(tree, e.Path, data[inner]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	tree.cache.mu.Lock()
	if n := len(tree.cache.open); n > 2 {
		t.Errorf("%d archives are held, want at most 2", n)
	}
	tree.cache.mu.Unlock()
	check(t, tree.Close())
}

// Archives that were closed are unpacked again; one that changed is refused.
func TestChanged(t *testing.T) {
	for name, data := range archives(t) {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t)
			dir := t.TempDir()
			put(t, filepath.Join(dir, name), data)
			put(t, filepath.Join(dir, "other.zip"), zipOf(t, zip.Store, sample...))
			tree := list(t, Limits{OpenArchives: 1}, dir)
			first, other := filepath.Join(dir, name, "dicom", "IM1"), filepath.Join(dir, "other.zip", "dicom", "IM1")
			for range 3 {
				check(t, same(tree, first, "first"))
				check(t, same(tree, other, "first"))
			}
			check(t, same(tree, first, "first"))
			grown := append(data[:len(data):len(data)], 0)
			put(t, filepath.Join(dir, name), grown)
			_, err := tree.Open(first) // open still
			wantKind(t, err, ErrInvalid, name+": has changed since it was listed", dir)
			check(t, same(tree, other, "first"))
			_, err = tree.Open(first) // opened again
			wantKind(t, err, ErrInvalid, name+": has changed since it was listed", dir)
		})
	}
}

func TestHelpers(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, c := range []struct {
		folder, path, below string
		inside              bool
	}{
		{"a", "a/b/c", "b/c", true},
		{"a", "a", "a", true},
		{"a", "ab", "ab", false},
		{"a", "b/c", "c", false},
		{"a", "a/..b/c", "..b/c", true},
		{"a.zip", "a.zip/b", "b", true},
	} {
		if got := Below(in(c.folder), in(c.path)); got != c.below {
			t.Errorf("Below(%s, %s) = %s, want %s", c.folder, c.path, got, c.below)
		}
		if got := Inside(in(c.folder), in(c.path)); got != c.inside {
			t.Errorf("Inside(%s, %s) = %v", c.folder, c.path, got)
		}
	}
	if wd, err := os.Getwd(); err != nil || Absolute("x/../y") != filepath.Join(wd, "y") {
		t.Errorf("Absolute: %s", Absolute("x/../y"))
	}
	if got := hint.Find(errChanged.withPath("x")); !strings.Contains(got, "start again") {
		t.Errorf("Hint: %q", got)
	}
}

// Without space for unpacking, the error says so without the path.
func TestNoRoom(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.tgz"), gzipOf(t, tarOf(t, sample...)))
	put(t, filepath.Join(dir, "b.zip"), zipOf(t, zip.Deflate, sample...))
	tree := list(t, Limits{MemoryBytes: 1000}, dir)
	t.Setenv("TMPDIR", filepath.Join(dir, "none"))
	t.Setenv("TMP", filepath.Join(dir, "none"))
	_, err := tree.Open(filepath.Join(dir, "a.tgz", "dicom", "IM1"))
	wantKind(t, err, fs.ErrNotExist, "a.tgz: cannot be unpacked into a temporary file", dir)
	f, err := tree.Open(filepath.Join(dir, "b.zip", "dicom", "IM2"))
	check(t, err)
	defer f.Close()
	_, err = f.ReadAt(make([]byte, 10), 50_000)
	wantKind(t, err, fs.ErrNotExist, "b.zip/dicom/IM2: cannot be unpacked into a temporary file", dir)
	if hint.Find(err) == "" || hint.Find(context.Canceled) != "" {
		t.Error("hints differ")
	}
}
