package dicomio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
)

// Masks move to the chunks of their studies in a bucket as in a folder.
func TestMaskChunksInBucket(t *testing.T) {
	objecttest.Start(t)
	for n, c := range maskLayouts {
		t.Run(c.name, func(t *testing.T) {
			l := layout{t, t.TempDir()}
			if c.make(l); holdsLink(t, l.dir) {
				t.Skip("buckets have no links")
			}
			prefix := fmt.Sprint("cohort", n)
			objecttest.Upload(t, l.dir, prefix)
			var roots []string
			for _, below := range c.roots {
				roots = append(roots, "s3://trial/"+prefix+"/"+below)
			}
			if roots == nil {
				roots = []string{"s3://trial/" + prefix}
			}
			whole, err := Find(t.Context(), roots, FindOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, most := range []int{1, 5, c.most} {
				parts := sameInChunks(t, whole, roots, FindOptions{ChunkFiles: most})
				if most == c.most && !slices.Equal(parts, c.parts) {
					t.Errorf("chunks %q, want %q", parts, c.parts)
				}
			}
		})
	}
}

func holdsLink(t *testing.T, dir string) (found bool) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		found = found || err == nil && e.Type()&os.ModeSymlink != 0
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// A mask that is replaced by one of the same size and time changes the chunk of its study and no other study's.
func TestReplacedMaskInBucket(t *testing.T) {
	s := objecttest.Start(t)
	l := layout{t, t.TempDir()}
	for n := range 3 {
		l.put(fmt.Sprint("K", n), fmt.Sprint(71+n), nil)
		l.object("masks", fmt.Sprint(71+n), seg, "SEG")
	}
	objecttest.Upload(t, l.dir, "studies")
	const mask = "studies/masks/IM_0000_72"
	inServer := filepath.Join(s.Folder(), filepath.FromSlash(mask))
	data, err := os.ReadFile(inServer)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(inServer)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]Facts{}
	settle := func() (seen []string) {
		s, err := NewSearch(t.Context(), []string{"s3://trial/studies"}, FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		recall := func(c *Chunk) (Facts, bool) { f, ok := stored[c.Digest]; return f, ok }
		if err := s.Settle(t.Context(), recall, func(f Finding, facts Facts) error {
			seen = append(seen, strings.Join(f.Chunk.Parts, " "))
			stored[f.Chunk.Digest] = facts
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	if got, want := settle(), []string{"K0", "K1", "K2", "masks", "K0", "K1", "K2", "masks"}; !slices.Equal(got, want) {
		t.Errorf("chunks %q were read, want %q", got, want)
	}
	if got := settle(); got != nil {
		t.Errorf("chunks %q were read again", got)
	}
	b, err := objects.Open(objecttest.Bucket)
	if err == nil {
		data[len(data)-1] ^= 1
		_, err = b.Put(t.Context(), mask, data, false, "")
	}
	if err == nil {
		err = os.Chtimes(inServer, info.ModTime(), info.ModTime())
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, want := settle(), []string{"masks", "K1", "masks"}; !slices.Equal(got, want) {
		t.Errorf("chunks %q were read, want %q", got, want)
	}
}
