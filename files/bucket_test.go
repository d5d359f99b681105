package files_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	check(t, os.MkdirAll(filepath.Dir(path), 0o777))
	check(t, os.WriteFile(path, data, 0o666))
}

func packed(t testing.TB, n int) (zipped, gzipped []byte) {
	var z, g bytes.Buffer
	zw, gw := zip.NewWriter(&z), gzip.NewWriter(&g)
	tw := tar.NewWriter(gw)
	for i := range n {
		text := bytes.Repeat([]byte(fmt.Sprint("image ", i, "\n")), 1000*(i+1))
		w, err := zw.Create(fmt.Sprintf("dicom/IM%d", i))
		check(t, err)
		_, err = w.Write(text)
		check(t, err)
		check(t, tw.WriteHeader(&tar.Header{Name: fmt.Sprintf("dicom/IM%d", i), Size: int64(len(text)), Mode: 0o600}))
		_, err = tw.Write(text)
		check(t, err)
	}
	check(t, errors.Join(zw.Close(), tw.Close(), gw.Close()))
	return z.Bytes(), g.Bytes()
}

// cohort writes a folder with all that List distinguishes.
func cohort(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "studies")
	for i := range 30 {
		write(t, dir, fmt.Sprintf("S%02d/a/IM%d", i%7, i), bytes.Repeat([]byte{byte(i)}, 5000*i))
	}
	zipped, gzipped := packed(t, 4)
	write(t, dir, "S01/study.zip", zipped)
	write(t, dir, "S02.tar.gz", gzipped)
	write(t, dir, "loose", []byte("text"))
	write(t, dir, "S01/.DS_Store", nil)
	write(t, dir, "S01/@eaDir/x", nil)
	write(t, dir, "S01-b/IM1", []byte("sorts before S01/ as a key"))
	write(t, dir, "S03/a.dcm", []byte("plain"))
	write(t, dir, "S03/a.dcm.gz", gzipped)
	write(t, dir, "S04/b.dcm.gz", gzipped)
	write(t, dir, "ü ä%20+&/IM", []byte("name"))
	return dir
}

// contents returns what a tree has, and what is in its files.
func contents(t testing.TB, tree *files.Tree) (out []string) {
	for _, e := range tree.Entries() {
		text := fmt.Sprint(e.Name, " ", e.RootName, " ", e.Err)
		if f, err := tree.Open(e.Path); err == nil {
			data, err := f.Bytes(nil)
			text += fmt.Sprintf(" %d %q %v %v", f.Size(), data[:min(len(data), 20)], err, f.Unchanged())
			p := make([]byte, 100)
			n, err := f.ReadAt(p, f.Size()/2)
			text += fmt.Sprintf(" %q %v", p[:n], err)
			check(t, f.Close())
		} else {
			text += err.Error()
		}
		out = append(out, text)
	}
	out = append(out, fmt.Sprint(tree.Litter(), tree.LitterFolders(), tree.Packed(), tree.Links()))
	return append(out, fmt.Sprint(tree.Close()))
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("%s: %d entries, want %d; from the first difference:\n%s\nwant\n%s", what, len(got), len(want),
				strings.Join(got[min(i, len(got)):], "\n"), strings.Join(want[min(i, len(want)):], "\n"))
			return
		}
	}
}

// A bucket has the same entries and contents as the folder that was copied to it.
func TestBucketLikeFolder(t *testing.T) {
	dir := cohort(t)
	objecttest.Start(t)
	objecttest.Upload(t, dir, "x/studies")
	const root = "s3://trial/x/studies"
	for what, roots := range map[string][2][]string{
		"folder":  {{dir}, {root}},
		"archive": {{dir + "/S02.tar.gz"}, {root + "/S02.tar.gz"}},
		"file":    {{dir + "/loose"}, {root + "/loose"}},
		"several": {{dir + "/S01", dir + "/S01/a", dir}, {root + "/S01/", root + "/S01/a", root}},
	} {
		want, err := files.List(t.Context(), roots[0], "", files.Limits{})
		check(t, err)
		got, err := files.List(t.Context(), roots[1], "", files.Limits{})
		check(t, err)
		same(t, what, contents(t, got), contents(t, want))

		local, err := files.NewSurvey(t.Context(), roots[0], files.SurveyOptions{})
		check(t, err)
		remote, err := files.NewSurvey(t.Context(), roots[1], files.SurveyOptions{})
		check(t, err)
		if len(remote.Chunks()) != len(local.Chunks()) {
			t.Fatalf("%s: %d chunks, want %d", what, len(remote.Chunks()), len(local.Chunks()))
		}
		for n, c := range local.Chunks() {
			r := remote.Chunks()[n]
			if r.Name != c.Name || r.Files != c.Files || r.Loose != c.Loose || r.Empty != c.Empty {
				t.Errorf("%s: chunk %+v, want %+v", what, r, c)
			}
			want, err := local.List(t.Context(), n)
			check(t, err)
			got, err := remote.List(t.Context(), n)
			check(t, err)
			same(t, what+" "+c.Name, contents(t, got), contents(t, want))
		}
	}
}

