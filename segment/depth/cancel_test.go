package depth

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/segment/unroll"
)

// countdown is a context that ends after it was asked so many times whether it has.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// halved returns every other row and column of a mask.
func halved(m anatomy.Mask) anatomy.Mask {
	out := anatomy.Mask{Geometry: m.Geometry}
	for a := range 2 {
		out.Size[a] = (m.Size[a] + 1) / 2
		for r := range out.Affine {
			out.Affine[r][a] *= 2
		}
	}
	for v, t := range m.Data {
		if i, j := v%m.Size[0], v/m.Size[0]%m.Size[1]; i%2 == 0 && j%2 == 0 {
			out.Data = append(out.Data, t)
		}
	}
	return out
}

// TestCancelled: each step stops when the context ends, also in its midst, and returns nothing but
// the context's error. The real knee, at half of its resolution in a slice, is large enough for every
// step to ask several times.
func TestCancelled(t *testing.T) {
	m := halved(layersKnee(t))
	k, err := anatomy.Examine(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Measure(t.Context(), layersWithoutBone(m), Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	points := d.Sheets[anatomy.OfFemur].Bone
	var unrolled []unroll.Point
	for n := range 10 * voxelsPerCheck {
		unrolled = append(unrolled, unroll.Point{Position: points[n%len(points)], T2: 40, Weight: 1})
	}
	c, _, err := unroll.FitCylinder(t.Context(), points, [3]float64{})
	if err != nil {
		t.Fatal(err)
	}
	for name, step := range map[string]func(context.Context) (any, error){
		"Knees":   func(ctx context.Context) (any, error) { return anatomy.Knees(ctx, m) },
		"Examine": func(ctx context.Context) (any, error) { return anatomy.Examine(ctx, m) },
		"divide":  func(ctx context.Context) (any, error) { return k.Divide(ctx, anatomy.UnknownSide) },
		"Divide":  func(ctx context.Context) (any, error) { return anatomy.Divide(ctx, m, anatomy.UnknownSide) },
		"Measure": func(ctx context.Context) (any, error) { return Measure(ctx, m, Options{Workers: 1}) },
		"MeasureByShape": func(ctx context.Context) (any, error) {
			return Measure(ctx, layersWithoutBone(m), Options{Workers: 1})
		},
		"Erode":  func(ctx context.Context) (any, error) { return Erode(ctx, m, 0.5) },
		"Unroll": func(ctx context.Context) (any, error) { return c.Unroll(ctx, unrolled, unroll.Options{}) },
		"FitCylinder": func(ctx context.Context) (any, error) {
			c, _, err := unroll.FitCylinder(ctx, points, [3]float64{})
			return c, err
		},
	} {
		start := time.Now()
		if out, err := step(t.Context()); err != nil {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		whole := time.Since(start)
		asked := countdown{t.Context(), 1 << 30}
		if _, err := step(&asked); err != nil {
			t.Fatal(name, err)
		}
		times := 1<<30 - asked.left
		if times < 4 {
			t.Errorf("%s asks %d times in %v whether the context has ended", name, times, whole)
		}
		for _, after := range []int{1, times / 2, times - 1} {
			out, err := step(&countdown{t.Context(), after})
			if !errors.Is(err, context.Canceled) || !reflect.ValueOf(out).IsZero() {
				t.Errorf("%s, ended after %d of %d questions: %v, result %T", name, after, times, err, out)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		start = time.Now()
		if _, err := step(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want %v", name, err, context.Canceled)
		}
		// An allocation and the first slab are what is left; half of the time is far more.
		if took := time.Since(start); took > whole/2+50*time.Millisecond {
			t.Errorf("%s takes %v after the context has ended, %v in all", name, took, whole)
		}
	}
}
