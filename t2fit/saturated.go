package t2fit

import (
	"math"

	"github.com/t2map/t2map/t2fit/internal/lanes"
	"github.com/t2map/t2map/volume"
)

// ceiling is the magnitude at which a fitted echo of a slice was clipped.
type ceiling struct {
	echo  int // counted from the first fitted echo
	level float64
}

// ceilingsOf returns the ceilings of each slice at the echoes from skip on, or nil if there are
// none.
func ceilingsOf(s volume.MultiEcho, skip int) [][]ceiling {
	if s.Ceiling == nil {
		return nil
	}
	var out [][]ceiling
	for e, levels := range s.Ceiling[skip:] {
		for k, level := range levels {
			if math.IsInf(float64(level), 1) {
				continue
			}
			if out == nil {
				out = make([][]ceiling, s.Size[2])
			}
			out[k] = append(out[k], ceiling{e, float64(level)})
		}
	}
	return out
}

// saturate marks the decays of a block that reach a ceiling at a fitted echo, regardless of their
// fit, because their signal is unknown there.
func (w *worker) saturate() {
	for i, v := range w.voxel[:w.n] {
		for _, c := range w.ceilings[v/w.plane] {
			if w.fits(i, c.echo) && w.y[c.echo*lanes.Width+i] >= c.level {
				w.status[i] = volume.Saturated
				break
			}
		}
	}
}

// fits reports whether the fit of decay i includes the echo. Without EchoFloor, all echoes are
// included.
func (w *worker) fits(i, echo int) bool { return w.o.EchoFloor == 0 || echo < int(w.echoes[i]) }
