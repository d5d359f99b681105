package files

import (
	"archive/zip"
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

func BenchmarkListFolders(b *testing.B) {
	dir := b.TempDir()
	for i := range 10_000 {
		put(b, filepath.Join(dir, fmt.Sprint(i/500), fmt.Sprintf("IM_%05d", i)), nil)
	}
	for b.Loop() {
		tree, err := List(context.Background(), []string{dir}, "", Limits{})
		check(b, err)
		if len(tree.entries) != 10_000 {
			b.Fatal(len(tree.entries))
		}
	}
}

func BenchmarkRead(b *testing.B) {
	image := content{data: noise(150_000)}
	image.data += image.data
	var study []content
	for i := range 100 {
		study = append(study, content{fmt.Sprintf("IM_%05d", i), image.data})
	}
	dir := b.TempDir()
	put(b, filepath.Join(dir, "deflated.zip"), zipOf(b, zip.Deflate, study...))
	put(b, filepath.Join(dir, "stored.zip"), zipOf(b, zip.Store, study...))
	put(b, filepath.Join(dir, "gzipped.tgz"), gzipOf(b, tarOf(b, study...)))
	for _, c := range study {
		put(b, filepath.Join(dir, "folder", c.name), []byte(c.data))
	}
	for _, root := range []string{"folder", "stored.zip", "deflated.zip", "gzipped.tgz"} {
		b.Run(root, func(b *testing.B) {
			var buf []byte
			b.SetBytes(100 * 300_000)
			for b.Loop() {
				tree, err := List(context.Background(), []string{filepath.Join(dir, root)}, "", Limits{})
				check(b, err)
				for _, e := range tree.entries {
					f, err := tree.Open(e.Path)
					check(b, err)
					buf, err = f.Bytes(buf)
					check(b, err)
					f.Close()
				}
				tree.Close()
			}
		})
	}
}
