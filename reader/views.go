package reader

import (
	"context"
	"slices"
	"sync"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/volume"
)

// leastOpened is the number of studies that stay open however much memory they take: the one that is read, the next one,
// and one of another reader. More stay open as long as all together take no more than a quarter of the memory of the
// machine, which is a third of its bound. A study of 384 × 384 × 30 voxels and 7 echoes takes 200 MiB.
const (
	leastOpened = 3
	boundShare  = 3
)

// mostOpening is the number of studies that are opened at a time; each uses all processors.
const mostOpening = 2

// views are the studies that were opened last.
type views struct {
	worklist *batch.Worklist
	budget   int64 // bytes; 0 means no limit
	turns    chan struct{}
	mu       sync.Mutex
	last     []*view // the latest first
}

func newViews(w *batch.Worklist) *views {
	return &views{worklist: w, budget: pipeline.MachineBound().Bytes / boundShare, turns: make(chan struct{}, mostOpening)}
}

// view is an open study.
type view struct {
	key  reads.Key
	once sync.Once
	*batch.Opened
	// result is the SHA-256 of the result.json of the study when it was opened.
	result   string
	err      error
	residual func() []float32

	othersMu sync.Mutex
	others   map[int]volume.Map // of Opened.Others, by index
}

// get returns a study, which it opens if necessary. Repeats of a study share it.
func (v *views) get(k reads.Key) (*view, error) {
	k.Repeat = 0
	one := v.entry(k)
	one.once.Do(func() {
		v.turns <- struct{}{}
		defer func() { <-v.turns }()
		one.result = v.worklist.ResultSum(k)
		// Not with the context of the request: other requests may wait for the study.
		if one.Opened, one.err = v.worklist.Open(context.Background(), k); one.err == nil {
			one.residual = sync.OnceValue(one.Residual)
		}
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	if one.err != nil { // so that the next request tries again
		v.last = slices.DeleteFunc(v.last, func(other *view) bool { return other == one })
		return nil, one.err
	}
	v.trim()
	return one, nil
}

// entry returns the place of a study, which becomes the latest.
func (v *views) entry(k reads.Key) *view {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := slices.IndexFunc(v.last, func(one *view) bool { return one.key == k })
	one := &view{key: k}
	if n >= 0 {
		one = v.last[n]
		v.last = slices.Delete(v.last, n, n+1)
	}
	v.last = slices.Insert(v.last, 0, one)
	return one
}

// trim forgets the studies that were not used for the longest time, if all together take too much memory.
func (v *views) trim() {
	total := int64(0)
	for n, one := range v.last {
		if one.Opened != nil { // else it is being opened
			total += one.Bytes()
		}
		if n >= leastOpened && v.budget > 0 && total > v.budget {
			clear(v.last[n:])
			v.last = v.last[:n]
			return
		}
	}
}
