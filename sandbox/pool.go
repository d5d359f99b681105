package sandbox

import (
	"context"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
)

// Pool holds instances of a module that no one uses. Whoever takes one finds it as it was
// when its constructors had run: what a call returns depends on no other, and what a
// hostile input left behind is gone.
type Pool struct {
	module  *Module
	fresh   []byte // the memory of an instance whose constructors have run
	maxIdle int
	mu      sync.Mutex
	free    []*Instance
}

// NewPool returns an empty pool. It runs the module's constructors once, function
// _initialize, within so many turns, and keeps the memory; every instance with that memory
// is as if it had run them. This needs a module whose only global is the stack's end, which
// is afterwards what it was. An idle instance is kept while its memory takes at most maxIdle
// bytes.
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

// reset makes the memory what it is when the constructors have run. It does not shrink;
// the module takes what is there before it asks for more.
func (p *Pool) reset(i *Instance) { clear(i.memory.bytes[copy(i.memory.bytes, p.fresh):]) }

// Put takes back an instance of which no call failed.
func (p *Pool) Put(i *Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(i.memory.bytes) > p.maxIdle || len(p.free) >= runtime.GOMAXPROCS(0) {
		i.Close()
		return
	}
	p.free = append(p.free, i)
}
