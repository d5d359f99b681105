package mirror_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/objects/mirror"
)

var place = objects.Location{Bucket: objecttest.Bucket, Prefix: "results"}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, s mirror.Settings) (*mirror.Mirror, error) {
	t.Helper()
	s.Place, s.Pause = place, time.Millisecond
	return mirror.Open(t.Context(), s)
}

func mustOpen(t testing.TB, s mirror.Settings) *mirror.Mirror {
	t.Helper()
	m, err := open(t, s)
	check(t, err)
	return m
}

// write writes a file of the mirror, and a result.json without outputs.
func write(t testing.TB, m *mirror.Mirror, name, text string) string {
	t.Helper()
	path := filepath.Join(m.Dir, filepath.FromSlash(name))
	check(t, os.MkdirAll(filepath.Dir(path), 0o777))
	check(t, os.WriteFile(path, []byte(text), 0o666))
	return filepath.Dir(path)
}

func study(t testing.TB, m *mirror.Mirror, name, text string) string {
	t.Helper()
	write(t, m, name+"/t2.nii.gz", text+" map")
	write(t, m, name+"/preview.jpg", text+" picture")
	return write(t, m, name+"/result.json", `{"text": "`+text+`"}`)
}

// stored returns the objects of the results.
func stored(t testing.TB) map[string]string {
	t.Helper()
	b, err := objects.Open(place.Bucket)
	check(t, err)
	out := map[string]string{}
	var keys []string
	check(t, b.List(t.Context(), place.Folder(), true, func(i objects.Info) bool {
		keys = append(keys, i.Key)
		return true
	}))
	for _, key := range keys {
		data, _, err := b.Get(t.Context(), key, 1<<20)
		check(t, err)
		out[strings.TrimPrefix(key, place.Folder())] = string(data)
	}
	return out
}

func wantStored(t testing.TB, want map[string]string) {
	t.Helper()
	got := stored(t)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s: %q, want %q", name, got[name], text)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is in the bucket", name)
		}
	}
}

// twoStudies stores two studies, a table and the record, removes the mirror, and returns what is stored.
func twoStudies(t testing.TB) map[string]string {
	t.Helper()
	m := mustOpen(t, mirror.Settings{})
	check(t, m.Stored(study(t, m, "S1/M0", "one"), ""))
	study(t, m, "S2/M0", "two")
	write(t, m, "studies.csv", "table")
	write(t, m, "audit.jsonl", "{}\n")
	write(t, m, ".t2map/index.jsonl", "index")
	write(t, m, ".t2map.lock", "local")
	check(t, m.Close())
	if _, err := os.Stat(m.Dir); err == nil {
		t.Error("the temporary folder is left")
	}
	want := map[string]string{"studies.csv": "table", "audit.jsonl": "{}\n", ".t2map/index.jsonl": "index"}
	for folder, text := range map[string]string{"S1/M0": "one", "S2/M0": "two"} {
		want[folder+"/t2.nii.gz"], want[folder+"/preview.jpg"] = text+" map", text+" picture"
		want[folder+"/result.json"] = `{"text": "` + text + `"}`
	}
	wantStored(t, want)
	return want
}

// A mirror has what a run reads, and the bucket everything. What has not changed is not stored again.
func TestMirror(t *testing.T) {
	s := objecttest.Start(t)
	want := twoStudies(t)
	m := mustOpen(t, mirror.Settings{Dir: filepath.Join(t.TempDir(), "scratch")})
	data, err := os.ReadFile(filepath.Join(m.Dir, "S1", "M0", "t2.nii.gz"))
	if err != nil || string(data) != strings.Repeat("\x00", len("one map")) {
		t.Errorf("marker: %q %v", data, err)
	}
	s.Reset("")
	check(t, m.Close())
	for _, call := range s.Reset("").Calls {
		if strings.HasPrefix(call, "PUT ") && !strings.Contains(call, "/.t2map/") {
			t.Errorf("nothing has changed, but %s", call)
		}
	}
	wantStored(t, want)
}

