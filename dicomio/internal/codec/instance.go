package codec

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// instance is the module with a memory of its own, for one caller at a time. Every
// frame finds it as it was when it was new: what a frame becomes depends on no other,
// and what a hostile one left behind is gone.
type instance struct {
	module api.Module
	memory *linear
	turns  api.MutableGlobal // that loops may still make
	fresh  []byte            // the library's
}

// linear is the memory of an instance. It grows up to a limit, beyond which the module
// is told that there is none.
type linear struct {
	bytes []byte
	limit uint64
}

// Reallocate returns the memory with its new size, nil above the limit.
func (l *linear) Reallocate(size uint64) []byte {
	if size > l.limit {
		return nil
	}
	if size > uint64(cap(l.bytes)) {
		grown := make([]byte, len(l.bytes), min(l.limit, max(size, 2*uint64(cap(l.bytes)))))
		copy(grown, l.bytes)
		l.bytes = grown
	}
	l.bytes = l.bytes[:size]
	return l.bytes
}

// Free lets go of the memory.
func (l *linear) Free() { l.bytes = nil }

// construct runs the constructors of the libraries once, in an instance of which the
// memory is kept. A WebAssembly global, the stack's end, is afterwards what it was, and
// there are no others: with that memory every instance is as if it had run them, which
// takes a few hundredths of a second.
func (l *library) construct() error {
	i, err := l.instantiate()
	if err != nil {
		return err
	}
	i.turns.Set(turnsToStart)
	ctx := context.Background()
	if _, err := i.call(ctx, "_initialize"); err != nil {
		return err
	}
	l.fresh = append([]byte(nil), i.memory.bytes...)
	return i.module.Close(ctx)
}

// instantiate returns an instance whose constructors have not run.
func (l *library) instantiate() (*instance, error) {
	i := &instance{memory: &linear{limit: firstPages * pageSize}, fresh: l.fresh}
	allocate := func(_, _ uint64) experimental.LinearMemory { return i.memory }
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(allocate))
	// Without a name there may be many.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	var err error
	if i.module, err = l.runtime.InstantiateModule(ctx, l.compiled, config); err != nil {
		return nil, errAborted
	}
	var ok bool
	if i.turns, ok = i.module.ExportedGlobal(turnsLeft).(api.MutableGlobal); !ok {
		return nil, errModule
	}
	return i, nil
}

// reset makes the memory what it is when the constructors have run. It does not
// shrink; the module takes what is there before it asks for more.
func (i *instance) reset() {
	clear(i.memory.bytes[copy(i.memory.bytes, i.fresh):])
}

// close lets go of the instance.
func (i *instance) close() { _ = i.module.Close(context.Background()) } // nothing is left to be lost

// call calls a function of the module that returns a number or nothing.
func (i *instance) call(ctx context.Context, name string, parameters ...uint64) (uint32, error) {
	results, err := i.module.ExportedFunction(name).Call(ctx, parameters...)
	if err != nil {
		return 0, i.tellPlainly(err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return uint32(results[0]), nil
}

// tellPlainly returns an error without the stack and registers that the runtime adds.
func (i *instance) tellPlainly(err error) error {
	var said decoderError
	switch {
	case i.turns.Get() == 0:
		return errors.New("not decoded after many times the steps that such a frame takes")
	case errors.As(err, &said):
		return said
	}
	return errAborted
}

// pool holds instances that no one uses.
type pool struct {
	mu   sync.Mutex
	free []*instance
}

// maxIdle is the memory up to which an idle instance is kept: with that of frames up
// to about 1024 × 1024 pixels a start is spared, and no more lies about.
const maxIdle = 32 << 20

// take returns an idle instance or a new one.
func (l *library) take() (*instance, error) {
	l.idle.mu.Lock()
	if n := len(l.idle.free); n > 0 {
		i := l.idle.free[n-1]
		l.idle.free = l.idle.free[:n-1]
		l.idle.mu.Unlock()
		return i, nil
	}
	l.idle.mu.Unlock()
	return l.instantiate()
}

// put takes an instance back.
func (l *library) put(i *instance) {
	l.idle.mu.Lock()
	defer l.idle.mu.Unlock()
	if len(i.memory.bytes) > maxIdle || len(l.idle.free) >= runtime.GOMAXPROCS(0) {
		i.close()
		return
	}
	l.idle.free = append(l.idle.free, i)
}

// read returns length bytes of the memory.
func (i *instance) read(at, length uint32) ([]byte, error) {
	b, ok := i.module.Memory().Read(at, length)
	if !ok {
		return nil, fmt.Errorf("%w: its result is out of its memory", errAborted)
	}
	return b, nil
}
