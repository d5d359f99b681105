package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/t2map/t2map/audit"
	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/reader"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// buffer is a buffer that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// until waits until the text fits the pattern, and returns the first group.
func (b *buffer) until(t *testing.T, pattern string) string {
	t.Helper()
	const patience = 30 * time.Second
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(b.String()); m != nil {
			return m[len(m)-1]
		}
	}
	t.Fatalf("no %q in %s", pattern, b)
	return ""
}

// reading is a running t2map read.
type reading struct {
	t              *testing.T
	stdout, stderr buffer
	stop           func()
	code           chan int
	client         http.Client
	url            string
}

// startReading starts t2map read with arguments and opens its address.
func startReading(t *testing.T, args ...string) *reading {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &reading{t: t, stop: stop, code: make(chan int, 1)}
	go func() { r.code <- execute(ctx, append([]string{"read"}, args...), &r.stdout, &r.stderr) }()
	address := r.stdout.until(t, `(http://\S+)\n`)
	r.client.Jar, _ = cookiejar.New(nil)
	r.url, _, _ = strings.Cut(address, "/?")
	if response, err := r.client.Get(address); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", response, err)
	}
	t.Cleanup(r.end)
	return r
}

// end stops the server. It must end without an error.
func (r *reading) end() {
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	if code := <-r.code; code != exitOK {
		r.t.Errorf("exit status %d: %s", code, &r.stderr)
	}
}

// send sends a request and decodes its answer.
func (r *reading) send(method, path string, body, into any) {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode == http.StatusOK {
		err = json.Unmarshal(got, into)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d %v: %s", path, response.StatusCode, err, got)
	}
}

// read finds the studies of the last run by itself, and what is signed becomes the result of the study.
func TestRead(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 2), "--out", out, "--scheme", "compartments", "--quiet")
	if code, _, stderr := call("read", out, "--out", t.TempDir()); code != exitUsage || !strings.Contains(stderr, "holds results") {
		t.Errorf("%d: %s", code, stderr)
	}
	before, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := startReading(t, out, "--reader", "R1")
	var items []reader.Item
	r.send("GET", "/api/cases", nil, &items)
	if len(items) != 2 || items[0].Subject != "SA" {
		t.Fatalf("%+v", items)
	}
	at := "/api/cases/" + items[0].ID
	var draft reader.Draft
	r.send("POST", at+"/begin", reader.Begin{Start: "mask"}, &draft)
	var step reader.Step
	state := reader.Version{Drawing: draft.Drawing, Step: draft.Step.Step}
	r.send("POST", at+"/stroke", reader.Gesture{Version: state, Tool: "clear", Label: 1, All: true}, &step)
	state.Step = step.Step
	var done reader.Done
	r.send("POST", at+"/sign", reader.Signature{Version: state, State: reads.Signed, Name: "R. Ader",
		Meaning: "I have corrected this mask"}, &done)
	r.stderr.until(t, "1 study mapped after a read, tables written")
	after, err := os.ReadFile(filepath.Join(out, "compartments.csv"))
	if err != nil || bytes.Equal(before, after) {
		t.Errorf("%v: the tables are those before the read", err)
	}
	r.end()
	if text := r.stdout.String() + r.stderr.String(); strings.Contains(text, "R. Ader") {
		t.Errorf("a name is printed: %s", text)
	}
	if code, stdout, stderr := call("verify", out, "--studies", r.studies(out)); code != exitOK {
		t.Errorf("%s%s", stdout, stderr)
	}
	if code, stdout, stderr := call("run", r.studies(out), "--out", out, "--scheme", "compartments"); code != exitOK ||
		!strings.Contains(stdout, "0 studies mapped") && !strings.Contains(stdout, "2 ") {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
}

// studies returns the folder of studies that the last run has searched.
func (r *reading) studies(out string) string {
	text, err := os.ReadFile(filepath.Join(out, ".t2map", "roots.jsonl"))
	var root string
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(text), &root)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return root
}

