//go:build !amd64

package lanes

const vectors = false

func sum(y, t []float64, floor float64, n int, s *Sums) { sumInGo(y, t, floor, n, s) }

func solve(y []float64, echoes, n int, a *Brackets, m *Minima) { solveInGo(y, echoes, n, a, m) }

func signs(y, weights []float64, echoes, n int, below *[Width]uint64) {
	signInGo(y, weights, echoes, n, below)
}

func finish(step, te0, dof float64, n int, m *Minima, c *Curves) {
	finishInGo(step, te0, dof, n, m, c)
}

func logLine(y []float64, k Train, floor float64, weighted bool, n int, s *Sums, c *Curves) {
	logLineInGo(y, k, floor, weighted, n, s, c)
}

func widen(dst []float64, src []float32) { widenInGo(dst, src) }

func narrow(c *Curves, total *[Width]float64, l Limits, n int, out *Shorts) {
	narrowInGo(c, total, l, n, out)
}
