package resample

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/t2map/t2map/volume"
)

// TestCancelled: resampling stops when the context ends, without a result.
func TestCancelled(t *testing.T) {
	g := volume.Geometry{Size: [3]int{60, 60, 60}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	mask := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	for v := range mask.Data {
		mask.Data[v] = uint16(v % 2)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := Onto(ended, mask, g, Options{}); !errors.Is(err, context.Canceled) || !reflect.ValueOf(got).IsZero() {
		t.Errorf("ended before: %v", err)
	}
}

// TestCancelledAmid: of many pieces of work, none begins after the context has ended.
func TestCancelledAmid(t *testing.T) {
	const pieces, last = 1000, 10
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		var began atomic.Int64
		err := parallel(ctx, pieces, workers, func(int) {
			if began.Add(1) == last {
				cancel()
			}
		})
		// Each of the others may have begun one piece between the call of cancel and its question.
		if n := int(began.Load()); !errors.Is(err, context.Canceled) || n < last || n > last+workers-1 {
			t.Errorf("%d workers: %d of %d pieces began, %v; want %d to %d", workers, n, pieces, err, last, last+workers-1)
		}
	}
}