// Studies that were not mapped can be read as well; the worklist says who reads what.
func TestReadStudies(t *testing.T) {
	dir := studies(t, 3)
	list := filepath.Join(t.TempDir(), "worklist.csv")
	if err := os.WriteFile(list, []byte("subject,reader\nSA,R1\nSB,R2\nSC,R1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "results")
	r := startReading(t, dir, "--out", out, "--scheme", "compartments", "--reader", "R1", "--worklist", list)
	var items []reader.Item
	r.send("GET", "/api/cases", nil, &items)
	if len(items) != 2 || items[0].Subject != "SA" || items[1].Subject != "SC" {
		t.Errorf("%+v", items)
	}
}

// Arguments that cannot be meant are refused with a hint.
func TestReadUsage(t *testing.T) {
	dir := studies(t, 1)
	bad := filepath.Join(t.TempDir(), "worklist.csv")
	if err := os.WriteFile(bad, []byte("subject,reader\nSA,../R1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "results")
	network := []string{dir, "--out", out, "--accounts", "accounts"}
	for want, args := range map[string][]string{
		"add --tls-cert, or":             append(network, "--host", "https://localhost:8443", "--addr", "127.0.0.1:0"),
		"exclude each other":             append(network, "--tls-cert", "x", "--tls-key", "y", "--without-tls"),
		"omit http://":                   append(network, "--tls-cert", "x", "--tls-key", "y", "--host", "http://reads.example.org"),
		"others do not":                  append(network, "--without-tls", "--host", "https://a.example", "--host", "b.example"),
		"for instance --host":            append(network, "--without-tls", "--addr", "[::]:8443"),
		"--host reads.example.org lets":  {dir, "--out", out, "--host", "reads.example.org"},
		"not the name of a server":       append(network, "--without-tls", "--host", "0.0.0.0"),
		"holds no results":               {dir},
		"lets other machines reach":      {dir, "--out", out, "--scheme", "compartments", "--addr", "0.0.0.0:0"},
		"not an address with a port":     {dir, "--out", out, "--addr", "127.0.0.1"},
		"must be given together":         {dir, "--out", out, "--tls-cert", "x"},
		"neither reader nor adjudicator": {dir, "--out", out, "--role", "king", "--reader", "R1"},
		"not a valid code":               {dir, "--out", out, "--reader", "../R1"},
		"cannot be kept in a bucket":     {dir, "--out", "s3://bucket/results"},
		"no label scheme is given":       {dir, "--out", out, "--reader", "R1"},
		"worklist.csv":                   {dir, "--out", out, "--scheme", "compartments", "--reader", "R1", "--worklist", bad},
		"absent":                         {dir, "--out", out, "--reader", "R1", "--accounts", "absent"},
	} {
		code, _, stderr := call(append([]string{"read"}, args...)...)
		if code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit status %d: %s", args, code, stderr)
		}
	}
}

// account writes hashes only, replaces the line of a code, and the server asks for the password.
func TestAccount(t *testing.T) {
	file := filepath.Join(t.TempDir(), "accounts")
	add := func(want int, password string, args ...string) string {
		t.Helper()
		root := rootCommand()
		root.SetArgs(append([]string{"account", file}, args...))
		root.SetIn(strings.NewReader(password + "\n"))
		var errs bytes.Buffer
		root.SetErr(&errs)
		root.SetOut(&errs)
		err := root.Execute()
		if got := status(err); got != want {
			t.Errorf("%q: exit status %d, want %d: %v", args, got, want, err)
		}
		return errs.String()
	}
	add(exitOK, "correct horse", "R1")
	add(exitOK, "battery staple", "A1", "--role", "adjudicator")
	add(exitOK, "another horse", "R1")
	add(exitUsage, "short", "R2")
	add(exitUsage, "long enough", "R2", "--role", "king")
	for _, code := range []string{"CON", "nul", "a/b", "R 1", ""} { // no folder of reads could have these names
		add(exitUsage, "long enough", code)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 || strings.Contains(string(text), "horse") {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", err, info)
	}
	out := filepath.Join(t.TempDir(), "results")
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr buffer
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, []string{"read", studies(t, 1), "--out", out, "--scheme", "compartments", "--accounts", file}, &stdout, &stderr)
	}()
	address := stdout.until(t, `(http://\S+)\n`)
	login := func(user, password string) int {
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		response, err := client.PostForm(address+"login", map[string][]string{"code": {user}, "password": {password}})
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if got := login("R1", "another horse"); got != http.StatusSeeOther {
		t.Errorf("login: %d", got)
	}
	if got := login("R1", "correct horse"); got != http.StatusUnauthorized {
		t.Errorf("login with the replaced password: %d", got)
	}
	checkPassword(t, address)
	stop()
	if got := <-code; got != exitOK {
		t.Errorf("exit status %d: %s", got, &stderr)
	}
}

// checkPassword signs with a wrong password and with the right one, at the server with the account R1.
func checkPassword(t *testing.T, address string) {
	t.Helper()
	r := &reading{t: t, url: strings.TrimSuffix(address, "/")}
	r.client.Jar, _ = cookiejar.New(nil)
	response, err := r.client.PostForm(address+"login", map[string][]string{"code": {"R1"}, "password": {"another horse"}})
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(err, response)
	}
	response.Body.Close()
	var session reader.Session
	r.send("GET", "/api/session", nil, &session)
	if !session.Password {
		t.Error("a signature needs no password")
	}
	var items []reader.Item
	r.send("GET", "/api/cases", nil, &items)
	at := "/api/cases/" + items[0].ID
	var draft reader.Draft
	r.send("POST", at+"/begin", reader.Begin{Start: "mask"}, &draft)
	signature := reader.Signature{Version: reader.Version{Drawing: draft.Drawing, Step: draft.Step.Step}, State: reads.Signed,
		Name: "R. Ader", Meaning: "I have corrected this mask", Password: "a wrong horse"}
	text, err := json.Marshal(signature)
	if err != nil {
		t.Fatal(err)
	}
	response, err = r.client.Post(r.url+at+"/sign", "application/json", bytes.NewReader(text))
	if err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("%v: signed with a wrong password: %+v", err, response)
	}
	response.Body.Close()
	signature.Password = "another horse"
	var done reader.Done
	r.send("POST", at+"/sign", signature, &done)
}

// runsOf returns the options of the runs in the record of a folder.
func runsOf(t *testing.T, out string) (options [][]string) {
	t.Helper()
	if _, _, err := audit.Read(out, func(e audit.Event) {
		if e.Kind == audit.RunStarted {
			options = append(options, e.Options)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return options
}

// signFirst changes the mask of a study and signs it.
func (r *reading) signFirst(at string) {
	r.t.Helper()
	var draft reader.Draft
	r.send("POST", at+"/begin", reader.Begin{Start: "mask"}, &draft)
	var step reader.Step
	state := reader.Version{Drawing: draft.Drawing, Step: draft.Step.Step}
	r.send("POST", at+"/stroke", reader.Gesture{Version: state, Tool: "clear", Label: 1, All: true}, &step)
	state.Step = step.Step
	var done reader.Done
	r.send("POST", at+"/sign", reader.Signature{Version: state, State: reads.Signed, Name: "R. Ader",
		Meaning: "I have corrected this mask"}, &done)
}

// first returns the path of the first study.
func (r *reading) first() string {
	r.t.Helper()
	var items []reader.Item
	if r.send("GET", "/api/cases", nil, &items); len(items) == 0 {
		r.t.Fatal("no studies")
	}
	return "/api/cases/" + items[0].ID
}

// Blinded reads are read with --blind until they are unblinded. What is printed while they are read does not tell one study
// from another. unblind lists drafts.
func TestReadBlinded(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 2), "--out", out, "--scheme", "compartments", "--quiet")
	list := filepath.Join(t.TempDir(), "worklist.csv")
	if err := os.WriteFile(list, []byte("subject,visit,reader\nSA,,R1\nSB,,R1\nSX,,R1\nSA,month99,R1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := startReading(t, out, "--reader", "R1", "--blind", "--worklist", list)
	r.stderr.until(t, "worklist.csv: 2 rows match no study")
	before := r.stderr.String()
	r.signFirst(r.first())
	for began := time.Now(); len(runsOf(t, out)) < 2 && time.Since(began) < 30*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	var items []reader.Item
	r.send("GET", "/api/cases", nil, &items)
	var draft reader.Draft
	r.send("POST", "/api/cases/"+items[1].ID+"/begin", reader.Begin{Start: "mask"}, &draft)
	r.end()
	if after := r.stderr.String(); after != before || strings.Contains(after, "SX") || strings.Contains(after, "month99") {
		t.Errorf("printed: %s", after)
	}
	code, _, stderr := call("read", out, "--reader", "R1")
	if code != exitUsage || !strings.Contains(stderr, "are blinded") || !strings.Contains(stderr, "hint: add --blind") {
		t.Errorf("%d: %s", code, stderr)
	}
	rows, err := csv.NewReader(strings.NewReader(mustCall(t, "unblind", out))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatal(err, rows)
	}
	for _, item := range items {
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[1] == item.ID && strings.HasPrefix(row[2], "S") }) {
			t.Errorf("no %s in %q", item.ID, rows)
		}
	}
	startReading(t, out, "--reader", "R1").end()
}

// The settings of the results are those of read: others are refused before anything is read, as run would refuse them
// afterwards. The record has the options of the last run and those that are given now.
func TestReadSettings(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 1), "--out", out, "--scheme", "compartments", "--quiet")
	code, _, stderr := call("read", out, "--reader", "R1", "--method", "loglinear")
	if code != exitUsage || !strings.Contains(stderr, "made with other settings: method nlls, now loglinear") ||
		!strings.Contains(stderr, "hint: omit options that change results") {
		t.Errorf("%d: %s", code, stderr)
	}
	r := startReading(t, out, "--reader", "R1", "--accept-patient-id", "--workers", "2")
	r.signFirst(r.first())
	r.stderr.until(t, "1 study mapped after a read")
	r.end()
	runs := runsOf(t, out)
	if want := []string{"--accept-patient-id true", "--scheme compartments"}; len(runs) != 2 || !slices.Equal(runs[1], want) {
		t.Errorf("%q, want %q", runs, want)
	}
}

