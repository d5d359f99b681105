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
	fresh  []byte // the memory after the start
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

// startTime is how long a start may take; it takes about a millisecond.
const startTime = secondsToStart * second

// start returns a new instance.
func (l *library) start() (*instance, error) {
	i := &instance{memory: &linear{limit: firstPages * pageSize}}
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	allocate := func(_, _ uint64) experimental.LinearMemory { return i.memory }
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(allocate))
	// Without a name there may be many; a reactor is begun by _initialize.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := l.runtime.InstantiateModule(ctx, l.compiled, config)
	if err != nil {
		return nil, tellPlainly(ctx, err)
	}
	i.module = module
	i.fresh = append([]byte(nil), i.memory.bytes...)
	return i, nil
}

// reset makes the memory what it was at the start. It does not shrink; the module
// takes what is there before it asks for more.
func (i *instance) reset() {
	clear(i.memory.bytes[copy(i.memory.bytes, i.fresh):])
}

// close lets go of the instance.
func (i *instance) close() { _ = i.module.Close(context.Background()) } // nothing is left to be lost

// call calls a function of the module that returns a number or nothing.
func (i *instance) call(ctx context.Context, name string, parameters ...uint64) (uint32, error) {
	results, err := i.module.ExportedFunction(name).Call(ctx, parameters...)
	if err != nil {
		return 0, tellPlainly(ctx, err)
	}
	if len(results) == 0 {
		return 0, nil
	}
	return uint32(results[0]), nil
}

// tellPlainly returns an error without the stack and registers that the runtime adds.
func tellPlainly(ctx context.Context, err error) error {
	var said decoderError
	switch {
	case ctx.Err() != nil:
		return errors.New("not decoded in reasonable time")
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
	return l.start()
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
