package segmenter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

var patient = Limits{Time: time.Minute, Bytes: 1 << 30}

func scratch(t *testing.T) *Scratch {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	s, err := NewScratch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Remove(); err != nil {
			t.Error(err)
		}
		if rest, _ := os.ReadDir(os.TempDir()); len(rest) > 0 {
			t.Errorf("Remove has not removed %v", rest)
		}
	})
	return s
}

func argv(args ...string) []string {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{exe, asProgram}, args...)
}

// running reports whether the process whose ID is in the file still runs after the time that it may take to end.
func running(t *testing.T, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if !alive(pid) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// A program gets its arguments unchanged, the scratch folder, the environment and an empty standard input.
func TestProgramEnvironment(t *testing.T) {
	s := scratch(t)
	t.Setenv("T2MAP_TEST", "passed")
	odd := []string{"a b", `"quoted" $HOME; rm -rf *`, "", "*"}
	r, err := run(t.Context(), argv(append([]string{"facts"}, odd...)...), s, patient)
	want := fmt.Sprintf("%s|%s|passed|0 EOF|%s", s.Dir, filepath.Join(s.Dir, "tmp"), odd)
	if err != nil || string(r.stdout.tail) != want {
		t.Errorf("%s, %v; want %s", r.stdout.tail, err, want)
	}
	if info, err := os.Stat(s.Dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestLastOutput(t *testing.T) {
	s := scratch(t)
	for _, c := range []struct{ stdout, stderr, want string }{
		{"", "", ""},
		{"out", "", "out"},
		{"out", " \n", "out"},
		{"out", "one\ntwo\n\nthree\nfour\n", "two | three | four"},
		{"", " 10%\r 20%\r100%\n", "10% | 20% | 100%"},
		{"", "\x1b[31;1mred\x1b[0m \u202etxt \x01\xff", "red txt �"},
		{"", "cannot read " + s.Input(), "cannot read {dir}" + strings.TrimPrefix(s.Input(), s.Dir)},
		{"", strings.Repeat("ä", 500), "…" + strings.Repeat("ä", 300)},
	} {
		r, err := run(t.Context(), argv("print", c.stdout, c.stderr), s, patient)
		if output := r.lastOutput(s); err != nil || output != c.want {
			t.Errorf("%q, %q: %q, %v; want %q", c.stdout, c.stderr, output, err, c.want)
		}
	}
}

func TestFirstLine(t *testing.T) {
	s := scratch(t)
	for _, c := range []struct{ stdout, stderr, want string }{
		{"1.2.3\nmore\n", "warning: old\n", "1.2.3"},
		{"\n  \n v1\t2 \n", "", "v1 2"},
		{"", "Version 7\n", "Version 7"},
	} {
		got, err := FirstLine(t.Context(), argv("print", c.stdout, c.stderr), s, patient)
		if err != nil || got != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
	got, err := FirstLine(t.Context(), argv("print", " ", "\n"), s, patient)
	if !errors.As(err, new(*NothingPrintedError)) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := FirstLine(t.Context(), argv("fail", "3", "no such option"), s, patient); err == nil ||
		err.Error() != "exit status 3; its last output: no such option" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	s := scratch(t)
	check := func(behaviour, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", behaviour, got, want)
		}
	}
	var exit *ExitError
	err := Run(t.Context(), argv("fail", "7", "Traceback:\n  line 1\nValueError: x"), s, patient)
	if !errors.As(err, &exit) || exit.Status != 7 {
		t.Fatalf("%v", err)
	}
	check("fail", err.Error(), "exit status 7; its last output: Traceback: | line 1 | ValueError: x")
	err = Run(t.Context(), argv("fail", "1", ""), s, patient)
	check("fail without output", err.Error(), "exit status 1; it printed nothing")
	if runtime.GOOS != "windows" {
		err = Run(t.Context(), argv("kill"), s, patient)
		if !errors.As(err, new(*SignalError)) {
			t.Fatalf("%v", err)
		}
		check("kill", err.Error(), "ended by a signal (killed); it printed nothing")
	}
	err = Run(t.Context(), argv("hang"), s, Limits{Time: 2 * time.Second, Bytes: 1 << 30})
	if !errors.As(err, new(*TimeoutError)) {
		t.Fatalf("%v", err)
	}
	check("hang", err.Error(), "not finished after 2s; its last output: waiting")
	err = Run(t.Context(), argv("fill"), s, Limits{Time: time.Minute, Bytes: 8 << 20})
	if !errors.As(err, new(*ScratchSizeError)) {
		t.Fatalf("%v", err)
	}
	check("fill", err.Error(), "its scratch folder holds more than 8 MiB")
	// The size is also checked after a program that ends before the first check.
	if err := os.WriteFile(filepath.Join(s.Dir, "tmp", "large"), make([]byte, 9<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), argv("print", "", ""), s, Limits{Time: time.Minute, Bytes: 8 << 20})
	if !errors.As(err, new(*ScratchSizeError)) {
		t.Errorf("%v", err)
	}
	err = Run(t.Context(), []string{filepath.Join(s.Dir, "nowhere")}, s, patient)
	if !errors.As(err, new(*StartError)) || strings.Contains(err.Error(), s.Dir) {
		t.Errorf("%v", err)
	}
	script := filepath.Join(s.Dir, "text")
	if err := os.WriteFile(script, []byte("not a program\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err = Run(t.Context(), []string{script}, s, patient); runtime.GOOS != "windows" &&
		(!errors.As(err, new(*StartError)) || strings.Contains(err.Error(), s.Dir)) {
		t.Errorf("%v", err)
	}
}

// Of a long output only the beginning and the end are kept in memory.
func TestChatter(t *testing.T) {
	s := scratch(t)
	r, err := run(t.Context(), argv("chatter"), s, patient)
	if !errors.As(err, new(*ExitError)) || !strings.HasSuffix(err.Error(), "| the end") || len(r.stderr.head) > kept ||
		cap(r.stderr.tail) > 64*kept {
		t.Errorf("%v, %d bytes in %d", err, len(r.stderr.tail), cap(r.stderr.tail))
	}
}

// Processes that a program has started end with it, whatever ends the program. A process that keeps the program's
// output open does not delay the run.
func TestChildrenEnd(t *testing.T) {
	s := scratch(t)
	pid := filepath.Join(s.Dir, "tmp", "pid")
	start := time.Now()
	if err := Run(t.Context(), argv("leave", pid), s, patient); err != nil {
		t.Error(err)
	}
	if running(t, pid) {
		t.Error("a child outlives the program that has ended")
	}
	err := Run(t.Context(), argv("stubborn", pid), s, Limits{Time: time.Second, Bytes: 1 << 30})
	if !errors.As(err, new(*TimeoutError)) {
		t.Error(err)
	}
	if running(t, pid) {
		t.Error("a child outlives the time limit")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	if err = Run(ctx, argv("stubborn", pid), s, patient); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if running(t, pid) {
		t.Error("a child outlives the run")
	}
	if err = Run(ctx, argv("stubborn", pid), s, patient); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("all took %s", took)
	}
}

// A program ends with the process that runs it, even if that process is killed.
func TestProgramEndsWithItsHost(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "windows" {
		t.Skip("the system does not do this")
	}
	t.Setenv("TMPDIR", t.TempDir())
	pid := filepath.Join(t.TempDir(), "pid")
	host := exec.Command(argv()[0], argv("host", pid)[1:]...)
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if text, _ := os.ReadFile(pid); len(text) > 0 {
			break
		}
		if n > 1000 {
			t.Fatal("the program does not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	if running(t, pid) {
		t.Error("the program still runs")
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(exe)
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "bin"), 0o777)
	}
	name := "tool" + filepath.Ext(exe)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "bin", name), data, 0o777)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "text"), nil, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "bin", name)
	t.Setenv("PATH", filepath.Join(dir, "bin"))
	for _, asked := range []string{name, "bin/" + name, "./bin/" + name, want} {
		if got, err := Find(asked, dir); err != nil || got != want {
			t.Errorf("%s: %s, %v", asked, got, err)
		}
	}
	for _, asked := range []string{"", " ", "nowhere", "bin/nowhere", "bin", "./bin", "text", "./text", dir} {
		if got, err := Find(asked, dir); !errors.As(err, new(*NotFoundError)) {
			t.Errorf("%s: %s, %v", asked, got, err)
		}
	}
}