// A query maps nothing. A run after a read says what it waits for and what is wrong, with a hint, and ends with the server.
// A study that is opened prints nothing.
func TestReadFollows(t *testing.T) {
	out := filepath.Join(t.TempDir(), "results")
	mustCall(t, "run", studies(t, 1), "--out", out, "--scheme", "compartments", "--quiet")
	r := startReading(t, out, "--reader", "R1")
	at, before := r.first(), r.stderr.String()
	var done reader.Done
	r.send("POST", at+"/sign", reader.Signature{State: reads.Query, Text: "Which knee?"}, &done)
	r.end()
	if text := r.stderr.String(); text != before || len(runsOf(t, out)) != 1 {
		t.Errorf("a query has printed %q and run %d times", text, len(runsOf(t, out))-1)
	}

	lock := filepath.Join(out, ".t2map.lock")
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o777)); err != nil {
		t.Fatal(err)
	}
	r = startReading(t, out, "--reader", "R2")
	r.signFirst(r.first())
	r.stderr.until(t, "the run after a read: .*not a regular file\nhint: remove .t2map.lock")
	r.end()

	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	other := flock.New(lock)
	if locked, err := other.TryLock(); err != nil || !locked {
		t.Skip("this file system has no locks")
	}
	defer other.Close()
	r = startReading(t, out, "--reader", "R3")
	r.signFirst(r.first())
	r.stderr.until(t, "waiting: another run is writing into the folder")
	r.end() // it would wait for ever
	r.stderr.until(t, "t2map run maps the rest")
}

