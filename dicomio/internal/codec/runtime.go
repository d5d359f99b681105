package codec

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"io"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/t2map/t2map/sandbox"
)

// moduleFile is the module described in wasm/README.md.
//
//go:embed wasm/dcmjs-native-codecs.wasm.gz
var moduleFile []byte

// maxMemory limits the memory of an instance for any frame: the module itself asks for no
// more than 2 GiB.
const maxMemory = 2 << 30

// maxIdle is the largest memory of an idle instance that is kept: it covers frames up to
// about 1024 × 1024 pixels.
const maxIdle = 32 << 20

// foreign compiles the module when it is first needed. The pool of instances saves running
// its constructors, which takes a few hundredths of a second.
var foreign = sync.OnceValues(func() (*sandbox.Pool, error) {
	m, err := loadModule()
	if err != nil {
		return nil, err
	}
	return sandbox.NewPool(m, turnsToStart, maxIdle)
})

func loadModule() (*sandbox.Module, error) {
	wasm, err := readModule()
	if err != nil {
		return nil, err
	}
	return sandbox.Load(sandbox.Program{Wasm: wasm, Pages: firstPages, MaxMemory: maxMemory, Imports: addImports})
}

// readModule inflates the module.
func readModule() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(moduleFile))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// firstPages is the initial memory of an instance: its data and stack end below 1 MiB, and
// a frame of 256 × 256 pixels needs little more than another. By itself the module would
// take 256 MiB for each instance at once, which the garbage collector would count as used.
// It asks for more memory when necessary.
const firstPages = 32

// WASI's error codes (preview 1).
const (
	wasiSuccess = 0
	wasiBadFile = 8
)

// addImports adds the functions that the module calls. They give access to no files and no
// environment, and the clock stands still.
func addImports(ctx context.Context, r wazero.Runtime) error {
	const i32, i64 = api.ValueTypeI32, api.ValueTypeI64
	ignore := func(context.Context, uint32, uint32) {}
	exit := func(context.Context, uint32) { panic(sandbox.Ended{Err: errAborted}) }
	write := func(_ context.Context, _, _, _, _ uint32) uint32 { return wasiBadFile }
	seek := func(_ context.Context, _ uint32, _ uint64, _, _ uint32) uint32 { return wasiBadFile }
	closeFile := func(context.Context, uint32) uint32 { return wasiBadFile }
	environment := func(context.Context, uint32, uint32) uint32 { return wasiSuccess }
	_, err := r.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithFunc(onException).Export("onCodecsException").
		NewFunctionBuilder().WithFunc(ignore).Export("onCodecsInfo").
		NewFunctionBuilder().WithFunc(ignore).Export("onCodecsTrace").
		NewFunctionBuilder().WithFunc(func(context.Context, uint32) {}).Export("emscripten_notify_memory_growth").
		Instantiate(ctx)
	if err != nil {
		return err
	}
	_, err = r.NewHostModuleBuilder("wasi_snapshot_preview1").
		NewFunctionBuilder().WithFunc(exit).Export("proc_exit").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(clock), []api.ValueType{i32, i64, i32},
		[]api.ValueType{i32}).Export("clock_time_get").
		NewFunctionBuilder().WithFunc(write).Export("fd_write").
		NewFunctionBuilder().WithFunc(seek).Export("fd_seek").
		NewFunctionBuilder().WithFunc(closeFile).Export("fd_close").
		NewFunctionBuilder().WithFunc(environment).Export("environ_get").
		NewFunctionBuilder().WithFunc(noEnvironment).Export("environ_sizes_get").
		Instantiate(ctx)
	return err
}

var (
	errAborted = errors.New("the decoder failed")
	errTurns   = errors.New("stopped after many times the usual number of steps")
)

// call calls a function of the module and converts its errors.
func call(ctx context.Context, i *sandbox.Instance, name string, parameters ...uint64) (uint32, error) {
	value, err := i.Call(ctx, name, parameters...)
	switch {
	case errors.Is(err, sandbox.ErrTurns):
		return 0, errTurns
	case errors.Is(err, sandbox.ErrAborted):
		return 0, errAborted
	}
	return value, err
}

// decoderError is a message of a decoder about the data.
type decoderError string

func (e decoderError) Error() string { return string(e) }

// longestMessage limits the message of a decoder, which may quote the file.
const longestMessage = 200

// onException ends the decoding, since the module does not expect it to return.
func onException(_ context.Context, m api.Module, address, length uint32) {
	text, _ := m.Memory().Read(address, min(length, longestMessage))
	panic(sandbox.Ended{Err: decoderError(bytes.ToValidUTF8(text, []byte("?")))})
}

// clock always returns the beginning of 1970. The constructor of a library calls it 131072
// times, so that it is called without reflection.
func clock(_ context.Context, m api.Module, stack []uint64) {
	m.Memory().WriteUint64Le(uint32(stack[2]), 0)
	stack[0] = wasiSuccess
}

func noEnvironment(_ context.Context, m api.Module, count, size uint32) uint32 {
	m.Memory().WriteUint32Le(count, 0)
	m.Memory().WriteUint32Le(size, 0)
	return wasiSuccess
}
