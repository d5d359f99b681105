package lanes

import "math"

// Sum computes the sums of n decays at the times t, of which the first is 0, and counts their
// echoes above floor.
func Sum(y, t []float64, floor float64, n int, s *Sums) { sum(y, t, floor, n, s) }

// Solve finds a least-squares minimum in each of n brackets, on equally spaced echoes.
func Solve(y []float64, echoes, n int, a *Brackets, m *Minima) { solve(y, echoes, n, a, m) }

// rateLanes is the number of rates whose weights are interleaved for Signs.
const rateLanes = 4

// MostRates is the largest number of rates of Signs, one per bit of a word.
const MostRates = 64

// Weights arranges the weights of φ for Signs: phi[r][e] is that of rate r and echo e. The number
// of rates is a multiple of four, at most MostRates.
func Weights(phi [][]float64) []float64 {
	var out []float64
	for r := 0; r < len(phi); r += rateLanes {
		for e := range phi[r] {
			for lane := range rateLanes {
				out = append(out, phi[r+lane][e])
			}
		}
	}
	return out
}

// Signs sets bit r of below[i] if Σ phi[r][e]·y[e] of decay i is below zero.
func Signs(y, weights []float64, echoes, n int, below *[Width]uint64) {
	signs(y, weights, echoes, n, below)
}

// Train holds the echo times: the first one, TE0; the spacing, Step, or 0 if the echoes are not
// equally spaced; and all of them relative to the first, T.
type Train struct {
	TE0, Step float64
	T         []float64
}

// Finish turns minima of equally spaced echoes into curves with residual variance RSS/(echoes−2).
func Finish(k Train, n int, m *Minima, c *Curves) {
	finish(k.Step, k.TE0, float64(len(k.T)-2), n, m, c)
}

// LogLine fits the straight line ln y = ln S0 − t/T2, with each echo weighted by y² or without
// weights, and omits echoes that are not above zero. T2 is not above zero, or not a number, if the
// line does not fall. The standard error is to first order in the noise of y, which is assumed to
// be the same in every echo. Of the sums, LogLine sets Sum, Squares, Total and Above.
func LogLine(y []float64, k Train, floor float64, weighted bool, n int, s *Sums, c *Curves) {
	logLine(y, k, floor, weighted, n, s, c)
}

// Widen converts the first len(dst) values of src.
func Widen(dst []float64, src []float32) { widen(dst, src) }

// Vectors reports whether the functions work on four decays at a time.
func Vectors() bool { return vectors }

// Limits are the conditions for a sound curve: a smaller residual than that of a constant, a
// coefficient of determination of at least MinR2, T2 above Low and at most High, and values that
// float32 can hold.
type Limits struct{ Low, High, MinR2 float64 }

// Shorts are curves as float32, for maps.
type Shorts struct {
	T2, S0, R2, SE [Width]float32
	// Bit j of Sound[g] is set if decay 4g+j is sound.
	Sound [Width / 4]uint8
}

// Narrow converts curves to float32; R2 is 1 − RSS/total.
func Narrow(c *Curves, total *[Width]float64, l Limits, n int, out *Shorts) {
	l.High = min(l.High, math.MaxFloat32)
	narrow(c, total, l, n, out)
}
