package files

import (
	"archive/zip"
	"path/filepath"
	"testing"
)

// A single file in gzip opens as what is in it, in a folder and in archives; NIfTI, tars of
// another name and what is not gzip open as they are.
func TestGunzipped(t *testing.T) {
	leavesNothing(t)
	plain := noise(100_000)
	zipped := string(gzipOf(t, []byte(plain)))
	files := []content{{"IM1.dcm.gz", zipped}, {"IM2.GZ", zipped}, {"labels.nii.gz", zipped}, {"no.gz", plain}, {"short.gz", "\x1f\x8b\x08"}, {"empty.gz", ""}, {"nothing.gz", string(gzipOf(t, nil))}}
	want := map[string]string{"IM1.dcm.gz": plain, "IM2.GZ": plain, "labels.nii.gz": zipped, "no.gz": plain, "short.gz": "\x1f\x8b\x08", "empty.gz": "", "nothing.gz": ""}
	dir := t.TempDir()
	for _, c := range files {
		put(t, filepath.Join(dir, "d", c.name), []byte(c.data))
	}
	put(t, filepath.Join(dir, "z.zip"), zipOf(t, zip.Deflate, files...))
	put(t, filepath.Join(dir, "t.tgz"), gzipOf(t, tarOf(t, files...)))
	tree := list(t, Limits{MemoryBytes: 1 << 14}, dir) // so that the files go through a spool
	for _, folder := range []string{"d", "z.zip", "t.tgz"} {
		for name, data := range want {
			if err := same(tree, filepath.Join(dir, folder, name), data); err != nil {
				t.Errorf("%s/%s: %v", folder, name, err)
			}
		}
	}
	check(t, tree.Close())
}

// What is wrong with a file in gzip is an error that names it; a size that is a lie costs
// nothing.
func TestGunzippedDamage(t *testing.T) {
	dir := t.TempDir()
	sound := gzipOf(t, []byte(noise(50_000)))
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), sound...)
		b[len(b)-at] = to
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		kind error
		want string
	}{
		{"cut.gz", sound[:len(sound)/2], ErrInvalid, "cut.gz: "},
		{"checksum.gz", change(8, sound[len(sound)-8]+1), ErrInvalid, "checksum.gz: "},
		{"longer.gz", change(4, sound[len(sound)-4]-1), ErrInvalid, "longer.gz: "},
		{"shorter.gz", change(4, sound[len(sound)-4]+1), ErrInvalid, "shorter.gz: "},
		{"huge.gz", change(1, 0xF0), ErrInvalid, "huge.gz: says that it holds more than deflate can put into it"},
	} {
		path := filepath.Join(dir, c.name)
		put(t, path, c.data)
		tree := list(t, Limits{}, dir)
		f, err := tree.Open(path)
		if err == nil {
			_, err = f.Bytes(nil)
			f.Close()
		}
		wantKind(t, err, c.kind, c.want, dir)
		if Hint(err) == "" {
			t.Errorf("%s: no hint", c.name)
		}
	}
}
