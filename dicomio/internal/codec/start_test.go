package codec

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/t2map/t2map/sandbox"
)

// The time before the first frame: for the module, inflated; for the code on disk from an
// earlier compilation; for an instance. Package sandbox measures a compilation.
func BenchmarkStart(b *testing.B) {
	b.Run("inflate", func(b *testing.B) {
		for b.Loop() {
			if _, err := readModule(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("disk", func(b *testing.B) {
		for b.Loop() {
			m, err := loadModule()
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := m.Close(b.Context()); err != nil {
				b.Error(err)
			}
			b.StartTimer()
		}
	})
	m, err := loadModule()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("instance", func(b *testing.B) {
		for b.Loop() {
			i, err := m.Instantiate(wazero.NewModuleConfig())
			if err != nil {
				b.Fatal(err)
			}
			i.Close()
		}
	})
	pool, err := foreign()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("taken", func(b *testing.B) {
		for b.Loop() {
			i, err := pool.Take()
			if err != nil {
				b.Fatal(err)
			}
			pool.Put(i)
		}
	})
}

// The module is the one described in its README.
func TestModule(t *testing.T) {
	z, err := gzip.NewReader(bytes.NewReader(moduleFile))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, z); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("wasm/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.Contains(string(readme), got) {
		t.Errorf("SHA-256 %s is not in wasm/README.md", got)
	}
}

// A decoder in an endless loop is stopped.
func TestTurns(t *testing.T) {
	m, err := loadModule()
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Instantiate(wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	i.Allow(1000, 0) // fewer than the constructors need
	if _, err := call(t.Context(), i, "_initialize"); err == nil || !strings.Contains(err.Error(), "steps") {
		t.Errorf("got %v", err)
	}
	if _, err := sandbox.NewPool(m, 1000, 0); err == nil {
		t.Error("a pool of instances that cannot start is accepted")
	}
}

// The module's own decoder of lossless JPEG, for comparison with ours.
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
