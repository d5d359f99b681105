package files

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func survey(t *testing.T, roots ...string) *Survey {
	t.Helper()
	s, err := NewSurvey(context.Background(), roots, SurveyOptions{})
	check(t, err)
	return s
}

// byName returns the chunks that are not empty.
func byName(s *Survey) map[string]Chunk {
	out := map[string]Chunk{}
	for _, c := range s.Chunks() {
		if !c.Empty {
			out[c.Name] = c
		}
	}
	return out
}

// The digest of a chunk changes with each of its files, and with no other.
func TestSurveyDigest(t *testing.T) {
	dir := t.TempDir()
	stamp := time.Unix(1e9, 0)
	write := func(name, text string) {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), []byte(text))
		check(t, os.Chtimes(filepath.Join(dir, filepath.FromSlash(name)), stamp, stamp))
	}
	for _, name := range []string{"a/x/1", "a/x/2", "a/3.gz", "b/1", "c.zip", "loose"} {
		write(name, "text")
	}
	if err := os.Symlink(filepath.Join(dir, "b", "1"), filepath.Join(dir, "a", "link")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	path := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	earlier := byName(survey(t, dir))
	for _, c := range []struct {
		name    string
		change  func()
		changed []string
	}{
		{"nothing", func() {}, nil},
		{"another time", func() { check(t, os.Chtimes(path("a/x/2"), stamp, stamp.Add(1))) }, []string{"a"}},
		{"another size", func() { write("b/1", "longer") }, []string{"a"}}, // through the link, which is met first
		{"another name", func() { check(t, os.Rename(path("a/x/1"), path("a/x/0"))) }, []string{"a"}},
		{"another folder", func() { check(t, os.Rename(path("a/x"), path("a/y"))) }, []string{"a"}},
		{"permissions", func() { check(t, os.Chmod(path("b/1"), 0o600)) }, []string{"a"}},
		{"an archive", func() { check(t, os.Chtimes(path("c.zip"), stamp, stamp.Add(1))) }, []string{"c.zip"}},
		{"a loose file", func() { write("more", "text") }, []string{"/"}},
		{"a file that hides another", func() { write("a/3", "text") }, []string{"a"}},
		{"litter", func() { write("b/.DS_Store", "") }, []string{"b"}},
		{"a link to nothing", func() { check(t, os.Symlink(path("nowhere"), path("loose2"))) }, []string{"/"}},
		{"a new folder", func() { write("d/1", "text") }, []string{"d"}},
		{"a removed file", func() { check(t, os.Remove(path("a/3.gz"))) }, []string{"a"}},
	} {
		c.change()
		later := byName(survey(t, dir))
		var changed []string
		for name, l := range later {
			if l.Digest != earlier[name].Digest {
				changed = append(changed, name)
			}
		}
		if slices.Sort(changed); !slices.Equal(changed, c.changed) {
			t.Errorf("%s: chunks %q have other digests, want %q", c.name, changed, c.changed)
		}
		earlier = later
	}
}

// A survey opens no file: archives whose content cannot be read do not matter.
func TestSurveyOpensNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.zip"), []byte("PK\x03\x04 damaged"))
	put(t, filepath.Join(dir, "s", "b.tar.gz"), []byte("\x1f\x8b\x08 damaged"))
	s := survey(t, dir)
	for name, want := range map[string]int{"a.zip": 1, "s": 1} {
		if c := byName(s)[name]; c.Files != want {
			t.Errorf("%s has %d files, want %d", name, c.Files, want)
		}
	}
	for n, c := range s.Chunks() {
		tree, err := s.List(t.Context(), n)
		check(t, err)
		if e := tree.Entries(); c.Empty != (len(e) == 0) || len(e) == 1 && e[0].Err == nil {
			t.Errorf("chunk %s: %v", c.Name, e)
		}
	}
}

// A chunk that is no longer there is an entry with an error.
func TestSurveyOfLostChunk(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a", "1"), []byte("text"))
	s := survey(t, dir)
	check(t, os.RemoveAll(filepath.Join(dir, "a")))
	tree, err := s.List(t.Context(), 0, 1)
	check(t, err)
	if e := tree.Entries(); len(e) != 1 || e[0].Err == nil || e[0].Name != "a" {
		t.Errorf("entries %v", e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewSurvey(ctx, []string{dir}, SurveyOptions{}); err == nil {
		t.Error("the context has ended")
	}
}
