package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// ErrTurns means that a call used up all of its loop iterations.
var ErrTurns = errors.New("stopped after the allowed number of steps")

// ErrAborted means that the module failed: it trapped, exited or ran out of memory. An imported
// function ends the call by a panic with Ended.
var ErrAborted = errors.New("the module failed")

// Instance is a module with its own memory, for one caller at a time. It must not be used
// after a call that failed.
type Instance struct {
	module api.Module
	memory *linear
	turns  api.MutableGlobal // iterations of loops that are left
}

// linear is the memory of an instance. It grows up to a limit, above which the module gets
// no memory.
type linear struct {
	bytes    []byte
	limit    uint64
	reserved uint64 // capacity to allocate at the next growth
}

// Reallocate returns the memory with its new size, or nil above the limit.
func (l *linear) Reallocate(size uint64) []byte {
	if size > l.limit {
		return nil
	}
	if size > uint64(cap(l.bytes)) {
		grown := make([]byte, len(l.bytes), min(l.limit, max(size, l.reserved, 2*uint64(cap(l.bytes)))))
		copy(grown, l.bytes)
		l.bytes = grown
	}
	l.bytes = l.bytes[:size]
	return l.bytes
}

// Free releases the memory.
func (l *linear) Free() { l.bytes = nil }

// Instantiate returns an instance without calling any of its functions. The config sets
// what the module can access through WASI, if the runtime implements the imports;
// wazero.NewModuleConfig gives access to nothing. Until Allow is called, the instance has
// no turns and cannot grow.
func (m *Module) Instantiate(config wazero.ModuleConfig) (*Instance, error) {
	i := &Instance{memory: &linear{limit: m.pages * PageSize}}
	allocate := func(_, _ uint64) experimental.LinearMemory { return i.memory }
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(allocate))
	var err error
	// Only instances without a name can coexist.
	if i.module, err = m.runtime.InstantiateModule(ctx, m.compiled,
		config.WithName("").WithStartFunctions()); err != nil {
		return nil, ErrAborted
	}
	var ok bool
	if i.turns, ok = i.module.ExportedGlobal(turnsLeft).(api.MutableGlobal); !ok {
		return nil, errModule
	}
	return i, nil
}

// Allow sets the number of turns and the limit of memory in bytes. If the limit is below
// the present size, the memory cannot grow.
func (i *Instance) Allow(turns, memory uint64) {
	i.turns.Set(turns)
	i.memory.limit = max(memory/PageSize*PageSize, uint64(len(i.memory.bytes)))
}

// Reserve sets the capacity of the next growth, so that a large memory is not copied
// several times on the way.
func (i *Instance) Reserve(size uint64) { i.memory.reserved = size }

// Close releases the instance.
func (i *Instance) Close() { _ = i.module.Close(context.Background()) } // it holds no data to be saved

// Call calls a function of the module that returns a number or nothing. Errors: ErrTurns,
// the error with which an import ended the call, and ErrAborted, without the stack and
// registers that the runtime adds.
func (i *Instance) Call(ctx context.Context, name string, parameters ...uint64) (uint32, error) {
	f := i.module.ExportedFunction(name)
	if f == nil {
		return 0, errModule
	}
	results, err := f.Call(ctx, parameters...)
	if err != nil {
		return 0, i.plain(err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return uint32(results[0]), nil
}

// Ended is the panic with which an imported function ends the call.
type Ended struct{ Err error }

func (e Ended) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e Ended) Unwrap() error { return e.Err }

func (i *Instance) plain(err error) error {
	var ended Ended
	switch {
	case i.turns.Get() == 0:
		return ErrTurns
	case errors.As(err, &ended):
		return ended.Err
	}
	return ErrAborted
}

// Read returns length bytes of the memory at an address. They are valid until the next
// call.
func (i *Instance) Read(address, length uint32) ([]byte, error) {
	b, ok := i.module.Memory().Read(address, length)
	if !ok {
		return nil, fmt.Errorf("%w: its result is outside its memory", ErrAborted)
	}
	return b, nil
}

// Write copies data to an address, and reports whether it is within the memory.
func (i *Instance) Write(address uint32, data []byte) bool {
	return i.module.Memory().Write(address, data)
}