// A survey asks for listings alone. The digest of a chunk changes with its objects only, also if an object is replaced
// by one of the same size within the same second.
func TestBucketSurvey(t *testing.T) {
	dir := cohort(t)
	s := objecttest.Start(t)
	objecttest.Upload(t, dir, "studies")
	survey := func() map[string]files.Chunk {
		out := map[string]files.Chunk{}
		found, err := files.NewSurvey(t.Context(), []string{"s3://trial/studies"}, files.SurveyOptions{})
		check(t, err)
		for _, c := range found.Chunks() {
			out[c.Name] = c
		}
		return out
	}
	s.Reset("")
	earlier := survey()
	c := s.Reset("studies/")
	t.Logf("%d requests for %d chunks", c.Requests, len(earlier))
	if c.Served > 0 || c.Requests > 3 {
		t.Errorf("%d requests, %d bytes of objects: %q", c.Requests, c.Served, c.Calls)
	}
	b, err := objects.Open(objecttest.Bucket)
	check(t, err)
	_, err = b.Put(t.Context(), "studies/S05/a/IM5", bytes.Repeat([]byte{99}, 5000*5), false, "")
	check(t, err)
	var changed []string
	for name, c := range survey() {
		if c.Digest != earlier[name].Digest {
			changed = append(changed, name)
		}
	}
	if !slices.Equal(changed, []string{"S05"}) {
		t.Errorf("changed: %q", changed)
	}
}

// A folder with more objects than are listed at once is listed folder by folder, and has files before, between and
// after its folders.
func TestLargeBucket(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 12,000 files")
	}
	s := objecttest.Start(t)
	for i := range 12_000 {
		write(t, s.Folder(), fmt.Sprintf("studies/S%d/v/IM%d", i%4, i), []byte("x"))
	}
	for _, name := range []string{"README", "S1-note", "manifest.csv"} {
		write(t, s.Folder(), "studies/"+name, []byte("x"))
	}
	tree, err := files.List(t.Context(), []string{"s3://trial/studies"}, "", files.Limits{})
	check(t, err)
	c := s.Reset("")
	t.Logf("%d files, %d requests", tree.Len(), c.Requests)
	if tree.Len() != 12_003 || c.Requests > 30 {
		t.Errorf("%d files, %d requests", tree.Len(), c.Requests)
	}
}

// Keys that cannot be paths, or are also folders, are reported and the other objects read. Markers of folders are not
// files.
func TestOddKeys(t *testing.T) {
	odd := []string{"s/a//b", "s/../x", "s/a/./b", "s//c", "s/b/", "s/a/IM2", "s/c.zip"}
	objecttest.Fake(t, append(odd, "s/a/IM1", "s/a/IM2/IM3", "s/c.zip/IM4", "sx", "t")...)
	tree, err := files.List(t.Context(), []string{"s3://trial/s"}, "", files.Limits{})
	check(t, err)
	var names []string
	refused := 0
	for _, e := range tree.Entries() {
		f, err := tree.Open(e.Path)
		switch {
		case e.Err != nil:
			refused++
			if !errors.Is(e.Err, files.ErrUnsupported) {
				t.Errorf("%s: %v", e.Name, e.Err)
			}
		case err != nil:
			t.Error(err)
		default:
			data, err := f.Bytes(nil)
			check(t, err)
			names = append(names, string(data))
		}
	}
	if refused != len(odd) || !slices.Equal(names, []string{"s/a/IM1", "s/a/IM2/IM3", "s/c.zip/IM4"}) {
		t.Errorf("%d refused, files %q", refused, names)
	}
}

// A bucket or folder that does not exist, and a bucket that cannot be listed, are errors of the whole search.
func TestBucketErrors(t *testing.T) {
	objecttest.Start(t)
	for root, kind := range map[string]error{"s3://absent/a": objects.ErrNoBucket,
		"s3://trial/absent": fs.ErrNotExist} {
		if _, err := files.List(t.Context(), []string{root}, "", files.Limits{}); !errors.Is(err, kind) {
			t.Errorf("%s: %v", root, err)
		}
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	_, err := files.List(t.Context(), []string{"s3://trial"}, "", files.Limits{})
	if !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if tree, err := files.List(t.Context(), []string{t.TempDir()}, "", files.Limits{}); err != nil {
		t.Error(err)
	} else if _, err := tree.Open("s3://trial/a"); !errors.Is(err, fs.ErrPermission) ||
		strings.Contains(err.Error(), "s3:") {
		t.Error(err)
	}
}