// A table whose ETag is not its MD5, because it was stored in parts, is neither fetched again nor stored again, unless
// the file or the object has changed.
func TestOtherETags(t *testing.T) {
	s := objecttest.Start(t)
	scratch := filepath.Join(t.TempDir(), "scratch")
	large := strings.Repeat("0123456789abcde\n", 17<<16)
	m := mustOpen(t, mirror.Settings{Dir: scratch})
	write(t, m, "studies.csv", large)
	check(t, m.Close())
	b, err := objects.Open(place.Bucket)
	check(t, err)
	if i, err := b.Stat(t.Context(), place.Key("studies.csv")); err != nil || !strings.Contains(i.ETag, "-") {
		t.Fatalf("stored in one part: %s %v", i.ETag, err)
	}
	check(t, mustOpen(t, mirror.Settings{Dir: scratch}).Close()) // which notes the ETag
	table := func(dir string) (moved, content string) {
		t.Helper()
		s.Reset("")
		m := mustOpen(t, mirror.Settings{Dir: dir})
		data, err := os.ReadFile(filepath.Join(m.Dir, "studies.csv"))
		check(t, err)
		check(t, m.Close())
		for _, call := range s.Reset("").Calls {
			if method, path, _ := strings.Cut(call, " "); strings.HasSuffix(path, "studies.csv") {
				moved += method + " "
			}
		}
		return moved, string(data)
	}
	if moved, content := table(scratch); moved != "" || content != large {
		t.Errorf("nothing has changed: %s", moved)
	}
	if moved, content := table(""); strings.Contains(moved, "P") || content != large {
		t.Errorf("a temporary folder: %s", moved)
	}
	check(t, os.WriteFile(filepath.Join(scratch, "studies.csv"), []byte(strings.ToUpper(large)), 0o666))
	if moved, content := table(scratch); !strings.Contains(moved, "GET") || content != large {
		t.Errorf("the file has changed: %s", moved)
	}
	upper := filepath.Join(t.TempDir(), "upper")
	check(t, os.WriteFile(upper, []byte(strings.ToUpper(large)), 0o666))
	check(t, b.PutFile(t.Context(), place.Key("studies.csv"), upper))
	if moved, content := table(scratch); !strings.Contains(moved, "GET") || content != strings.ToUpper(large) {
		t.Errorf("the object has changed: %s", moved)
	}
	if notes, err := filepath.Glob(filepath.Join(s.Folder(), place.Prefix, ".stored*")); err != nil || len(notes) > 0 {
		t.Errorf("%q are in the bucket", notes)
	}
}

// The results of several studies are fetched at a time.
func TestFetchedTogether(t *testing.T) {
	s := objecttest.Start(t)
	twoStudies(t)
	s.Hang(func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/result.json")
	})
	s.Reset("")
	ctx, stop := context.WithCancel(t.Context())
	opened := make(chan error)
	go func() {
		_, err := mirror.Open(ctx, mirror.Settings{Place: place, ReadOnly: true})
		opened <- err
	}()
	asked := map[string]bool{}
	for end := time.Now().Add(10 * time.Second); len(asked) < 2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, call := range s.Reset("").Calls {
			if strings.HasPrefix(call, "GET ") && strings.HasSuffix(call, "/result.json") {
				asked[call] = true
			}
		}
	}
	stop()
	if err := <-opened; err == nil || len(asked) != 2 {
		t.Errorf("asked for %v: %v", asked, err)
	}
}

// S1 is replaced, and its earlier result kept; S2 is renamed; a table disappears. The killed run before it had left a
// study that was not stored. Maps, which the mirror does not have, are copied within the bucket.
func TestMovedStudies(t *testing.T) {
	objecttest.Start(t)
	want := twoStudies(t)
	scratch := filepath.Join(t.TempDir(), "scratch")
	check(t, mustOpen(t, mirror.Settings{Dir: scratch}).Close())
	check(t, os.MkdirAll(filepath.Join(scratch, "S9", "M0"), 0o777))
	m := mustOpen(t, mirror.Settings{Dir: scratch})
	if _, err := os.Stat(filepath.Join(scratch, "S9")); err == nil {
		t.Error("a study that is not stored is left in the mirror")
	}
	check(t, os.MkdirAll(filepath.Join(m.Dir, "superseded", "S1"), 0o777))
	check(t, os.Rename(filepath.Join(m.Dir, "S1", "M0"), filepath.Join(m.Dir, "superseded", "S1", "M0-1")))
	check(t, m.Stored(study(t, m, "S1/M0", "new"), ""))
	check(t, os.Rename(filepath.Join(m.Dir, "S2"), filepath.Join(m.Dir, "S3")))
	check(t, os.Remove(filepath.Join(m.Dir, "studies.csv")))
	check(t, m.Close())
	for _, file := range []string{"t2.nii.gz", "preview.jpg", "result.json"} {
		want["superseded/S1/M0-1/"+file] = want["S1/M0/"+file]
		want["S3/M0/"+file] = want["S2/M0/"+file]
		delete(want, "S2/M0/"+file)
		want["S1/M0/"+file] = strings.ReplaceAll(want["S1/M0/"+file], "one", "new")
	}
	delete(want, "studies.csv")
	wantStored(t, want)

	m = mustOpen(t, mirror.Settings{ReadOnly: true})
	if _, err := os.Stat(filepath.Join(m.Dir, "superseded", "S1", "M0-1")); err != nil {
		t.Error("the name of an earlier result is not taken: ", err)
	}
	write(t, m, "more", "text")
	check(t, m.Close())
	wantStored(t, want)
}

