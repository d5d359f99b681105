// Package lanes holds the inner loops of a least-squares fit, each for a block of decays: in AVX2
// and FMA, four decays at a time, if the processor has them, and otherwise in Go, one decay after
// the other. Both perform the same operations in the same order, including fused multiply-adds, so
// that the results have the same bits, on every machine.
//
// A block holds up to Width decays echo by echo: echo e of decay i is y[e*Width+i]. All functions
// may read and write up to three decays after the n that are requested; their results are
// meaningless. Magnitudes are finite and below MaxFloat32; the functions do not check this.
//
// The assembly is generated; see gen.
package lanes

//go:generate sh -c "cd gen && go run . -out ../lanes_amd64.s -stubs ../stubs_amd64.go -pkg lanes"

// Width is the largest number of decays in a block: 7 echoes of them take 14 kB, within a core's
// first cache. A column takes an odd number of cache lines. With a power of two, all columns of a
// block would share a few of the cache's sets.
const Width = 248

// column is one number for each decay of a block.
type column = [Width]float64

// Sums are computed from a decay before it is fitted.
type Sums struct {
	Sum     column // Σy
	Squares column // Σy²
	Total   column // Σy² − (Σy)²/n, Σ(y − mean)² up to rounding
	Line    column // Σt·y − Σt·Σy/n: the slope of the straight line, times Σ(t − mean)²
	Start   column // Σy[e−1]·y[e] / Σy[e−1]², the mean ratio of neighbouring echoes
	Above   column // number of echoes above the floor
}

// Brackets are intervals from Lo to Hi in which Solve searches a ratio, starting from Start.
type Brackets struct {
	Start, Lo, Hi column
}

// Minima are decays A·x^e, one for each bracket; Ratio is x.
type Minima struct {
	A, Ratio column
	// Spread is the curvature of the sum of squares with respect to the rate, in units of the echo
	// spacing: Σ(e·g)² − (Σe·g²)²/Σg² for g = x^e.
	Spread column
	// RSS is the residual sum of squares, +Inf if no minimum was found.
	RSS column
}

// Curves are the results of a fit.
type Curves struct {
	T2, S0 column
	// SE is the standard error of T2 for the residual variance RSS/dof.
	SE  column
	RSS column
}

const (
	// tolerance ends the iteration: once a Newton step changes the ratio by less than this
	// fraction, quadratic convergence puts the result within about the square of it, 1e-10, of the
	// minimum, far below the 6e-8 of a float32 map.
	tolerance = 1e-5
	// maxSteps is far above the 24 bisections that the tolerance needs from a bracket of [0, 1], so
	// that only invalid data reach it.
	maxSteps = 100
	// Shortest is a lower bound of exp(−step/T2): below it, the second echo holds less than a part
	// in 10¹² of the first, and the data do not determine T2.
	Shortest = 1e-12
)

// Bounds of Sums.Start, which keep the first Newton step inside the bracket of 0 to 1. They do not
// change the start for T2 from a twentieth of the echo spacing to a hundred spacings.
const (
	leastStart = 1e-9
	mostStart  = 0.99
	blindStart = 0.5
)
