package files

import (
	"archive/zip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// Files that programs leave beside data are skipped and counted, in folders and in every
// kind of archive; similar names are not.
func TestLitter(t *testing.T) {
	leavings := []string{
		"._IM1", "S01/._labels.nii.gz", "S01/labels.nii.gz~", "S01/.DS_Store", "S01/Thumbs.db", "S01/THUMBS.DB",
		"S01/desktop.ini",
		"S01/~$notes.docx", "S01/.~lock.table.csv#", "S01/.nfs000000012", "S01/ehthumbs.db",
	}
	inFolders := []string{"__MACOSX/S01/._IM1", "S01/@eaDir/IM1@SynoEAStream", "S01/.AppleDouble/IM1",
		".Trash-1000/files/IM1", ".Trashes/501/IM1",
		"$RECYCLE.BIN/S-1-5/IM1", "System Volume Information/tracking.log", "#recycle/IM1", "S02/#snapshot/daily/IM1",
		".git/objects/12"}
	kept := []string{"S01/IM1", "S01/_IM2", "S01/.hidden", "S01/a~b", "S01/thumbs.dbx", "S01/trash/IM3",
		"S01/macosx/IM4", "S01/._", "S01/~",
		// Folders may have names that nobody gives to a file.
		"S02~/IM1", "S03/V1~/IM1", "~$S04/IM1", "._S05/IM1", ".nfs6/IM1", ".~lock.S07#/IM1", "recycler/IM1",
		"lost+found/#12", ".snapshot/daily/S01/IM1", "desktop.ini/IM1"}
	var all []content
	for _, name := range slices.Concat(leavings, inFolders, kept) {
		all = append(all, content{name, "data"})
	}
	dir := t.TempDir()
	for _, c := range all {
		put(t, filepath.Join(dir, "folder", filepath.FromSlash(c.name)), []byte(c.data))
	}
	put(t, filepath.Join(dir, "z.zip"), zipOf(t, zip.Deflate, all...))
	put(t, filepath.Join(dir, "t.tar"), tarOf(t, all...))
	put(t, filepath.Join(dir, "t.tgz"), gzipOf(t, tarOf(t, all...)))
	want := slices.Sorted(slices.Values(kept))
	for _, root := range []string{"folder", "z.zip", "t.tar", "t.tgz"} {
		tree := list(t, Limits{}, filepath.Join(dir, root))
		var got []string
		for _, e := range tree.Entries() {
			got = append(got, e.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", root, got, want)
		}
		var folders []string
		for _, name := range inFolders {
			for dir := name; dir != "."; dir = path.Dir(dir) {
				if litter(path.Base(dir), true) {
					folders = append(folders, dir)
				}
			}
		}
		if got := slices.Sorted(slices.Values(tree.LitterFolders())); !slices.Equal(got,
			slices.Sorted(slices.Values(folders))) {
			t.Errorf("%s: folders %q, want %q", root, got, folders)
		}
		if n := len(leavings) + len(inFolders); tree.Litter() != n {
			t.Errorf("%s: %d counted as litter, want %d", root, tree.Litter(), n)
		}
	}
	// A root of any name is searched.
	if tree := list(t, Limits{}, filepath.Join(dir, "folder", "#recycle")); len(tree.Entries()) != 1 {
		t.Errorf("a root: %+v", tree.Entries())
	}
}

// A gzipped file beside its content is skipped, in folders and archives, unless it is the
// only root; incomplete contents and NIfTI masks are not.
func TestPackedBesideUnpacked(t *testing.T) {
	all := []content{{"S01/IM1.dcm", "one"}, {"S01/IM1.dcm.gz", "packed"}, {"S01/IM2", "two"}, {"S01/IM2.GZ", "packed"},
		{"S01/IM3.gz", "alone"},
		{"S01/IM4", ""}, {"S01/IM4.gz", "the other is empty"}, {"S01/labels.nii", "mask"},
		{"S01/labels.nii.gz", "mask"}, {"S02/IM3", "elsewhere"}}
	dir := t.TempDir()
	for _, c := range all {
		put(t, filepath.Join(dir, "folder", filepath.FromSlash(c.name)), []byte(c.data))
	}
	put(t, filepath.Join(dir, "z.zip"), zipOf(t, zip.Deflate, all...))
	put(t, filepath.Join(dir, "t.tgz"), gzipOf(t, tarOf(t, all...)))
	want := []string{"S01/IM1.dcm.gz", "S01/IM2.GZ"}
	for _, root := range []string{"folder", "z.zip", "t.tgz"} {
		tree := list(t, Limits{}, filepath.Join(dir, root))
		if got := tree.Packed(); !slices.Equal(got, want) || len(tree.Entries()) != len(all)-len(want) {
			t.Errorf("%s: %q and %d entries", root, got, len(tree.Entries()))
		}
	}
	one, packed := filepath.Join(dir, "folder", "S01", "IM1.dcm"), filepath.Join(dir, "folder", "S01", "IM1.dcm.gz")
	if tree := list(t, Limits{}, packed); len(tree.Entries()) != 1 {
		t.Errorf("a root: %+v", tree.Entries())
	}
	if tree := list(t, Limits{}, one, packed); len(tree.Entries()) != 1 || len(tree.Packed()) != 1 {
		t.Errorf("both are roots: %+v", tree.Entries())
	}
}

// Links out of the searched folders and dangling links are recorded; the targets of the
// former are read.
func TestLinksAreNoted(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a", "IM1"), []byte("one"))
	put(t, filepath.Join(dir, "b", "IM2"), []byte("two"))
	put(t, filepath.Join(dir, "store", "IM3"), []byte("three"))
	for link, target := range map[string]string{
		"a/within": "IM1", "a/other-root": "../b", "a/out": "../store", "a/out-file": "../store/IM3",
		"b/nowhere": filepath.Join(dir, "none"), "b/self": "self",
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skip(err)
		}
	}
	tree := list(t, Limits{}, filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	want := []Link{{"a/other-root/nowhere", LinkDangling}, {"a/out", LinkOutside}} // b is met through a first
	if !slices.Equal(tree.Links(), want) {                                         // what a link leads to is noted once
		t.Errorf("got %v, want %v", tree.Links(), want)
	}
	for _, e := range tree.Entries() {
		if e.Name == "a/other-root/nowhere" {
			wantKind(t, e.Err, ErrDangling, e.Name+": is a dangling link", dir)
		} else if e.Err != nil {
			t.Errorf("%s: %v", e.Name, e.Err)
		}
	}
}