func TestExpand(t *testing.T) {
	args := []string{"{input}", "--in={input}", "{dir}/output", `{"a": 1}`, "{other}", "{Input}", "{}"}
	got := Expand(args, map[string]string{"{input}": "/x {dir}", "{dir}": "/d"})
	want := []string{"/x {dir}", "--in=/x {dir}", "/d/output", `{"a": 1}`, "{other}", "{Input}", "{}"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Placeholders(args); strings.Join(got, " ") != "{input} {input} {dir} {other}" {
		t.Errorf("%q", got)
	}
}

func TestResult(t *testing.T) {
	for _, c := range []struct {
		name  string
		write []string // below output
		want  string   // of the path, or of the error
	}{
		{"the output", []string{"knee.nii.gz"}, "knee.nii.gz"},
		{"another name", []string{"pred.NII"}, "pred.NII"},
		{"in a folder", []string{"fold/x.nii.gz"}, "x.nii.gz"},
		{"beside other files", []string{"knee.nii.gz", "plans.json", "log.txt"}, "knee.nii.gz"},
		{"nothing", nil, "no label map (.nii, .nii.gz) in {dir}/output"},
		{"other files", []string{"plans.json", "knee.nrrd"}, "no label map (.nii, .nii.gz) in {dir}/output"},
		{"two", []string{"knee.nii.gz", "a/b\x07.nii"}, "2 label maps in {dir}/output, want one: a/b .nii, " +
			"knee.nii.gz"},
		{"five", []string{"1.nii", "2.nii", "3.nii", "4.nii", "5.nii"}, "5 label maps in {dir}/output, want one: " +
			"1.nii, 2.nii, 3.nii and 2 more"},
		{"large", []string{"large.nii"}, "the label map has 100 bytes, more than a float64 label map on the grid of " +
			"the image, which has 99"},
	} {
		if runtime.GOOS == "windows" && strings.Contains(c.want, "b .nii") {
			continue // whose names cannot have control characters
		}
		s := scratch(t)
		for _, name := range c.write {
			path := filepath.Join(s.Dir, "output", filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path,
				make([]byte, 10*len(name)-10*len("large.nii")+100), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		most := int64(1 << 10)
		if c.name == "large" {
			most = 99
		}
		got, err := s.Result(most)
		if err != nil {
			got = err.Error()
		} else {
			got = filepath.Base(got)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	s := scratch(t)
	if err := os.Symlink("/etc/passwd", s.output()); err != nil {
		t.Skip(err)
	}
	if _, err := s.Result(1 << 20); !errors.As(err, new(*OutputKindError)) ||
		err.Error() != "{dir}/output/knee.nii.gz is a link, not a file" {
		t.Errorf("a link: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(s.Dir, "output")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Result(1 << 20); !errors.As(err, new(*NoOutputError)) {
		t.Errorf("without its folder: %v", err)
	}
}

// A folder that the program has protected is removed too. The targets of links in it are not removed.
func TestRemove(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(outside, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s := scratch(t)
	deep := filepath.Join(s.Dir, "tmp", "a", "b")
	err := errors.Join(os.MkdirAll(deep, 0o777), os.WriteFile(filepath.Join(deep, "x"), nil, 0o400),
		os.Symlink(filepath.Dir(outside), filepath.Join(deep, "link")), os.Chmod(deep, 0o500),
		os.Chmod(filepath.Dir(deep), 0))
	if err != nil {
		t.Skip(err)
	}
	if err := s.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{"30m": 30 * time.Minute, "2h": 2 * time.Hour,
		"1h30m": 90 * time.Minute, "90ms": 90 * time.Millisecond, "1m30s": 90 * time.Second, "20s": 20 * time.Second} {
		if got := duration(d); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
