package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// The error of either function ends the other function and is returned.
func TestInParallelUntil(t *testing.T) {
	fault := errors.New("a fault")
	fail := func(context.Context) error { return fault }
	wait := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, functions := range map[string][2]func(context.Context) error{
		"first": {fail, wait}, "second": {wait, fail},
	} {
		if err := inParallelUntil(t.Context(), functions[0], functions[1]); err != fault {
			t.Errorf("the %s function fails: %v, want %v", name, err, fault)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := inParallelUntil(ended, wait, wait); err != context.Canceled {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// The division of a mask stops when the context ends, and so does a wait for the axes of a knee. The error has no
// hint, because the mask is not at fault.
func TestDivisionInterrupted(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	g := volume.Geometry{Size: [3]int{4, 4, 4}, Affine: [3][4]float64{{1}, {0, 1}, {0, 0, 1}}}
	marks := segment.Marks{
		Labels: volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())},
		Names:  []string{anatomy.FemoralCartilage.String()},
	}
	marks.Data[21] = 1
	var p protocol.Protocol
	p.Scheme.Labels = []segment.Label{{Value: 1, Name: anatomy.FemoralCartilage.String()}}
	_, err := Job{}.divideMask(t.Context(), maskRead{}, marks, p, 0)
	if err == nil || errors.Is(err, context.Canceled) || hint.Find(err) == "" {
		t.Fatalf("%v (hint %q), want a fault of the mask", err, hint.Find(err))
	}
	k, err := Job{}.divideMask(ended, maskRead{}, marks, p, 0)
	if err != context.Canceled || hint.Find(err) != "" || k.parts.Data != nil {
		t.Errorf("%v (hint %q), want %v", err, hint.Find(err), context.Canceled)
	}
	if axes, err := newExamination().axes(ended); err != context.Canceled || axes != (anatomy.Axes{}) {
		t.Errorf("%v, %v", axes, err)
	}
}
