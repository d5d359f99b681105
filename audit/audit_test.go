package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// record writes a record of n events in sittings of two, and returns its folder and its bytes.
func record(t *testing.T, n int) (string, []byte) {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < n; i += 2 {
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for k := i; k < min(i+2, n); k++ {
			e := Event{Kind: StudyDone, Study: strings.Repeat("a", 12), Subject: "S0" + string(rune('1'+k)),
				Reason: strings.Repeat("long ", 2000*k)}
			if err := l.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	return dir, data
}

// check reads a record.
func check(dir string) (events []Event, faults []Fault, err error) {
	lines, faults, err := Read(dir, func(e Event) { events = append(events, e) })
	if lines < len(events) {
		return nil, nil, fmt.Errorf("%d lines, %d events", lines, len(events))
	}
	return events, faults, err
}

func TestRecord(t *testing.T) {
	dir, data := record(t, 5)
	events, faults, err := check(dir)
	if err != nil || len(faults) > 0 || len(events) != 5 || bytes.Count(data, []byte("\n")) != 5 {
		t.Fatalf("%d events, faults %v, %v", len(events), faults, err)
	}
	for n, e := range events {
		if e.Subject != "S0"+string(rune('1'+n)) || e.Time.Location() != time.UTC || time.Since(e.Time) > time.Minute {
			t.Errorf("%+v", e)
		}
	}
	if events, faults, err := check(t.TempDir()); events != nil || faults != nil || err != nil {
		t.Errorf("no record: %v %v %v", events, faults, err)
	}
}

// A changed, removed, inserted or exchanged line is found.
func TestChangedRecords(t *testing.T) {
	_, data := record(t, 4)
	lines := bytes.SplitAfter(data, []byte("\n"))[:4]
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	for name, c := range map[string]struct {
		data []byte
		line int // of the first fault
	}{
		"changed":       {bytes.Replace(data, []byte(`"S02"`), []byte(`"S92"`), 1), 3},
		"removed":       {join(lines[0], lines[2], lines[3]), 2},
		"first removed": {join(lines[1:]...), 1},
		"inserted":      {join(lines[0], lines[0], lines[1], lines[2], lines[3]), 2},
		"exchanged":     {join(lines[1], lines[0], lines[2], lines[3]), 1},
		"not JSON":      {join(lines[0], []byte("x\n"), lines[1]), 2},
		"two not JSON":  {join(lines[0], []byte("x\n"), []byte("y\n")), 2},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, File), c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, faults, err := check(dir); err != nil || len(faults) == 0 || faults[0].Line != c.line {
			t.Errorf("%s: faults %+v, %v, want line %d", name, faults, err, c.line)
		}
	}
}

// Changed and removed lines at the end are found after the end of a run; a record that goes on has no fault.
func TestChangedEnds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(data []byte) []byte
		fault  bool
	}{
		"unchanged":     {func(data []byte) []byte { return data }, false},
		"changed":       {func(data []byte) []byte { return bytes.Replace(data, []byte("all done"), []byte("all gone"), 1) }, true},
		"removed":       {func(data []byte) []byte { return data[:bytes.LastIndex(data[:len(data)-1], []byte("\n"))+1] }, true},
		"all removed":   {func([]byte) []byte { return nil }, true},
		"another begun": {func(data []byte) []byte { return append(data, []byte("{")...) }, true}, // not complete
	} {
		dir, _ := record(t, 3)
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Append(Event{Kind: RunEnded, Reason: "all done"}), l.Close()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, File)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.change(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, faults, err := check(dir); err != nil || (len(faults) > 0) != c.fault || len(faults) > 1 {
			t.Errorf("%s: faults %+v, %v", name, faults, err)
		}
		if name != "unchanged" {
			continue
		}
		if l, err = Open(dir); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Append(Event{Kind: RunStarted}), l.Close()); err != nil {
			t.Fatal(err)
		}
		if _, faults, err := check(dir); err != nil || len(faults) > 0 {
			t.Errorf("the next run: faults %+v, %v", faults, err)
		}
	}
}

