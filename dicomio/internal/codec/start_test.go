package codec

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// How long the first frame waits: for the module, inflated and metered; for its
// compilation, or for what is on disk of an earlier one; for an instance of it.
func BenchmarkStart(b *testing.B) {
	wasm, err := readModule()
	if err != nil {
		b.Fatal(err)
	}
	start := func(b *testing.B, dir string) {
		b.Helper()
		l, err := newLibrary(wasm, diskCache(dir))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := l.runtime.Close(b.Context()); err != nil {
			b.Error(err)
		}
		b.StartTimer()
	}
	b.Run("inflate", func(b *testing.B) {
		for b.Loop() {
			if _, err := readModule(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			start(b, "")
		}
	})
	b.Run("disk", func(b *testing.B) {
		dir := b.TempDir()
		start(b, dir)
		for b.Loop() {
			start(b, dir)
		}
	})
	l, err := foreign()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("instance", func(b *testing.B) {
		for b.Loop() {
			i, err := l.instantiate()
			if err != nil {
				b.Fatal(err)
			}
			i.close()
		}
	})
	i, err := l.instantiate()
	if err != nil {
		b.Fatal(err)
	}
	defer i.close()
	b.Run("reset", func(b *testing.B) {
		for b.Loop() {
			i.reset()
		}
	})
}

// The module is the one that its README describes.
func TestModule(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(moduleFile))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, z); err != nil {
		t.Fatal(err)
	}
	about, err := os.ReadFile("wasm/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.Contains(string(about), got) {
		t.Errorf("SHA-256 %s is not in wasm/README.md", got)
	}
}

// A cache directory that cannot be had is no reason to fail.
func TestDiskCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), file, ""} {
		for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData", "home"} {
			t.Setenv(name, dir)
		}
		if diskCache(cacheDir()) == nil {
			t.Errorf("no cache for %q", dir)
		}
	}
}

// What is on disk may be damaged: then the module is compiled again, once.
func TestDamagedCache(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles for seconds")
	}
	base := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, base)
	}
	for round := range 3 {
		l, err := loadLibrary()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.runtime.Close(t.Context()); err != nil {
			t.Error(err)
		}
		files, err := filepath.Glob(filepath.Join(cacheDir(), "*", "*"))
		if err != nil || len(files) != 1 {
			t.Fatal("not one file: ", files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			data = data[:len(data)/2]
		} else {
			data[len(data)-len(data)/3] ^= 0xff
		}
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A decoder that never ends is stopped.
func TestTurns(t *testing.T) {
	l, err := foreign()
	if err != nil {
		t.Fatal(err)
	}
	i, err := l.instantiate()
	if err != nil {
		t.Fatal(err)
	}
	i.turns.Set(1000) // fewer than the constructors need
	if _, err := i.call(t.Context(), "_initialize"); err == nil || !strings.Contains(err.Error(), "steps") {
		t.Errorf("got %v", err)
	}
}

// A module that is not as expected is refused, whatever is in it.
func FuzzMetered(f *testing.F) {
	wasm, err := readModule()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wasm[:10000])
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x07\x01\x01\x80\x20\x80\x80\x02"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = metered(data, firstPages)
	})
}

// The module's own decoder of lossless JPEG, for comparison with the one here.
func BenchmarkForeignLossless(b *testing.B) {
	f := Frame{Rows: 384, Columns: 384, Samples: 1, Allocated: 16, Stored: 12}
	file, err := os.ReadFile("../../../../shared/data/transfer-syntaxes/6.dcm")
	if err != nil {
		b.Skip("../../../../shared/data is not here (docs/real-scans.md says where to get it)")
	}
	data := file[bytes.Index(file, []byte{0xff, 0xd8, 0xff, 0xc3}):]
	h, err := readJPEGFrame(f, jpegLossless, data)
	if err != nil {
		b.Fatal(err)
	}
	j := job{function: "DecodeJpeg", frame: f, data: data, coding: h.coding(false)}
	dst := make([]byte, f.size())
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		if err := j.run(dst); err != nil {
			b.Fatal(err)
		}
	}
}
