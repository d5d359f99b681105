package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// ErrTurns says that a call took all of its turns.
var ErrTurns = errors.New("stopped after the allowed number of steps")

// ErrAborted says that the module gave up: it trapped or exited, or its memory was not
// enough. A function that the module calls ends the call by a panic with ErrAborted or
// an error of its own.
var ErrAborted = errors.New("the module aborted")

// Instance is a module with a memory of its own, for one caller at a time. It is not to
// be used again after a call that failed.
type Instance struct {
	module api.Module
	memory *linear
	turns  api.MutableGlobal // that loops may still make
}

// linear is the memory of an instance. It grows up to a limit, beyond which the module
// is told that there is none.
type linear struct {
	bytes    []byte
	limit    uint64
	reserved uint64 // capacity to have from the next growth on
}

// Reallocate returns the memory with its new size, nil above the limit.
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

// Free lets go of the memory.
func (l *linear) Free() { l.bytes = nil }

// Instantiate returns an instance without calling any of its functions. The config says
// what the imports of WASI give it, if those are the runtime's; wazero.NewModuleConfig
// gives nothing. Until Allow is called, the instance has no turns and does not grow.
func (m *Module) Instantiate(config wazero.ModuleConfig) (*Instance, error) {
	i := &Instance{memory: &linear{limit: m.pages * PageSize}}
	allocate := func(_, _ uint64) experimental.LinearMemory { return i.memory }
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(allocate))
	var err error
	// Without a name there may be many.
	if i.module, err = m.runtime.InstantiateModule(ctx, m.compiled, config.WithName("").WithStartFunctions()); err != nil {
		return nil, ErrAborted
	}
	var ok bool
	if i.turns, ok = i.module.ExportedGlobal(turnsLeft).(api.MutableGlobal); !ok {
		return nil, errModule
	}
	return i, nil
}

// Allow gives the instance so many turns, and memory up to a limit in bytes. A limit
// below what it already has keeps it from growing.
func (i *Instance) Allow(turns, memory uint64) {
	i.turns.Set(turns)
	i.memory.limit = max(memory/PageSize*PageSize, uint64(len(i.memory.bytes)))
}

// Reserve makes room for so many bytes when the memory grows next: what it needs in the
// end is then not copied and left to the garbage collector on the way.
func (i *Instance) Reserve(size uint64) { i.memory.reserved = size }

// TurnsLeft returns how many turns the instance may still make.
func (i *Instance) TurnsLeft() uint64 { return i.turns.Get() }

// Close lets go of the instance.
func (i *Instance) Close() { _ = i.module.Close(context.Background()) } // nothing is left to be lost

// Call calls a function of the module that returns a number or nothing. Errors:
// ErrTurns, one with which an import ended the call, and ErrAborted, without the stack and
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

// Ended is an error with which a function that the module calls ends the call.
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
		return nil, fmt.Errorf("%w: its result lies outside its memory", ErrAborted)
	}
	return b, nil
}

// Write copies data to an address, and reports whether there is room.
func (i *Instance) Write(address uint32, data []byte) bool {
	return i.module.Memory().Write(address, data)
}