// Earlier results are kept that the run moved before it mapped a study, that it moved when it wrote a new result, and
// whose new result is stored at the end.
func TestReplacedStudies(t *testing.T) {
	objecttest.Start(t)
	want := twoStudies(t)
	m := mustOpen(t, mirror.Settings{})
	check(t, m.Stored(study(t, m, "S3/M0", "three"), ""))
	supersede := func(name string) string {
		to := filepath.Join(m.Dir, "superseded", name)
		check(t, os.MkdirAll(to, 0o777))
		check(t, os.Rename(filepath.Join(m.Dir, name, "M0"), filepath.Join(to, "M0-1")))
		return filepath.Join(to, "M0-1")
	}
	supersede("S1")
	check(t, m.Stored(study(t, m, "S1/M0", "new"), ""))
	earlier := supersede("S2")
	check(t, m.Stored(study(t, m, "S2/M0", "new"), earlier))
	supersede("S3")
	study(t, m, "S3/M0", "new")
	check(t, m.Close())
	for name, text := range map[string]string{"S1": "one", "S2": "two", "S3": "three"} {
		for file, content := range map[string]string{"t2.nii.gz": "%s map", "preview.jpg": "%s picture",
			"result.json": `{"text": "%s"}`} {
			want["superseded/"+name+"/M0-1/"+file] = fmt.Sprintf(content, text)
			want[name+"/M0/"+file] = fmt.Sprintf(content, "new")
		}
	}
	wantStored(t, want)
}

