package codec

import (
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

// How long the first frame waits: go test -run Start -v.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for seconds")
	}
	t0 := time.Now()
	wasm, err := readModule()
	if err != nil {
		t.Fatal(err)
	}
	t.Log("inflated in", time.Since(t0))
	dir := t.TempDir()
	for _, what := range []string{"compiled", "from disk"} {
		cache, err := wazero.NewCompilationCacheWithDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		t0 = time.Now()
		l, err := newLibrary(wasm, cache)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(what, "in", time.Since(t0))
		t0 = time.Now()
		if _, err := l.instantiate(); err != nil {
			t.Fatal(err)
		}
		t.Log("first instance in", time.Since(t0))
		t0 = time.Now()
		i, err := l.instantiate()
		if err != nil {
			t.Fatal(err)
		}
		t.Log("second instance in", time.Since(t0))
		t0 = time.Now()
		i.reset()
		t.Log("reset in", time.Since(t0))
		if err := l.runtime.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := cache.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
