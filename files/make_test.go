package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// content is a file in an archive to be made.
type content struct {
	name string
	data string
}

// noise returns bytes that deflate cannot shorten.
func noise(n int) string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// sample has every kind of size: empty, small, longer than what is inflated ahead, and
// compressible.
var sample = []content{
	{"dicom/IM1", "first"},
	{"dicom/IM2", noise(100_000)},
	{"dicom/empty", ""},
	{"labels.nii", strings.Repeat("0", 300_000)},
}

func zipOf(t testing.TB, method uint16, entries ...content) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, c := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: c.name, Method: method})
		check(t, err)
		_, err = w.Write([]byte(c.data))
		check(t, err)
	}
	check(t, z.Close())
	return b.Bytes()
}

func tarOf(t testing.TB, entries ...content) []byte {
	t.Helper()
	var headers []tar.Header
	for _, c := range entries {
		headers = append(headers, tar.Header{Name: c.name, Size: int64(len(c.data)), Mode: 0o644,
			Typeflag: tar.TypeReg})
	}
	return tarWith(t, headers, entries)
}

// tarWith writes headers with the data of the contents of the same number.
func tarWith(t testing.TB, headers []tar.Header, entries []content) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, h := range headers {
		check(t, w.WriteHeader(&h))
		if i < len(entries) {
			_, err := w.Write([]byte(entries[i].data))
			check(t, err)
		}
	}
	check(t, w.Close())
	return b.Bytes()
}

func gzipOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(data)
	check(t, err)
	check(t, z.Close())
	return b.Bytes()
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file and the folders above it.
func put(t testing.TB, path string, data []byte) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, data, 0o644))
}

// list lists roots and checks at the end of the test that nothing is left.
func list(t testing.TB, l Limits, roots ...string) *Tree {
	t.Helper()
	tree, err := List(context.Background(), roots, "", l)
	check(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// leavesNothing makes the test fail if temporary files are left after it.
func leavesNothing(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

// names returns the entries as lines: the name, or the error.
func names(tree *Tree) []string {
	var out []string
	for _, e := range tree.Entries() {
		if e.Err != nil {
			out = append(out, "error "+e.Err.Error())
		} else {
			out = append(out, e.Name)
		}
	}
	return out
}

func wantNames(t *testing.T, tree *Tree, want ...string) {
	t.Helper()
	if got := names(tree); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// wantContents opens every entry twice, reads it in both ways, and compares.
func wantContents(t *testing.T, tree *Tree, want []content) {
	t.Helper()
	data := map[string]string{}
	for _, c := range want {
		data[c.name] = c.data
	}
	for _, e := range tree.Entries() {
		want, known := data[e.Name]
		if e.Err != nil || !known {
			t.Errorf("%s: unexpected: %v", e.Name, e.Err)
			continue
		}
		if err := same(tree, e.Path, want); err != nil {
			t.Error(err)
		}
		delete(data, e.Name)
	}
	if len(data) > 0 {
		t.Errorf("%d files are missing", len(data))
	}
}

// same opens the file and reads it in every way.
func same(tree *Tree, path, want string) error {
	f, err := tree.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Size() != int64(len(want)) {
		return fmt.Errorf("%s: %d bytes, want %d", path, f.Size(), len(want))
	}
	if len(want) > 40 { // first a part from the middle
		p := make([]byte, 20)
		n, err := f.ReadAt(p, int64(len(want)/2))
		if err != nil || string(p[:n]) != want[len(want)/2:][:20] {
			return fmt.Errorf("%s: part of %d bytes differs: %v", path, n, err)
		}
	}
	all := make([]byte, len(want)+1)
	if n, err := f.ReadAt(all, 0); string(all[:n]) != want || err == nil {
		return fmt.Errorf("%s: %d bytes, want %d and EOF: %v", path, n, len(want), err)
	}
	got, err := f.Bytes(make([]byte, 3))
	if err != nil || string(got) != want {
		return fmt.Errorf("%s: %d bytes, want %d: %w", path, len(got), len(want), err)
	}
	return nil
}

// wantKind checks that the error is an *Error of the kind whose text contains the words,
// and not the folder of the test.
func wantKind(t *testing.T, err, kind error, words, folder string) {
	t.Helper()
	var e *Error
	switch {
	case !errors.As(err, &e) || !errors.Is(err, kind):
		t.Errorf("got %v (%T), want an error of kind %v", err, err, kind)
	case !strings.Contains(err.Error(), words):
		t.Errorf("got %q, want it to hold %q", err, words)
	case folder != "" && strings.Contains(err.Error(), folder):
		t.Errorf("%q tells the site's folder", err)
	}
}