// The last event is not lost unnoticed if it is a read, or if it blinds or unblinds reads.
func TestRemovedEnds(t *testing.T) {
	for _, kind := range []Kind{StudyRead, ReadsBlinded, ReadsUnblinded} {
		dir, before := record(t, 2)
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Append(Event{Kind: kind}), l.Close(), os.WriteFile(filepath.Join(dir, File), before, 0o644)); err != nil {
			t.Fatal(err)
		}
		if _, faults, err := check(dir); err != nil || len(faults) != 1 {
			t.Errorf("%s: faults %+v, %v", kind, faults, err)
		}
	}
}

// A line whose writer was killed stays, and the record continues after it. It is not a fault then.
func TestTornLine(t *testing.T) {
	for cut := 1; cut < 40; cut += 13 {
		dir, data := record(t, 3)
		torn := data[:len(data)-cut]
		path := filepath.Join(dir, File)
		if err := os.WriteFile(path, torn, 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append(Event{Kind: RunStarted}); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(after, torn) {
			t.Errorf("cut %d: the record does not only grow: %v", cut, err)
		}
		events, faults, err := check(dir)
		lost := 1 // the torn line; a cut of one byte removes only the end of line
		if cut == 1 {
			lost = 0
		}
		if err != nil || len(faults) != 0 || len(events) != 4-lost || events[len(events)-1].Kind != RunStarted {
			t.Errorf("cut %d: %d events, faults %+v, %v", cut, len(events), faults, err)
		}
	}
}

// A record that is a link is refused: it may lead to a file of another user.
func TestLinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(target, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, File)); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("accepted")
	}
}

// Several processes may write one record: the chain has no fault.
func TestWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	const writers, events = 4, 25
	var g errgroup.Group
	for range writers {
		g.Go(func() error {
			l, err := Open(dir)
			if err != nil {
				return err
			}
			defer l.Close()
			for range events {
				if err := l.Append(Event{Kind: StudyDone}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	all, faults, err := check(dir)
	if err != nil || len(all) != writers*events || len(faults) != 0 {
		t.Errorf("%d events, faults %v, %v", len(all), faults, err)
	}
}

// Runs that end at the same time, as shards do, note the end of the record in its order: whatever line is last, its
// removal is found.
func TestEndsAtOnce(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		var all sync.WaitGroup
		for range 4 {
			l, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				for range 3 {
					if err := l.Append(Event{Kind: RunEnded, Reason: "2 mapped"}); err != nil {
						t.Error(err)
					}
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		path := filepath.Join(dir, File)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(bytes.LastIndexByte(text[:len(text)-1], '\n')+1)); err != nil {
			t.Fatal(err)
		}
		if _, faults, err := Read(dir, func(Event) {}); err != nil || len(faults) != 1 {
			t.Fatalf("%v, %v: the removal of the last line is not found", faults, err)
		}
	}
}

// A reader of the note sees a whole one at any moment, and what was there before a failed attempt remains.
func TestHeadIsWhole(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not replace a file at once")
	}
	dir, _ := record(t, 2)
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		var err error
		for range 50 {
			err = errors.Join(err, l.Append(Event{Kind: StudyRead}))
		}
		done <- err
	}()
	for seen, ended := int64(0), false; !ended; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			ended = true
		default:
		}
		h := readHead(dir)
		if h.Size < seen {
			t.Errorf("the note is at %d, after %d", h.Size, seen)
		}
		seen = h.Size
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, faults, err := check(dir); err != nil || len(faults) > 0 {
		t.Errorf("%v, %v", faults, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, filepath.Dir(headFile), ".*")); err != nil || len(left) > 0 {
		t.Errorf("%q, %v", left, err)
	}
}

// An event is on the disk when Append returns. Those that note where the record ends take about twice as long.
func BenchmarkAppend(b *testing.B) {
	for _, kind := range []Kind{RunStarted, StudyDone, StudyRead} {
		b.Run(string(kind), func(b *testing.B) {
			l, err := Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := l.Append(Event{Kind: kind, Study: "435f996f079c"}); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
