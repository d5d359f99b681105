package lanes

import "golang.org/x/sys/cpu"

// vectors is a variable only for tests.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasFMA

func sum(y, t []float64, floor float64, n int, s *Sums) {
	if !vectors {
		sumInGo(y, t, floor, n, s)
		return
	}
	count := float64(len(t))
	sumAVX2(&y[0], &t[0], len(t), n, floor, sumOf(t)/count, 1/count, &s.Sum[0])
}

func solve(y []float64, echoes, n int, a *Brackets, m *Minima) {
	if !vectors {
		solveInGo(y, echoes, n, a, m)
		return
	}
	solveAVX2(&y[0], echoes, n, &a.Start[0], &m.A[0])
}

func signs(y, weights []float64, echoes, n int, below *[Width]uint64) {
	if !vectors {
		signInGo(y, weights, echoes, n, below)
		return
	}
	signAVX2(&y[0], &weights[0], echoes, len(weights)/echoes, n, &below[0])
}

func finish(step, te0, dof float64, n int, m *Minima, c *Curves) {
	if !vectors {
		finishInGo(step, te0, dof, n, m, c)
		return
	}
	finishAVX2(-1/step, te0, 1/float64(dof*float64(step*step)), n, &m.A[0], &c.T2[0])
}

func logLine(y []float64, k Train, floor float64, weighted bool, n int, s *Sums, c *Curves) {
	if !vectors || k.Step == 0 || !weighted && !byProducts(k) {
		logLineInGo(y, k, floor, weighted, n, s, c)
		return
	}
	per := 1 / float64(len(k.T))
	if weighted {
		weightedLineAVX2(
			&y[0], &k.T[0], len(k.T), floor, per, k.TE0, k.Step, float64(len(k.T)-2), n, &s.Sum[0], &c.T2[0],
		)
		return
	}
	lineAVX2(&y[0], &k.T[0], len(k.T), floor, per, k.TE0, k.Step, float64(len(k.T)-4), n, &s.Sum[0], &c.T2[0])
}

func widen(dst []float64, src []float32) {
	whole := 0
	if vectors && len(dst) >= 4 {
		whole = len(dst) &^ 3
		widenAVX2(&dst[0], &src[0], whole)
	}
	widenInGo(dst[whole:], src[whole:])
}

func narrow(c *Curves, total *[Width]float64, l Limits, n int, out *Shorts) {
	if !vectors {
		narrowInGo(c, total, l, n, out)
		return
	}
	narrowAVX2(&c.T2[0], &total[0], l.Low, l.High, l.MinR2, n, &out.T2[0], &out.Sound[0])
}