// At the end of a run that was interrupted there is a limit of time, and a study whose request gets no answer does not
// keep others from being stored.
func TestEndOfInterruptedRun(t *testing.T) {
	s := objecttest.Start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	m, err := mirror.Open(ctx, mirror.Settings{Place: place, StoreTime: 2 * time.Second})
	check(t, err)
	for n := range 5 {
		study(t, m, fmt.Sprintf("S%d/M0", n), "text")
	}
	s.Hang(func(r *http.Request) bool { return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/S0/") })
	interrupt()
	began := time.Now()
	if err := m.Close(); err == nil || !strings.Contains(err.Error(), "more than 2s after") {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
	s.Hang(nil)
	check(t, os.RemoveAll(m.Dir))
	got := stored(t)
	for n := range 5 {
		name := fmt.Sprintf("S%d/M0/result.json", n)
		if _, ok := got[name]; ok != (n > 0) {
			t.Errorf("%s: stored %v", name, ok)
		}
	}
}

// Other runs have no such limit.
func TestSlowEnd(t *testing.T) {
	s := objecttest.Start(t)
	m, err := mirror.Open(t.Context(), mirror.Settings{Place: place, StoreTime: 50 * time.Millisecond,
		Pause: 100 * time.Millisecond})
	check(t, err)
	study(t, m, "S1/M0", "text")
	began := time.Now()
	s.Break(func(_ int, r *http.Request) (int, bool) {
		return 503, strings.Contains(r.URL.Path, "/S1/") && time.Since(began) < 500*time.Millisecond
	})
	check(t, m.Close())
	if _, ok := stored(t)["S1/M0/result.json"]; !ok {
		t.Error("the study is not stored")
	}
}

// Objects beside the results that no run writes are neither read nor removed, whether or not they are hidden.
func TestForeignObjects(t *testing.T) {
	s := objecttest.Start(t)
	want := twoStudies(t)
	b, err := objects.Open(place.Bucket)
	check(t, err)
	for _, name := range []string{".keep", "notes.txt", "scan.zip"} {
		_, err = b.Put(t.Context(), place.Key(name), []byte("of others"), false, "")
		check(t, err)
		want[name] = "of others"
	}
	s.Reset("")
	m := mustOpen(t, mirror.Settings{})
	if _, err := os.Stat(filepath.Join(m.Dir, "studies.csv")); err != nil {
		t.Error(err)
	}
	check(t, os.Remove(filepath.Join(m.Dir, "studies.csv")))
	delete(want, "studies.csv")
	check(t, m.Close())
	for _, call := range s.Reset("").Calls {
		if strings.Contains(call, "results/.keep") || strings.Contains(call, "notes.txt") || strings.Contains(call, "zip") {
			t.Errorf("%s: a run has nothing to do with it", call)
		}
	}
	wantStored(t, want)
}

// Hidden files in the state are those of a run alone, such as unfinished ones, and are not stored.
func TestHiddenStateOfRun(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	write(t, m, ".t2map/.queue-1.json", "of this run")
	write(t, m, ".t2map/shards/.1-of-2.json7", "unfinished")
	write(t, m, ".t2map/index.jsonl", "state")
	check(t, m.Close())
	wantStored(t, map[string]string{".t2map/index.jsonl": "state"})
}

// A study whose files are not those of its result.json is not stored, and a folder without result.json does not count.
func TestIncomplete(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	write(t, m, "S1/M0/t2.nii.gz", "text")
	dir := write(t, m, "S1/M0/result.json", `{"outputs": [{"path": "t2.nii.gz", "sha256": "0123"}]}`)
	if err := m.Stored(dir, ""); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "has changed") {
		t.Error(err)
	}
	if m.Context().Err() == nil {
		t.Error("the run goes on")
	}
	if err := m.Close(); err == nil || !strings.Contains(err.Error(), m.Dir) {
		t.Errorf("what is not stored is not shown: %v", err)
	}
	check(t, os.RemoveAll(m.Dir))
	for name := range stored(t) {
		if strings.HasSuffix(name, "result.json") {
			t.Errorf("%s is in the bucket", name)
		}
	}
	b, err := objects.Open(place.Bucket)
	check(t, err)
	_, err = b.Put(t.Context(), "results/S1/M0/t2.nii.gz", []byte("text"), false, "")
	check(t, err)
	m = mustOpen(t, mirror.Settings{})
	if _, err := os.Stat(filepath.Join(m.Dir, "S1")); err == nil {
		t.Error("an unfinished study is in the mirror")
	}
	check(t, m.Close())
}

// holder writes the lock object of another run.
func holder(t testing.TB, h mirror.Holder) {
	t.Helper()
	b, err := objects.Open(place.Bucket)
	check(t, err)
	data, err := json.Marshal(h)
	check(t, err)
	_, err = b.Put(t.Context(), "results/.t2map/lock.json", data, false, "")
	check(t, err)
}

// A lock excludes other runs until it is old.
func TestLock(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	var busy *mirror.BusyError
	if _, err := open(t, mirror.Settings{}); !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() ||
		!strings.Contains(hint.Find(err), "--wait") {
		t.Errorf("two at once: %v", err)
	}
	check(t, mustOpen(t, mirror.Settings{ReadOnly: true}).Close())
	check(t, m.Close())

	holder(t, mirror.Holder{ID: "another", PID: 1, Host: "elsewhere\x1b", Started: time.Now()})
	if _, err := open(t, mirror.Settings{}); !errors.As(err, &busy) || strings.Contains(err.Error(), "\x1b") {
		t.Error(err)
	}
	called := false
	m = mustOpen(t, mirror.Settings{Wait: true, StaleAfter: 3 * time.Second,
		Waiting: func(mirror.Holder) { called = true }})
	if !called || len(m.Remarks) != 1 || !strings.Contains(m.Remarks[0], "was taken over") {
		t.Errorf("called %v, remarks %q", called, m.Remarks)
	}
	check(t, m.Close())
}

// The lock of a process that no longer exists is taken over at once, but not if the process may be one of another
// machine or container with the same name.
func TestLockOfEndedProcess(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{})
	var h mirror.Holder
	check(t, json.Unmarshal([]byte(stored(t)[".t2map/lock.json"]), &h))
	check(t, m.Close())
	if h.Machine == "" && runtime.GOOS == "linux" {
		t.Fatal("the lock does not say where the number of the process is valid")
	} else if h.Machine == "" {
		t.Skip("only Linux says where the number of a process is valid")
	}
	c := exec.Command(os.Args[0], "-test.run=^$")
	check(t, c.Run())
	h.ID, h.PID = "another", c.Process.Pid
	here := h.Machine
	for _, other := range []string{"", strings.Replace(here, "pid:[", "pid:[1", 1), "0" + here} {
		h.Machine = other
		holder(t, h)
		if _, err := open(t, mirror.Settings{}); !errors.As(err, new(*mirror.BusyError)) {
			t.Fatalf("the lock of a process on %q was taken over by one on %q: %v", other, here, err)
		}
	}
	h.Machine = here
	holder(t, h)
	m = mustOpen(t, mirror.Settings{})
	if len(m.Remarks) != 1 || !strings.Contains(m.Remarks[0], "was taken over") {
		t.Errorf("remarks %q", m.Remarks)
	}
	check(t, m.Close())
}

// A run whose lock was taken over ends, and stores nothing any more.
func TestLostLock(t *testing.T) {
	objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{StaleAfter: time.Second})
	write(t, m, "studies.csv", "text")
	holder(t, mirror.Holder{ID: "another"})
	wantLost(t, m, func() {})
}

