package sandbox

import (
	"context"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
)

// Pool holds idle instances of a module. An instance that is taken has the state that its
// constructors left: the result of a call does not depend on earlier calls, and nothing of
// a hostile input remains.
type Pool struct {
	module  *Module
	fresh   []byte // the memory after the constructors
	maxIdle int
	mu      sync.Mutex
	free    []*Instance
}

// NewPool returns an empty pool. It runs the module's constructors, function _initialize, once within the
// given turns and keeps the memory; an instance with a copy of that memory need not run them. This requires a
// module whose only global is the stack pointer, which the constructors restore. An idle instance is kept if
// its memory takes at most maxIdle bytes.
func NewPool(m *Module, turns uint64, maxIdle int) (*Pool, error) {
	p := &Pool{module: m, maxIdle: maxIdle}
	i, err := m.Instantiate(wazero.NewModuleConfig())
	if err != nil {
		return nil, err
	}
	i.Allow(turns, 0)
	ctx := context.Background()
	if _, err := i.Call(ctx, "_initialize"); err != nil {
		return nil, err
	}
	p.fresh = append([]byte(nil), i.memory.bytes...)
	return p, i.module.Close(ctx)
}

// Take returns an idle instance or a new one.
func (p *Pool) Take() (*Instance, error) {
	p.mu.Lock()
	var i *Instance
	if n := len(p.free); n > 0 {
		i = p.free[n-1]
		p.free = p.free[:n-1]
	}
	p.mu.Unlock()
	if i == nil {
		var err error
		if i, err = p.module.Instantiate(wazero.NewModuleConfig()); err != nil {
			return nil, err
		}
	}
	p.reset(i)
	return i, nil
}

// reset restores the memory to its state after the constructors. It does not shrink; the
// module uses the memory that is there before it asks for more.
func (p *Pool) reset(i *Instance) { clear(i.memory.bytes[copy(i.memory.bytes, p.fresh):]) }

// Put returns an instance to the pool after calls that succeeded.
func (p *Pool) Put(i *Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(i.memory.bytes) > p.maxIdle || len(p.free) >= runtime.GOMAXPROCS(0) {
		i.Close()
		return
	}
	p.free = append(p.free, i)
}
