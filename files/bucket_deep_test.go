package files_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
)

// deep writes a tree of sites, subjects and visits, with loose files, archives and wrapping folders at several depths.
func deep(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "studies")
	zipped, gzipped := packed(t, 2)
	for site := range 3 {
		for subject := range site + 1 {
			for visit := range 2 {
				for n := range subject + 2 {
					name := fmt.Sprintf("site%d/K%d/V%d/dicom/IM%d", site, subject, visit, n)
					write(t, dir, name, []byte(fmt.Sprint(n)))
				}
			}
			write(t, dir, fmt.Sprintf("site%d/K%d/note", site, subject), []byte("loose"))
		}
		write(t, dir, fmt.Sprintf("site%d-b/IM", site), []byte("sorts before its neighbour as a key"))
	}
	write(t, dir, "site1/K0.zip", zipped)
	write(t, dir, "site2/K1/V0/more.tar.gz", gzipped)
	write(t, dir, "wrap/per/a/IM1", []byte("1"))
	write(t, dir, "wrap/per/b/IM2", []byte("2"))
	write(t, dir, "wrap/per/b/IM3.dcm.gz", gzipped)
	write(t, dir, "wrap/per/b/IM3.dcm", []byte("3"))
	write(t, dir, "wrap/per/b/.DS_Store", []byte("litter"))
	write(t, dir, "wrap/per/@eaDir/x", []byte("litter"))
	write(t, dir, "loose", []byte("text"))
	return dir
}

// A bucket is divided into the chunks of the folder that was copied to it, at every depth. Each chunk, and several
// together, list the same files.
func TestDeepBucket(t *testing.T) {
	dir := deep(t)
	objecttest.Start(t)
	objecttest.Upload(t, dir, "x/studies")
	const root = "s3://trial/x/studies"
	for what, roots := range map[string][2][]string{
		"folder":  {{dir}, {root}},
		"several": {{dir + "/site2/K1", dir, dir + "/wrap"}, {root + "/site2/K1", root, root + "/wrap"}},
	} {
		want, err := files.List(t.Context(), roots[0], "", files.Limits{})
		check(t, err)
		got, err := files.List(t.Context(), roots[1], "", files.Limits{})
		check(t, err)
		same(t, what, contents(t, got), contents(t, want))
		counts := map[int]int{}
		for _, most := range []int{1, 2, 5, 0} {
			o := files.SurveyOptions{ChunkFiles: most}
			local, err := files.NewSurvey(t.Context(), roots[0], o)
			check(t, err)
			remote, err := files.NewSurvey(t.Context(), roots[1], o)
			check(t, err)
			sameChunks(t, fmt.Sprintf("%s, at most %d files", what, most), local, remote)
			counts[most] = len(local.Chunks())
		}
		if counts[1] <= counts[5] || counts[5] <= counts[0] {
			t.Errorf("%s: numbers of chunks %v: the tree is not deep enough", what, counts)
		}
	}
}

// sameChunks compares the chunks of a folder and of a bucket, without their digests.
func sameChunks(t *testing.T, what string, local, remote *files.Survey) {
	t.Helper()
	shape := func(s *files.Survey) (out []string) {
		for _, c := range s.Chunks() {
			below := files.Below(s.Roots()[c.Root], c.Path)
			out = append(out, fmt.Sprint(c.Root, c.Name, c.Parent, c.Loose, c.Files, c.Empty, " ", below))
		}
		return append(out, fmt.Sprint(s.Enclosing()))
	}
	same(t, what, shape(remote), shape(local))
	if t.Failed() {
		return
	}
	var odd []int
	for n := range local.Chunks() {
		sameList(t, fmt.Sprintf("%s, chunk %d", what, n), local, remote, n)
		if n%2 == 1 {
			odd = append(odd, n)
		}
	}
	sameList(t, what+", every second chunk", local, remote, odd...)
}

func sameList(t *testing.T, what string, local, remote *files.Survey, chunks ...int) {
	t.Helper()
	want, err := local.List(t.Context(), chunks...)
	check(t, err)
	got, err := remote.List(t.Context(), chunks...)
	check(t, err)
	same(t, what, contents(t, got), contents(t, want))
}

// Files of another chunk are exchanged in a bucket as in a folder, and their stamps tell versions apart that have the
// same size and time.
func TestExchangeInBucket(t *testing.T) {
	dir := deep(t)
	server := objecttest.Start(t)
	objecttest.Upload(t, dir, "studies")
	names := func(root string) (out []string) {
		found, err := files.NewSurvey(t.Context(), []string{root}, files.SurveyOptions{ChunkFiles: 5})
		check(t, err)
		n := slices.IndexFunc(found.Chunks(), func(c files.Chunk) bool { return c.Name == "site2/K0" })
		tree, err := found.List(t.Context(), n)
		check(t, err)
		tree.Exchange([]files.Spot{{Below: "site2/K0/V1/dicom/IM0"}},
			[]files.Spot{{Below: "wrap/per/a/IM1"}, {Below: "loose"}})
		return contents(t, tree)
	}
	want := names(dir)
	same(t, "exchange", names("s3://trial/studies"), want)
	if len(want) < 4 {
		t.Errorf("%q", want)
	}

	stamp := func() string {
		check(t, os.Chtimes(filepath.Join(server.Folder(), "studies", "loose"), time.Time{}, time.Unix(1e9, 0)))
		tree, err := files.List(t.Context(), []string{"s3://trial/studies"}, "", files.Limits{})
		check(t, err)
		return tree.Stamp(files.Absolute("s3://trial/studies/loose"))
	}
	earlier := stamp()
	if earlier == "" || earlier != stamp() {
		t.Errorf("stamps %q and %q of one version", earlier, stamp())
	}
	b, err := objects.Open(objecttest.Bucket)
	check(t, err)
	_, err = b.Put(t.Context(), "studies/loose", []byte("tEXT"), false, "")
	check(t, err)
	if later := stamp(); later == earlier || later == "" {
		t.Errorf("stamps %q and %q of two versions", earlier, later)
	}
}
