package t2fit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The compiler may fuse x·y + z on most machines but not on amd64, where the tests run. Therefore
// the output of the compiler for arm64 is searched for such instructions. They are correct if the
// source uses math.FMA, which every machine follows.
func TestNoFusedMultiplyAdd(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for another machine")
	}
	cmd := exec.Command("go", "build", "-gcflags=./...=-S", "./...")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Skip("cannot compile for arm64: ", err)
	}
	place := regexp.MustCompile(`\(([^()]*\.go):(\d+)\)\tFN?M(ADD|SUB)`)
	asked := 0
	for line := range strings.Lines(string(text)) {
		m := place.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[2])
		source := sourceLine(t, m[1], n)
		if !strings.Contains(source, "math.FMA(") {
			t.Errorf("%s:%d is fused: %s", filepath.Base(m[1]), n, source)
		}
		asked++
	}
	if asked == 0 {
		t.Fatal("the listing shows no fused instruction: the check reads the wrong thing")
	}
}

// sourceLine returns line n of a file.
func sourceLine(t *testing.T, path string, n int) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if n < 1 || n > len(lines) {
		t.Fatalf("%s has no line %d", path, n)
	}
	return strings.TrimSpace(lines[n-1])
}
