package register

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/t2map/t2map/sandbox"
)

// Version is the version of elastix in the module. A test compares it with the module.
const Version = "5.2.0"

// moduleFile is the module that wasm/README.md describes.
//
//go:embed wasm/elastix.wasi.wasm.zst
var moduleFile []byte

// licences holds the licences of the software in the module.
//
//go:embed wasm/LICENSES.txt
var licences string

// Licences returns the licences of the software in the module.
func Licences() string { return licences }

// maxMemory is the limit of memory in bytes for every registration.
const maxMemory = 2 << 30

// elastix compiles the module when the first pair of images needs it.
var elastix = sync.OnceValues(func() (*sandbox.Module, error) {
	wasm, err := readModule()
	if err != nil {
		return nil, err
	}
	return sandbox.Load(
		sandbox.Program{Wasm: wasm, MaxMemory: maxMemory, Imports: func(ctx context.Context, r wazero.Runtime) error {
			_, err := wasi_snapshot_preview1.Instantiate(ctx, r)
			return err
		}},
	)
})

// readModule decompresses the module.
func readModule() ([]byte, error) {
	z, err := zstd.NewReader(bytes.NewReader(moduleFile), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	wasm, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("the WebAssembly module: %w", err)
	}
	return wasm, nil
}
