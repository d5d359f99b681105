// Package sandbox runs WebAssembly modules that need not be trusted: decoders of compressed
// images and registration, which are written in C++. Its terms are:
//
//   - a module is compiled code, kept in the user's cache directory between processes;
//   - an instance is a module with its own memory, for one caller at a time.
//
// An instance can access only what its module's imports provide, memory up to a limit, and
// a number of iterations of its loops (meter.go). An instance that failed is closed and not
// used again. The same calls give the same bytes in every instance, since only the bits of
// a NaN depend on the machine in WebAssembly.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

// PageSize is the size of a page of WebAssembly memory.
const PageSize = 64 << 10

// Program is the source of a Module.
type Program struct {
	// Wasm is the module as published. It may have one memory, no imported globals, and
	// fewer than 127 others.
	Wasm []byte
	// Pages is the initial memory of an instance, less than the module asks for; 0 leaves
	// it unchanged.
	Pages uint64
	// MaxMemory is an upper limit in bytes for every instance.
	MaxMemory uint64
	// Imports adds the functions that the module calls.
	Imports func(context.Context, wazero.Runtime) error
}

// Module is a compiled program.
type Module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	pages    uint64 // initial memory of an instance
}

// Load meters and compiles the program, or loads compiled code from the user's cache
// directory. Damaged code is compiled again. Without such a directory, the code is kept in
// memory.
func Load(p Program) (*Module, error) {
	var err error
	if p.Wasm, err = metered(p.Wasm, p.Pages); err != nil {
		return nil, err
	}
	dir := cacheDir()
	m, err := p.compile(diskCache(dir))
	if err != nil && dir != "" {
		// The files on disk may be damaged.
		damaged, _ := filepath.Glob(filepath.Join(dir, "wazero-*"))
		for _, d := range damaged {
			_ = os.RemoveAll(d) // or the next process will have to try again
		}
		m, err = p.compile(diskCache(dir))
	}
	if err != nil { // the disk may be full
		m, err = p.compile(wazero.NewCompilationCache())
	}
	if err != nil {
		return nil, fmt.Errorf("the WebAssembly module: %w", err)
	}
	return m, nil
}

// compile compiles the metered program.
func (p Program) compile(cache wazero.CompilationCache) (*Module, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	config := wazero.NewRuntimeConfig().
		WithCompilationCache(cache).
		WithMemoryLimitPages(uint32(p.MaxMemory / PageSize))
	m := &Module{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	err := p.Imports(ctx, m.runtime)
	if err == nil {
		m.compiled, err = m.runtime.CompileModule(ctx, p.Wasm)
	}
	if err == nil {
		err = m.findMemory()
	}
	if err != nil {
		return nil, errors.Join(err, m.runtime.Close(ctx), cache.Close(ctx))
	}
	return m, nil
}

// findMemory records the initial memory of an instance.
func (m *Module) findMemory() error {
	for _, memory := range m.compiled.ExportedMemories() {
		m.pages = uint64(memory.Min())
		return nil
	}
	return errModule
}

// Close releases the module and its instances. A module that is not closed stays in memory until the
// process ends.
func (m *Module) Close(ctx context.Context) error { return m.runtime.Close(ctx) }

// cacheDir returns the directory of compiled code, about 100 MB, within the user's cache
// directory, or "" if it cannot be used. Since the code there is run unchecked, nobody else
// may have permission to write it.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(base, "t2map")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	const othersMayWrite = 0o022 // Windows has no such bits; the directory is in the user's profile there
	if st, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && st.Mode().Perm()&othersMayWrite != 0 {
		return ""
	}
	return dir
}

// diskCache keeps compiled code in dir, or in memory if dir is "". A file is written under
// another name and then renamed, so that two processes can write it at once.
func diskCache(dir string) wazero.CompilationCache {
	if dir != "" {
		if cache, err := wazero.NewCompilationCacheWithDir(dir); err == nil {
			return cache
		}
	}
	return wazero.NewCompilationCache()
}
