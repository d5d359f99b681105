package files

import (
	"archive/zip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// A single gzipped file is opened uncompressed, in a folder and in archives; NIfTI files,
// tars with another name and files that are not gzipped are opened unchanged.
func TestGunzipped(t *testing.T) {
	leavesNothing(t)
	plain := noise(400_000)
	zipped := string(gzipOf(t, []byte(plain)))
	member := func(data string) string { return string(gzipOf(t, []byte(data))) }
	far := member(plain[:1<<18]) + member(plain[1<<18:]) // its second member begins where a buffer may end
	files := []content{{"IM1.dcm.gz", zipped}, {"IM2.GZ", zipped}, {"labels.nii.gz", zipped}, {"no.gz", plain},
		{"short.gz", "\x1f\x8b\x08"}, {"empty.gz", ""}, {"nothing.gz", member("")},
		{"two.gz", member(plain[:500]) + member(plain[500:])}, {"bgzf.gz", zipped + member("")},
		{"last.gz", member(plain[:399_999]) + member(plain[399_999:])},
		{"far.gz", far}, {"IM3.DCM", zipped}, {"IM4.dcm", plain}, {"IM5", zipped}}
	want := map[string]string{"IM1.dcm.gz": plain, "IM2.GZ": plain, "labels.nii.gz": zipped, "no.gz": plain,
		"short.gz": "\x1f\x8b\x08", "empty.gz": "", "nothing.gz": "",
		"two.gz": plain, "bgzf.gz": plain, "last.gz": plain, "far.gz": plain, "IM3.DCM": plain, "IM4.dcm": plain,
		"IM5": zipped}
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

// A fault of a gzipped file is an error that names it; a wrong size costs nothing.
func TestGunzippedDamage(t *testing.T) {
	dir := t.TempDir()
	sound := gzipOf(t, []byte(noise(50_000)))
	change := func(offset int, value byte) []byte {
		b := append([]byte(nil), sound...)
		b[len(b)-offset] = value
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		kind error
		want string
	}{
		{"cut.gz", sound[:len(sound)/2], ErrInvalid, "cut.gz: is truncated"},
		{"cut-in-head.gz", sound[:25], ErrInvalid, "cut-in-head.gz: is truncated"},
		{"cut-in-second.gz", slices.Concat(sound, sound[:len(sound)/2]), ErrInvalid, "cut-in-second.gz: is truncated"},
		{"cut-in-trailer.gz", sound[:len(sound)-2], ErrInvalid, "cut-in-trailer.gz: is truncated"},
		{"checksum.gz", change(8, sound[len(sound)-8]+1), ErrInvalid, "checksum.gz: is damaged"},
		{"longer.gz", change(4, sound[len(sound)-4]-1), ErrInvalid, "longer.gz: is damaged"},
		{"shorter.gz", change(4, sound[len(sound)-4]+1), ErrInvalid, "shorter.gz: is damaged"},
		{"huge.gz", change(1, 0xF0), ErrInvalid, "huge.gz: is damaged"},
		{"padded.gz", slices.Concat(sound, make([]byte, 512)), ErrInvalid, "padded.gz: is damaged"},
		{"bomb.gz", slices.Concat(gzipOf(t, make([]byte, freeBytes+1<<20)), gzipOf(t, nil)), ErrLimit,
			"bomb.gz: holds more than 800 times its own size"},
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
		if hint.Find(err) == "" || (strings.Contains(err.Error(), "archive") ||
			strings.Contains(hint.Find(err), "archive")) {
			t.Errorf("%s: %v, hint %q", c.name, err, hint.Find(err))
		}
	}
}
