//go:build unix

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/objects/mirror"
)

const (
	studiesURL = "s3://trial/data/studies"
	resultsURL = "s3://trial/data/results"
)

// inBucket starts a server whose bucket has the studies of a local folder.
func inBucket(t *testing.T, dir string) *objecttest.Server {
	s := objecttest.Start(t)
	objecttest.Upload(t, dir, "data/studies")
	s.Reset("")
	return s
}

// bucketFiles returns the objects of the results, without the record, timing.csv and the hidden state, which
// have times.
func bucketFiles(t *testing.T, s *objecttest.Server) map[string]string {
	t.Helper()
	return withoutRecord(readAll(t, filepath.Join(s.Folder(), "data", "results")))
}

func withoutRecord(found map[string]string) map[string]string {
	for name := range found {
		base := filepath.Base(name)
		if base == "audit.jsonl" || base == "timing.csv" || base == ".t2map.lock" ||
			strings.Contains(name, ".t2map/") {
			delete(found, name)
		}
	}
	return found
}

// sameFiles fails if two folders differ.
func sameFiles(t *testing.T, got, want map[string]string) {
	t.Helper()
	var differ []string
	for name := range want {
		if got[name] != want[name] {
			differ = append(differ, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			differ = append(differ, "+"+name)
		}
	}
	if slices.Sort(differ); len(differ) > 0 {
		t.Errorf("%d files of %d differ: %q", len(differ), len(want), differ[:min(10, len(differ))])
	}
}

// run calls t2map and fails if its exit status is another.
func run(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(t.Context(), args, &out, &errs); code != want {
		t.Fatalf("%q: exit status %d, want %d\n%s%s", args, code, want, &out, &errs)
	}
	if found := objecttest.Leaked(out.String() + errs.String()); len(found) > 0 {
		t.Errorf("%q: credentials are shown: %q in\n%s%s", args, found, &out, &errs)
	}
	return out.String(), errs.String()
}

// toBucket are the arguments of a run from a bucket to a bucket.
var toBucket = []string{"run", studiesURL, "--out", resultsURL, "--scheme", "compartments"}

// A run from bucket to bucket writes the files of a local run. A second one opens no object of the studies and writes
// no study.
func TestRunInBucket(t *testing.T) {
	dir := studies(t, 3)
	local := filepath.Join(t.TempDir(), "results")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments")
	want := withoutRecord(readAll(t, local))

	s := inBucket(t, dir)
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	out, _ := run(t, exitOK, toBucket...)
	if !strings.Contains(out, resultsURL) || strings.Contains(out, scratch) {
		t.Errorf("the place is not shown: %s", out)
	}
	sameFiles(t, bucketFiles(t, s), want)
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v %v", left, err)
	}
	first := s.Reset("data/studies/")
	t.Logf("first run: %d requests, %d bytes of studies read, %d bytes written", first.Requests, first.Served,
		first.Received)

	out, _ = run(t, exitOK, append(toBucket, "--dry-run")...)
	if c := s.Reset(""); slices.ContainsFunc(c.Calls, func(call string) bool {
		return !strings.HasPrefix(call, "GET ") &&
			!strings.HasPrefix(call, "HEAD ")
	}) {
		t.Errorf("a dry run writes: %q", c.Calls)
	}
	if strings.Count(out, "done") == 0 || strings.Contains(out, "missing") {
		t.Errorf("dry run: %s", out)
	}
	for _, keep := range []string{"", filepath.Join(t.TempDir(), "scratch")} {
		args := toBucket
		if keep != "" {
			args = append(args, "--scratch", keep)
		}
		run(t, exitOK, args...)
		c := s.Reset("data/studies/")
		t.Logf("rerun: %d requests, %d bytes of studies read, %d bytes written", c.Requests, c.Served, c.Received)
		if c.Served > 0 {
			t.Errorf("a rerun reads %d bytes of the studies", c.Served)
		}
		for _, call := range c.Calls {
			if strings.HasPrefix(call, "PUT ") && strings.Count(call, "/") > 4 && !strings.Contains(call, "/.t2map/") {
				t.Errorf("a rerun writes: %s", call)
			}
		}
		sameFiles(t, bucketFiles(t, s), want)
	}
	wantMirrored(t, local)
}