// Rows of a worklist without a study, and readers without one, are named when the server starts.
func TestReadWorklistReport(t *testing.T) {
	list := filepath.Join(t.TempDir(), "worklist.csv")
	text := "subject,visit,reader\nSA,,R1\nSA,baseline,R1\nSX,,R1\nSA,month99,R2\n"
	if err := os.WriteFile(list, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := readTasks(list)
	if err != nil {
		t.Fatal(err)
	}
	studies := []batch.ListedStudy{{Subject: "SA", Visit: "baseline"}, {Subject: "SB", Visit: "baseline"}}
	var got bytes.Buffer
	all.report(&got, studies, []string{"R1", "R2", "R3"}, false)
	const want = "worklist.csv: line 4: subject: there is no study of 'SX'\n" +
		"worklist.csv: line 5: subject: there is no study of 'SA', visit 'month99'\n" +
		"worklist.csv: reader R2 has no study\nworklist.csv: reader R3 has no study\n"
	if got.String() != want {
		t.Errorf("%s, want %s", &got, want)
	}
	got.Reset()
	if all.report(&got, studies, []string{"R1"}, true); got.String() != "worklist.csv: 2 rows match no study\n" {
		t.Errorf("blinded: %s", &got)
	}
	got.Reset()
	if all.report(&got, append(studies, batch.ListedStudy{Subject: "SX"}, batch.ListedStudy{Subject: "SA", Visit: "month99"}),
		[]string{"R1", "R2"}, false); got.Len() > 0 {
		t.Errorf("nothing is wrong: %s", &got)
	}
	many := &tasks{file: "worklist.csv"}
	for range mostNamed + 5 {
		many.rows = append(many.rows, task{subject: "SX", place: "here"})
	}
	got.Reset()
	many.report(&got, studies, nil, false)
	if text := got.String(); strings.Count(text, "here: ") != mostNamed || !strings.Contains(text, "25 rows match no study") {
		t.Error(text)
	}
	accounts, err := gate.ParseAccounts([]byte(strings.Join([]string{line(t, "R2", gate.Reader), line(t, "R1", gate.Reader),
		line(t, "A1", gate.Adjudicator)}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if got := readersAmong(gate.Options{Accounts: accounts}); !slices.Equal(got, []string{"R1", "R2"}) {
		t.Error(got)
	}
	if got := readersAmong(gate.Options{User: gate.User{Code: "A1", Role: gate.Adjudicator}}); len(got) > 0 {
		t.Error(got)
	}
}

func line(t *testing.T, code string, role gate.Role) string {
	t.Helper()
	text, err := gate.Line(gate.User{Code: code, Role: role}, "a long password")
	if err != nil {
		t.Fatal(err)
	}
	return text
}