// So does one that cannot refresh it.
func TestLockThatCannotBeRefreshed(t *testing.T) {
	s := objecttest.Start(t)
	m := mustOpen(t, mirror.Settings{StaleAfter: time.Second})
	s.Break(func(_ int, r *http.Request) (int, bool) { return 503, strings.HasSuffix(r.URL.Path, "lock.json") })
	wantLost(t, m, func() { s.Break(nil) })
}

// A holder whose requests get no answer stops before its lock may be taken over.
func TestLockWithoutAnswer(t *testing.T) {
	s := objecttest.Start(t)
	const staleAfter = 4 * time.Second
	began := time.Now()
	m := mustOpen(t, mirror.Settings{StaleAfter: staleAfter})
	s.Hang(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "lock.json") })
	wantLost(t, m, func() { s.Hang(nil) })
	if took := time.Since(began); took > staleAfter+time.Second {
		t.Errorf("the run ended after %v", took)
	}
}

// A lock that is released between the refusal and the question whose it is was not held by anyone: it is taken.
func TestLockReleasedMeanwhile(t *testing.T) {
	s := objecttest.Start(t)
	holder(t, mirror.Holder{ID: "another", PID: 1, Host: "elsewhere", Started: time.Now()})
	released := false
	s.Break(func(_ int, r *http.Request) (int, bool) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "lock.json") && !released {
			released = os.Remove(filepath.Join(s.Folder(), "results", ".t2map", "lock.json")) == nil
		}
		return 0, false
	})
	check(t, mustOpen(t, mirror.Settings{}).Close())
	if !released {
		t.Error("nobody asked whose lock it is")
	}
}

func wantLost(t *testing.T, m *mirror.Mirror, mend func()) {
	t.Helper()
	var lost *mirror.LostError
	select {
	case <-m.Context().Done():
	case <-time.After(20 * time.Second):
	}
	if !errors.As(context.Cause(m.Context()), &lost) {
		t.Fatal("the run goes on: ", context.Cause(m.Context()))
	}
	if err := m.Close(); !errors.As(err, &lost) {
		t.Error(err)
	}
	mend()
	for name := range stored(t) {
		if name != ".t2map/lock.json" {
			t.Errorf("%s is in the bucket", name)
		}
	}
}

// Without conditional writes there is a lock, and a remark.
func TestServerWithoutConditions(t *testing.T) {
	objecttest.Fake(t)
	m := mustOpen(t, mirror.Settings{})
	if len(m.Remarks) != 1 || !strings.Contains(m.Remarks[0], "If-None-Match") {
		t.Errorf("remarks %q", m.Remarks)
	}
	if _, err := open(t, mirror.Settings{}); !errors.As(err, new(*mirror.BusyError)) {
		t.Error(err)
	}
	check(t, m.Stored(study(t, m, "S1/M0", "one"), ""))
	check(t, m.Close())
	if got := stored(t); len(got) != 3 {
		t.Errorf("%q", got)
	}
}
