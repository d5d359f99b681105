// Package lanes holds the loops that a fit by least squares spends its time in,
// each over a block of decays at once: in AVX2 and FMA, four decays side by side,
// if the processor has them, otherwise in Go, one decay after the other. Both take
// the same operations in the same order, fused multiply-adds included, so that
// they return the same bits; so does every other machine.
//
// A block holds up to Width decays echo by echo: echo e of decay i is
// y[e*Width+i]. All functions may read and write up to three decays beyond the n
// they are asked for, whose results mean nothing. Magnitudes are finite and below
// MaxFloat32; the functions check nothing.
//
// The assembly is generated; see gen.
package lanes

//go:generate sh -c "cd gen && go run . -out ../lanes_amd64.s -stubs ../stubs_amd64.go -pkg lanes"

// Width is the most decays in a block: 7 echoes of them take 14 kB, within a
// core's first cache. A column is an odd number of cache lines long, because with
// a power of two all columns of a block would crowd into few of the cache's sets.
const Width = 248

// column is one number for each decay of a block.
type column = [Width]float64

// Sums are what a decay shows before it is fitted.
type Sums struct {
	Sum     column // Σy
	Squares column // Σy²
	Total   column // Σy² − (Σy)²/n, Σ(y − mean)² up to rounding
	Line    column // Σt·y − Σt·Σy/n: the slope of the straight line, times Σ(t − mean)²
	Start   column // Σy[e−1]·y[e] / Σy[e−1]², the mean ratio of neighbouring echoes
	Above   column // number of echoes above the floor
}

// Asks are the minima to look for: between Lo and Hi, from Start.
type Asks struct {
	Start, Lo, Hi column
}

// Minima are decays A·x^e, one for each ask, where Ratio is x.
type Minima struct {
	A, Ratio column
	// Spread is the curvature of the least squares along the decay's logarithm, in
	// units of the echo spacing: Σ(e·g)² − (Σe·g²)²/Σg² for g = x^e.
	Spread column
	// RSS is the residual sum of squares, +Inf where no minimum was found.
	RSS column
}

// Curves are decays as they are wanted in the end.
type Curves struct {
	T2, S0 column
	// SE is the standard error of T2 for the residual variance RSS/dof.
	SE  column
	RSS column
}

const (
	// tolerance ends the iteration: once a Newton step moves the ratio by less
	// than this fraction, quadratic convergence puts the result within about
	// its square of the minimum, 1e-10, far below the 6e-8 of a float32 map.
	tolerance = 1e-5
	// maxSteps is far above what bisection alone needs to reach the tolerance
	// from a bracket of [0, 1] (24), so only a broken decay reaches it.
	maxSteps = 100
	// Shortest bounds exp(−step/T2) from below: under it the second echo holds
	// less than a part in 10¹² of the first and the data say nothing about T2.
	Shortest = 1e-12
)

// Bounds of Sums.Start: they keep the first Newton step inside the bracket of 0 to
// 1; T2 from a twentieth of the echo spacing to a hundred spacings starts where it
// is.
const (
	leastStart = 1e-9
	mostStart  = 0.99
	blindStart = 0.5
)
