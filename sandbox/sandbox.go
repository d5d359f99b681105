// Package sandbox runs WebAssembly modules that nobody needs to trust: decoders of
// compressed images and the registration, which are C++. The nouns:
//
//   - a module is compiled code, kept in the user's cache directory between processes;
//   - an instance is a module with a memory of its own, for one caller at a time.
//
// An instance gets nothing of the world but what its module's imports give it, memory up
// to a limit, and a number of turns of its loops (meter.go). One that failed is closed
// and not used again. The same calls give the same bytes in every instance, since
// WebAssembly leaves nothing to the machine but the bits of a NaN.
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

// PageSize is that of WebAssembly's memory.
const PageSize = 64 << 10

// Program is what is compiled to a Module.
type Program struct {
	// Wasm is the module as it was published. It may have one memory, no imported
	// globals, and fewer than 127 of its own.
	Wasm []byte
	// Pages is the memory that an instance begins with, less than the module asks for;
	// 0 leaves it as it is.
	Pages uint64
	// MaxMemory bounds what an instance may use, in bytes, whatever its own limit.
	MaxMemory uint64
	// Imports adds the functions that the module calls.
	Imports func(context.Context, wazero.Runtime) error
}

// Module is a compiled program.
type Module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	pages    uint64 // of an instance when it begins
}

// Load meters and compiles the program, or takes what was compiled earlier from the
// user's cache directory. What lies there is compiled again if it is damaged, and kept in
// memory where there is no such directory.
func Load(p Program) (*Module, error) {
	var err error
	if p.Wasm, err = metered(p.Wasm, p.Pages); err != nil {
		return nil, err
	}
	dir := cacheDir()
	m, err := p.compile(diskCache(dir))
	if err != nil && dir != "" {
		// What is on disk may be damaged.
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

// findMemory notes the size of the memory that an instance begins with.
func (m *Module) findMemory() error {
	for _, memory := range m.compiled.ExportedMemories() {
		m.pages = uint64(memory.Min())
		return nil
	}
	return errModule
}

// Close lets go of the module and of its instances.
func (m *Module) Close(ctx context.Context) error { return m.runtime.Close(ctx) }

// cacheDir returns the directory for what was compiled, about 100 MB, within the user's
// cache directory, "" where that cannot be had. Since what lies there is run as it is,
// no one else may be able to write there.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(base, "t2map")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ""
	}
	const othersMayWrite = 0o022 // Windows has no such bits: there the directory is the user's profile
	if st, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && st.Mode().Perm()&othersMayWrite != 0 {
		return ""
	}
	return dir
}

// diskCache keeps what is compiled in dir, or in memory where there is none. A file is
// written under another name and then takes its own, so that two processes may do so
// at once.
func diskCache(dir string) wazero.CompilationCache {
	if dir != "" {
		if cache, err := wazero.NewCompilationCacheWithDir(dir); err == nil {
			return cache
		}
	}
	return wazero.NewCompilationCache()
}