// wantMirrored fails unless a mirror gets all files beside the folders that a run writes: it has to know their names.
func wantMirrored(t *testing.T, local string) {
	t.Helper()
	m, err := mirror.Open(t.Context(), mirror.Settings{Place: objects.Location{Bucket: "trial", Prefix: "data/results"},
		ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	mirrored := readAll(t, m.Dir)
	for name := range readAll(t, local) {
		beside := filepath.Dir(name) == string(filepath.Separator) && !strings.HasPrefix(filepath.Base(name), ".")
		if _, ok := mirrored[name]; beside && !ok {
			t.Errorf("%s is not mirrored", name)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// Only a new study is mapped and stored. Results that are replaced are set aside with all their files, as in a folder.
func TestReplacedInBucket(t *testing.T) {
	dir := studies(t, 3)
	s := inBucket(t, dir)
	run(t, exitOK, toBucket...)
	added := filepath.Join(studies(t, 4), "SD")
	objecttest.Upload(t, added, "data/studies/SD")
	if err := os.CopyFS(filepath.Join(dir, "SD"), os.DirFS(added)); err != nil {
		t.Fatal(err)
	}
	s.Reset("")
	out, _ := run(t, exitOK, toBucket...)
	if !strings.Contains(out, "1 study mapped") {
		t.Errorf("one study is new: %s", out)
	}
	for _, call := range s.Reset("").Calls {
		if strings.HasPrefix(call, "PUT ") && strings.Contains(call, "/baseline/") && !strings.Contains(call, "/SD/") {
			t.Errorf("another study is stored: %s", call)
		}
	}
	run(t, exitOK, append(toBucket, "--force")...)
	run(t, exitOK, append(toBucket, "--replace", "--method", "loglinear")...)
	local := filepath.Join(t.TempDir(), "results")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments", "--replace", "--method", "loglinear")
	sameFiles(t, bucketFiles(t, s), withoutRecord(readAll(t, local)))
}

// A server that fails every third request changes nothing.
func TestUnreliableBucket(t *testing.T) {
	dir := studies(t, 2)
	local := filepath.Join(t.TempDir(), "results")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments")
	s := inBucket(t, dir)
	s.Break(func(n int, _ *http.Request) (int, bool) { return []int{503, 0}[n/3%2], n%3 == 0 })
	run(t, exitOK, toBucket...)
	sameFiles(t, bucketFiles(t, s), withoutRecord(readAll(t, local)))
}

// If a server does not answer for one study, no result is displaced: the earlier results stay where they are, and a
// shard asks to be tried again. The requests fail when headers are read, or later when the mask is.
func TestOutageOfBucket(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: waits a minute for a server that does not answer")
	}
	s := inBucket(t, studies(t, 3))
	out := filepath.Join(t.TempDir(), "results")
	args := []string{"run", studiesURL, "--out", out, "--scheme", "compartments", "--workers", "1"}
	run(t, exitOK, args...)
	want := withoutRecord(readAll(t, out))
	force := append(slices.Clone(args), "--force")
	asked := map[string]int{}
	for _, c := range []struct {
		name  string
		args  []string
		fails func(r *http.Request) bool
		code  int
	}{
		{"headers", append(slices.Clone(force), "--shard", "1/1"),
			func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/SB/") }, exitAgain},
		{"headers without shards", force,
			func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/SB/") }, exitFailed},
		{"mask", force, func(r *http.Request) bool {
			asked[r.URL.Path]++
			return strings.HasSuffix(r.URL.Path, "/SB/labels.nii.gz") && asked[r.URL.Path] > 1
		}, exitFailed},
		{"mask in a shard", append(slices.Clone(force), "--shard", "1/1"), func(r *http.Request) bool {
			asked[r.URL.Path]++
			return strings.HasSuffix(r.URL.Path, "/SB/labels.nii.gz") && asked[r.URL.Path] > 1
		}, exitAgain},
	} {
		clear(asked)
		s.Break(func(_ int, r *http.Request) (int, bool) { return 503, c.fails(r) })
		_, text := run(t, c.code, c.args...)
		if !strings.Contains(text, "503") || strings.Contains(text, "moved or removed") {
			t.Errorf("%s: %s", c.name, text)
		}
		got := readAll(t, out)
		for name, content := range want {
			if strings.Contains(name, "SB/") && got[name] != content {
				t.Errorf("%s: %s is not what it was", c.name, name)
			}
		}
		if found, _ := filepath.Glob(filepath.Join(out, "superseded", "SB*")); len(found) > 0 {
			t.Errorf("%s: moved: %q", c.name, found)
		}
	}
}

func TestBucketRefusals(t *testing.T) {
	inBucket(t, studies(t, 1))
	tables, design := trialFiles(t, func(i int) string { return fmt.Sprintf("S%02d", i) })
	out := t.TempDir()
	for want, args := range map[string][]string{
		"the bucket does not exist":       {"run", "s3://absent/studies", "--out", out, "--scheme", "compartments"},
		"bucket does not exist":           {"run", studiesURL, "--out", "s3://absent/r", "--scheme", "compartments"},
		"does not name a bucket":          {"run", "s3://", "--out", out, "--scheme", "compartments"},
		"s3://trial/absent does not":      {"run", "s3://trial/absent", "--out", out, "--scheme", "compartments"},
		"which is searched":               {"run", "s3://trial", "--out", resultsURL, "--scheme", "compartments"},
		"does not read from buckets":      {"tables", resultsURL},
		"verify does not read":            {"verify", resultsURL},
		"trial does not read":             {"trial", resultsURL, "--design", "d.csv", "--out", out},
		"only t2map run writes":           {"trial", tables, "--design", design, "--out", "s3://trial/report"},
		"--scratch is for results":        {"run", studiesURL, "--out", out, "--scratch", "x", "--scheme", "skm-tea"},
		"shards cannot write":             append(slices.Clone(toBucket), "--shard", "1/2"),
		"merge does not read":             {"merge", resultsURL},
		"holds other files than a mirror": append(slices.Clone(toBucket), "--scratch", "."),
	} {
		_, text := run(t, exitUsage, args...)
		if !strings.Contains(text, want) || !strings.Contains(text, "hint:") {
			t.Errorf("%q: %s", args, text)
		}
	}
	shown, _ := run(t, exitOK, "inspect", studiesURL, "--scheme", "compartments")
	if !strings.Contains(shown, "masks: SA/labels.nii.gz") {
		t.Errorf("inspect: %s", shown)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	for _, args := range [][]string{toBucket, {"run", studiesURL, "--out", t.TempDir(), "--scheme", "compartments"}} {
		if _, text := run(t, exitUsage, args...); !strings.Contains(text, "secret key") {
			t.Errorf("%q: %s", args, text)
		}
	}
}

// A manifest names folders and masks in a bucket.
func TestManifestInBucket(t *testing.T) {
	inBucket(t, studies(t, 3))
	manifest := filepath.Join(t.TempDir(), "manifest.csv")
	write(t, manifest, "folder,subject,visit,mask\n"+studiesURL+"/SA,A01,M00,labels.nii.gz\n"+
		studiesURL+"/SB/,B01,M00,"+studiesURL+"/SB/labels.nii.gz\n"+studiesURL+"/SX,X01,M00,\n")
	out := filepath.Join(t.TempDir(), "results")
	_, text := run(t, exitFailed, "run", studiesURL, "--out", out, "--scheme", "compartments", "--manifest", manifest)
	for _, folder := range []string{"A01/M00", "B01/M00"} {
		if _, err := os.Stat(filepath.Join(out, folder, "result.json")); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(text, "line 4: no MR study") || !strings.Contains(text, studiesURL+"/SC") ||
		strings.Contains(text, "/s3:") {
		t.Errorf("the missing and the unlisted study: %s", text)
	}
}

// A mask outside of the searched folders that is replaced by one of the same size and time is read again.
func TestOutsideMaskInBucket(t *testing.T) {
	dir := studies(t, 1)
	s := inBucket(t, dir)
	data, err := os.ReadFile(filepath.Join(dir, "SA", "labels.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	const key = "masks/SA.nii.gz"
	store := func() {
		b, err := objects.Open(objecttest.Bucket)
		if err == nil {
			_, err = b.Put(t.Context(), key, data, false, "")
		}
		if err == nil {
			err = os.Chtimes(filepath.Join(s.Folder(), key), time.Time{}, time.Unix(1e9, 0))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	manifest, out := filepath.Join(t.TempDir(), "manifest.csv"), filepath.Join(t.TempDir(), "results")
	write(t, manifest, "folder,subject,visit,mask\n"+studiesURL+"/SA,A01,M00,s3://trial/"+key+"\n")
	mapped := func() string {
		run(t, exitOK, "run", studiesURL, "--out", out, "--scheme", "compartments", "--manifest", manifest)
		text, err := os.ReadFile(filepath.Join(out, "A01", "M00", "result.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	store()
	first := mapped()
	if mapped() != first {
		t.Error("nothing has changed, but the study was mapped again")
	}
	data[4] ^= 1 // the time in the header of gzip (RFC 1952 2.3)
	store()
	if mapped() == first {
		t.Error("the result is that of the earlier mask")
	}
}

// wantComplete fails unless every study in the bucket that has a result.json has all files that it names, with their
// hashes, and returns the number of these studies.
func wantComplete(t *testing.T, s *objecttest.Server) (n int) {
	t.Helper()
	results := filepath.Join(s.Folder(), "data", "results")
	found, err := filepath.Glob(filepath.Join(results, "*", "*", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		for path, sum := range resultOutputs(t, f) {
			if got := fileSum(t, filepath.Join(filepath.Dir(f), path)); got != sum {
				t.Errorf("%s: %s has another content", f, path)
			}
		}
	}
	return len(found)
}

// A run that is killed leaves complete studies, and the next one ends with the files of an undisturbed one and with a
// record that names all results.
func TestKilledInBucket(t *testing.T) {
	dir := studies(t, 6)
	local := filepath.Join(t.TempDir(), "results")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments")
	s := inBucket(t, dir)
	results := filepath.Join(s.Folder(), "data", "results")
	earlier, files := 0, len(readAll(t, filepath.Join(local, "SA", "baseline")))
	for round := range 4 {
		c, _ := started(t, nil, append(toBucket, "--workers", "1")...)
		deadline := time.Now().Add(30 * time.Second)
		for time.Now().Before(deadline) {
			if found, _ := filepath.Glob(filepath.Join(results, "*", "*", "*")); len(found) > files*round+files/2 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		_ = c.Process.Kill()
		_ = c.Wait()
		n := wantComplete(t, s)
		t.Logf("killed with %d studies complete", n)
		if n < earlier {
			t.Errorf("%d studies, %d before", n, earlier)
		}
		earlier = n
	}
	_, text := run(t, exitOK, toBucket...)
	if !strings.Contains(text, "was taken over") {
		t.Errorf("the lock of the killed run: %s", text)
	}
	sameFiles(t, bucketFiles(t, s), withoutRecord(readAll(t, local)))
	verified := filepath.Join(t.TempDir(), "results")
	if err := os.CopyFS(verified, os.DirFS(results)); err != nil {
		t.Fatal(err)
	}
	run(t, exitOK, "verify", verified)
}

// A server that dies ends the run soon with a reason, and the next run goes on.
func TestServerDies(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: waits a minute for a server that does not answer")
	}
	dir := studies(t, 6)
	local := filepath.Join(t.TempDir(), "results")
	run(t, exitOK, "run", dir, "--out", local, "--scheme", "compartments")
	s := inBucket(t, dir)
	c, text := started(t, nil, append(toBucket, "--workers", "1")...)
	await(t, filepath.Join(s.Folder(), "data", "results", "*", "*", "result.json"))
	s.Kill()
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit status %d: %s", code, text)
	}
	if !strings.Contains(text.String(), "cannot be stored") || len(objecttest.Leaked(text.String())) > 0 {
		t.Errorf("stderr: %s", text)
	}
	n := wantComplete(t, s)
	s.Restart(t)
	run(t, exitOK, toBucket...)
	t.Logf("%d studies were complete when the server died", n)
	sameFiles(t, bucketFiles(t, s), withoutRecord(readAll(t, local)))
}

// An interrupted run stores the tables of the studies that are done.
func TestInterruptedInBucket(t *testing.T) {
	dir := studies(t, 6)
	s := inBucket(t, dir)
	results := filepath.Join(s.Folder(), "data", "results")
	c, text := started(t, nil, append(toBucket, "--workers", "1")...)
	await(t, filepath.Join(results, "*", "*", "result.json"))
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code == exitOK {
		t.Skip("it was done before the signal reached it")
	} else if code != exitInterrupted {
		t.Errorf("exit status %d: %s", code, text)
	}
	table, err := os.ReadFile(filepath.Join(results, "studies.csv"))
	if done := strings.Count(string(table), ",done,"); err != nil || done == 0 || done != wantComplete(t, s) {
		t.Errorf("%d done: %v", done, err)
	}
	if _, err := os.Stat(filepath.Join(results, ".t2map", "lock.json")); err == nil {
		t.Error("the lock is left")
	}
}

// Two runs at once: one is refused, and names the other.
func TestTwoRunsInBucket(t *testing.T) {
	s := inBucket(t, studies(t, 4))
	c, _ := started(t, nil, append(toBucket, "--workers", "1")...)
	await(t, filepath.Join(s.Folder(), "data", "results", ".t2map", "lock.json"))
	_, text := run(t, exitUsage, toBucket...)
	if !strings.Contains(text, fmt.Sprintf("process %d on ", c.Process.Pid)) {
		t.Errorf("refused with %s", text)
	}
	run(t, exitOK, append(toBucket, "--wait")...)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// resultOutputs returns the hashes of the files that a result.json names.
func resultOutputs(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Outputs []struct{ Path, SHA256 string }
	}
	if err := json.Unmarshal(data, &r); err != nil || len(r.Outputs) == 0 {
		t.Fatal(path, err)
	}
	out := map[string]string{}
	for _, f := range r.Outputs {
		out[f.Path] = f.SHA256
	}
	return out
}

func fileSum(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

// Headers of real scans take one request each and a small part of the bytes.
func TestHeaderBytes(t *testing.T) {
	for folder, share := range map[string]float64{"knee-ge-mese": 0.26, "nist-ge-1.5t": 0.24, "nist-philips-3t": 0.41,
		"transfer-syntaxes": 0.9} {
		dir := filepath.Join("..", "..", "..", "shared", "data", folder)
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("../shared/data/%s is not here", folder)
		}
		s := inBucket(t, dir)
		found, err := dicomio.Find(t.Context(), []string{studiesURL}, dicomio.FindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c := s.Reset("data/studies/")
		size, n := int64(0), 0
		for _, text := range readAll(t, dir) {
			size += int64(len(text))
			n++
		}
		part := float64(c.Served) / float64(size)
		t.Logf("%s: %d files, %d requests, %d of %d bytes (%.0f %%)", folder, n, c.Requests, c.Served, size, 100*part)
		if part > share || found.Close() != nil {
			t.Errorf("%s: %.2f of the bytes are read, want at most %.2f", folder, part, share)
		}
	}
}
