package codec

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// moduleFile is the module that wasm/README.md describes.
//
//go:embed wasm/dcmjs-native-codecs.wasm.gz
var moduleFile []byte

// pageSize is that of WebAssembly's memory.
const pageSize = 64 << 10

// maxMemory bounds what an instance may use, whatever the frame: the module itself
// asks for no more than 2 GiB.
const maxMemory = 2 << 30

// library is the compiled module with the functions that it calls.
type library struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	fresh    []byte // the memory of an instance whose constructors have run
	idle     pool
}

// foreign compiles the module when the first frame needs it.
var foreign = sync.OnceValues(loadLibrary)

func loadLibrary() (*library, error) {
	wasm, err := readModule()
	if err != nil {
		return nil, err
	}
	dir := cacheDir()
	l, err := newLibrary(wasm, diskCache(dir))
	if err != nil && dir != "" {
		// What is on disk may be damaged.
		damaged, _ := filepath.Glob(filepath.Join(dir, "wazero-*"))
		for _, d := range damaged {
			_ = os.RemoveAll(d) // or the next process will have to try again
		}
		l, err = newLibrary(wasm, diskCache(dir))
	}
	if err != nil { // or the disk be full
		l, err = newLibrary(wasm, wazero.NewCompilationCache())
	}
	if err != nil {
		return nil, fmt.Errorf("the WebAssembly module: %w", err)
	}
	return l, nil
}

// readModule returns the module with a counter, told to begin with less memory: it
// would take 256 MiB for each instance at once, which the garbage collector would
// count as used. It asks for more by itself.
func readModule() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(moduleFile))
	if err != nil {
		return nil, err
	}
	wasm, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return metered(wasm, firstPages)
}

// firstPages is the memory that an instance begins with: its data and stack end below
// 1 MiB, and a frame of 256 × 256 pixels needs little more than another.
const firstPages = 32

// cacheDir returns the directory for what was compiled, about 20 MB, within the user's
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

func newLibrary(wasm []byte, cache wazero.CompilationCache) (*library, error) {
	ctx := experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0))
	config := wazero.NewRuntimeConfig().
		WithCompilationCache(cache).
		WithMemoryLimitPages(maxMemory / pageSize)
	l := &library{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	err := l.addImports(ctx)
	if err == nil {
		l.compiled, err = l.runtime.CompileModule(ctx, wasm)
	}
	if err == nil {
		err = l.construct()
	}
	if err != nil {
		return nil, errors.Join(err, l.runtime.Close(ctx), cache.Close(ctx))
	}
	return l, nil
}

// WASI's error codes (preview 1).
const (
	wasiSuccess = 0
	wasiBadFile = 8
)

// addImports adds the functions that the module calls. It gets nothing of the world:
// no files, no environment, and a clock that stands still.
func (l *library) addImports(ctx context.Context) error {
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	ignore := func(context.Context, uint32, uint32) {}
	_, err := l.runtime.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithFunc(onException).Export("onCodecsException").
		NewFunctionBuilder().WithFunc(ignore).Export("onCodecsInfo").
		NewFunctionBuilder().WithFunc(ignore).Export("onCodecsTrace").
		NewFunctionBuilder().WithFunc(func(context.Context, uint32) {}).Export("emscripten_notify_memory_growth").
		Instantiate(ctx)
	if err != nil {
		return err
	}
	_, err = l.runtime.NewHostModuleBuilder("wasi_snapshot_preview1").
		NewFunctionBuilder().WithFunc(func(context.Context, uint32) { panic(errAborted) }).Export("proc_exit").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(clock), []api.ValueType{i32, i64, i32}, []api.ValueType{i32}).Export("clock_time_get").
		NewFunctionBuilder().WithFunc(func(_ context.Context, _, _, _, _ uint32) uint32 { return wasiBadFile }).Export("fd_write").
		NewFunctionBuilder().WithFunc(func(_ context.Context, _ uint32, _ uint64, _, _ uint32) uint32 { return wasiBadFile }).Export("fd_seek").
		NewFunctionBuilder().WithFunc(func(context.Context, uint32) uint32 { return wasiBadFile }).Export("fd_close").
		NewFunctionBuilder().WithFunc(func(context.Context, uint32, uint32) uint32 { return wasiSuccess }).Export("environ_get").
		NewFunctionBuilder().WithFunc(noEnvironment).Export("environ_sizes_get").
		Instantiate(ctx)
	return err
}

var errAborted = errors.New("the decoder gave up")

// decoderError is what a decoder says of the data.
type decoderError string

func (e decoderError) Error() string { return string(e) }

// longestMessage of a decoder is shown; it may hold what a file says.
const longestMessage = 200

// onException ends the decoding: the module expects not to be returned to.
func onException(_ context.Context, m api.Module, at, length uint32) {
	text, _ := m.Memory().Read(at, min(length, longestMessage))
	panic(decoderError(bytes.ToValidUTF8(text, []byte("?"))))
}

// clock tells that no time has gone by since 1970. A library's constructor asks it
// 131072 times, so that it is called without reflection.
func clock(_ context.Context, m api.Module, stack []uint64) {
	m.Memory().WriteUint64Le(uint32(stack[2]), 0)
	stack[0] = wasiSuccess
}

func noEnvironment(_ context.Context, m api.Module, count, size uint32) uint32 {
	m.Memory().WriteUint32Le(count, 0)
	m.Memory().WriteUint32Le(size, 0)
	return wasiSuccess
}
