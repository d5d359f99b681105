package mirror_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/objects/mirror"
)

// recordOf returns the record that the next run would begin with.
func recordOf(t *testing.T) string {
	t.Helper()
	m := mustOpen(t, mirror.Settings{ReadOnly: true})
	data, err := os.ReadFile(filepath.Join(m.Dir, "audit.jsonl"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	check(t, m.Close())
	return string(data)
}

// When a study is stored, the record in the bucket has all lines that were written before, also if the run is killed
// afterwards. At its end the record is one object again.
func TestRecordOfKilledRun(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	all := []string{"started\n", "S1\n", "S2\n", strings.Repeat("long", 1<<17) + "\n", "S4\n", "ended\n"}
	record := ""
	for n, line := range all[:5] {
		record += line
		half := all[n+1][:2] // another study's line is being written
		write(t, m, "audit.jsonl", record+half)
		check(t, m.Stored(study(t, m, fmt.Sprintf("S%d/M0", n), "text"), ""))
		if got := recordOf(t); got != record && got != record+half {
			t.Errorf("%d bytes, want %d: …%q", len(got), len(record), got[max(0, len(got)-20):])
		}
	}
	write(t, m, "audit.jsonl", strings.Join(all, ""))
	check(t, m.Close())
	got := stored(t)
	if _, left := got[".t2map/audit.tail-0"]; left || got["audit.jsonl"] != strings.Join(all, "") {
		t.Errorf("a tail is left (%v), or the record has %d bytes", left, len(got["audit.jsonl"]))
	}
}

// Several tails are added in their order, and full ones are not stored again: the bytes that are stored grow with the
// record, not with its square.
func TestManyTails(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	record := ""
	for n := range 12 {
		record += strings.Repeat("x", 40_000) + "\n"
		write(t, m, "audit.jsonl", record)
		check(t, m.Stored(study(t, m, fmt.Sprintf("S%d/M0", n), "text"), ""))
	}
	if got := recordOf(t); got != record {
		t.Errorf("%d bytes, want %d", len(got), len(record))
	}
	tails := 0
	for name := range stored(t) {
		if strings.HasPrefix(name, ".t2map/audit.tail-") {
			tails++
		}
	}
	if tails != 6 { // of two lines each
		t.Errorf("%d tails", tails)
	}
	check(t, m.Close())
	for name := range stored(t) {
		if strings.HasPrefix(name, ".t2map/audit.tail-") {
			t.Error("left: ", name)
		}
	}
}

// Lines that the record has are not added again, and a tail that does not continue it is not added.
func TestTail(t *testing.T) {
	objecttest.Start(t)
	b, err := objects.Open(place.Bucket)
	check(t, err)
	for _, c := range []struct{ record, tail, want string }{
		{"", "0\n1\n2\n", "1\n2\n"},
		{"1\n", "2\n2\n", "1\n2\n"},
		{"1\n2\n", "2\n2\n3\n", "1\n2\n3\n"},
		{"1\n2\n3\n", "2\n2\n", "1\n2\n3\n"},
		{"1\nother\n", "2\n2\n3\n", "1\nother\n"},
		{"1\n", "4\n3\n", "1\n"},
		{"1\n", "-2\n3\n", "1\n"},
		{"1\n", "not a tail", "1\n"},
		{"1\n", "", "1\n"},
	} {
		_, err := b.Put(t.Context(), place.Key("audit.jsonl"), []byte(c.record), false, "")
		check(t, err)
		_, err = b.Put(t.Context(), place.Key(".t2map/audit.tail-0"), []byte(c.tail), false, "")
		check(t, err)
		if got := recordOf(t); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.record, c.tail, got, c.want)
		}
	}
}
