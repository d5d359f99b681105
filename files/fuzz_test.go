package files

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzList lists a file as an archive, opens all its entries, and reads some of them in
// both ways. For any file there is no panic, nothing is left, and errors belong to this
// package.
func FuzzList(f *testing.F) {
	few := []content{{"dicom/IM1", "first"}, {`d\IM2`, strings.Repeat("0", 5000)}, {"../x", "out"}}
	links := tarWith(f, []tar.Header{{Name: "d/IM1", Size: 5}, {Name: "l", Linkname: "d/IM1", Typeflag: tar.TypeLink},
		{Name: strings.Repeat("n", 200), Linkname: "..", Typeflag: tar.TypeSymlink}}, few[:1])
	for _, data := range [][]byte{
		zipOf(f, zip.Store, few...), zipOf(f, zip.Deflate, few...), tarOf(f, few...), gzipOf(f, tarOf(f, few...)),
		links, gzipOf(f, links),
		overlapping(3, []byte{3, 0}, 0), []byte("PK\x05\x06" + strings.Repeat("\x00", 18)),
	} {
		f.Add(data)
	}
	spools := f.TempDir()
	f.Setenv("TMPDIR", spools)
	dir := f.TempDir()
	l := Limits{Entries: 100, TotalBytes: 1 << 20, EntryBytes: 1 << 18, MemoryBytes: 1 << 12}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "a.zip")
		check(t, os.WriteFile(path, data, 0o600))
		tree, err := List(context.Background(), []string{dir}, "", l)
		check(t, err)
		seen := map[string]bool{}
		for _, e := range tree.Entries() {
			var own *Error
			if e.Err != nil && !errors.As(e.Err, &own) {
				t.Fatalf("%T: %v", e.Err, e.Err)
			}
			if e.Path != path && seen[e.Path] || !Inside(path, e.Path) || strings.ContainsAny(e.Name, "\x00\n") {
				t.Fatalf("entry %+v", e)
			}
			seen[e.Path] = true
			if file, err := tree.Open(e.Path); err == nil {
				readSome(t, file)
				check(t, file.Close())
			} else if !errors.As(err, &own) {
				t.Fatalf("%T: %v", err, err)
			}
		}
		check(t, tree.Close())
		if left, err := os.ReadDir(spools); err != nil || len(left) > 0 {
			t.Fatalf("left behind: %v %v", left, err)
		}
	})
}

// readSome reads a file in both ways, which have to agree.
func readSome(t *testing.T, f *File) {
	if f.Size() > 1<<20 { // the archive itself
		return
	}
	whole, err := f.Bytes(nil)
	parts, partsErr := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err == nil && (partsErr != nil || string(parts) != string(whole) || int64(len(whole)) != f.Size()) {
		t.Fatalf("%d bytes whole, %d in parts (%v), want %d", len(whole), len(parts), partsErr, f.Size())
	}
}
