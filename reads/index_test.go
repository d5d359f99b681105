package reads

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wantIndex fails unless the index of all readers, and that of one of them, say what the store does.
func wantIndex(t *testing.T, s *Store) {
	t.Helper()
	all, err := s.Index()
	if err != nil {
		t.Fatal(err)
	}
	keys := []Key{knee, {knee.Series, knee.Study, 0}}
	for _, reader := range []string{"R1", "R2", "A1", "none"} {
		one, err := s.Index(reader)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			want, wantErr := s.State(reader, k)
			for _, x := range []*Index{all, one} {
				if got, err := x.State(reader, k); got != want && wantErr == nil || fmt.Sprint(err) != fmt.Sprint(wantErr) {
					t.Errorf("%s, %s: %q, %v, want %q, %v", reader, k, got, err, want, wantErr)
				}
			}
		}
	}
	for _, k := range keys {
		want, wantAsked, wantErr := s.Decisions(k)
		got, asked, err := all.Decisions(k)
		if diff := cmp.Diff(want, got); diff != "" || asked != wantAsked || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%v, %v: %s", asked, err, diff)
		}
	}
}

// age gives all folders of studies a time long before now, and counts them.
func age(t testing.TB, s *Store) (n int) {
	t.Helper()
	dirs, err := filepath.Glob(s.path(Folder, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		old := time.Now().Add(-time.Hour - time.Duration(len(dirs)-n)*time.Second)
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// After each step, also of another program, an index says what the files do.
func TestIndex(t *testing.T) {
	s := store(t)
	other, err := Open(s.results) // another program
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	check := func() {
		t.Helper()
		wantIndex(t, s)
		wantIndex(t, s)
		age(t, s)
		wantIndex(t, s)
		wantIndex(t, s)
	}
	check()
	sign(t, s, draw(t, s, "R1", 1), signature())
	check()
	d := draw(t, other, "R2", 2)
	check()
	sign(t, other, d, Read{State: Query, Text: "Which knee?"})
	check()
	again := signature()
	again.Change = "answered"
	sign(t, other, draw(t, other, "R2", 3), again)
	check()
	one, _, err := s.Decisions(knee)
	if err != nil || len(one) != 2 || one[0].Reader != "R1" || one[1].Revision != 2 {
		t.Fatalf("%+v, %v", one, err)
	}
	decided := signature()
	decided.Adjudicates, decided.Reason = []string{one[0].Sum, one[1].Sum}, "closer to the bone"
	sign(t, other, draw(t, other, "A1", 3), decided)
	check()
	if err := draw(t, s, "R1", 9).Close(); err != nil {
		t.Fatal(err)
	}
	check()
	if err := os.Remove(s.path(Folder, "R1", knee.String(), draftFile)); err != nil {
		t.Fatal(err)
	}
	check()
	if err := os.RemoveAll(s.path(Folder, "R1", knee.String(), "1")); err != nil {
		t.Fatal(err)
	}
	check()
	if err := os.Mkdir(s.path(Folder, "R1", knee.String(), "2"), 0o777); err != nil { // without the first, and without files
		t.Fatal(err)
	}
	x, err := s.Index()
	if err != nil || !slices.Equal(x.Readers(), []string{"A1", "R1", "R2"}) {
		t.Errorf("%v, %v", x.Readers(), err)
	}
	check()
	if _, err := x.State("R1", knee); err == nil {
		t.Error("a revision is missing")
	}
	if err := os.RemoveAll(s.path(Folder, "R1")); err != nil {
		t.Fatal(err)
	}
	check()
	if _, err := s.Index("../R1"); err == nil {
		t.Error("the code of a reader leads out of the folder")
	}
}

// Which folders are read again: those that have changed, or whose time is so late that a change may not show.
func TestIndexReadsWhatHasChanged(t *testing.T) {
	s := store(t)
	sign(t, s, draw(t, s, "R1", 1), signature())
	path := s.path(Folder, "R1", knee.String(), "1", readFile)
	state := func() State {
		t.Helper()
		x, err := s.Index("R1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.State("R1", knee)
		if err != nil {
			return "error"
		}
		return got
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []struct {
		damaged, aged bool
		state         State
	}{{false, false, Signed}, {true, false, "error"}, {true, true, "error"}, {false, false, Signed}, {true, false, Signed}} {
		// A file in a folder of a revision does not change the time of the study's folder.
		if write(string(text)); want.damaged {
			write("{")
		}
		if want.aged {
			age(t, s)
		}
		if got := state(); got != want.state {
			t.Errorf("%+v: %s", want, got)
		}
	}
	write("{")
	if _, err := s.State("R1", knee); err == nil {
		t.Error("the store does not read the file")
	}
}

// fill writes the read.json of that many studies for two readers, without masks.
func fill(b *testing.B, s *Store, studies int) {
	b.Helper()
	for _, reader := range []string{"R1", "R2"} {
		for n := range studies {
			k := Key{Study: fmt.Sprintf("%012x", n), Series: fmt.Sprintf("%012x", n+studies)}
			r := Read{Key: k, Reader: reader, Revision: 1, State: Signed, Time: time.Unix(1e9, 0).UTC(), Name: "R. Ader",
				Meaning: "I have drawn this mask", Drawing: "D" + strconv.Itoa(n), From: json.RawMessage(`{"start":"mask"}`),
				Result: scheme.SHA256, Scheme: scheme.Name, Labels: scheme.SHA256, Mask: scheme.SHA256, Strokes: scheme.SHA256}
			text, err := json.MarshalIndent(r, "", "  ")
			dir := s.path(r.folder())
			if err = errors.Join(err, os.MkdirAll(dir, 0o777)); err == nil {
				err = os.WriteFile(filepath.Join(dir, readFile), text, 0o666)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// A list of 10,000 studies: what two readers and an adjudicator ask for.
func BenchmarkIndex(b *testing.B) {
	const studies = 10000
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	fill(b, s, studies)
	if n := age(b, s); n != 2*studies {
		b.Fatal(n)
	}
	list := func(readers ...string) {
		x, err := s.Index(readers...)
		if err != nil {
			b.Fatal(err)
		}
		for n := range studies {
			k := Key{Study: fmt.Sprintf("%012x", n), Series: fmt.Sprintf("%012x", n+studies)}
			if state, err := x.State("R1", k); err != nil || state != Signed {
				b.Fatal(state, err)
			}
			if all, _, err := x.Decisions(k); err != nil || len(all) != len(x.Readers()) {
				b.Fatal(all, err)
			}
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			s.index.entries = nil
			list()
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			list()
		}
	})
	b.Run("one reader", func(b *testing.B) {
		for b.Loop() {
			list("R1")
		}
	})
}
