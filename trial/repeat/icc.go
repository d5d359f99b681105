package repeat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// meanSquares are the mean squares of a two-way table without replication: of its n rows (knees), of its k columns
// (repeats), and of the residual.
type meanSquares struct {
	n, k                    float64
	rows, columns, residual float64
}

// addTwoWay adds the smallest detectable change and the intraclass correlations.
func (f *Estimates) addTwoWay(values [][]float64, level float64) {
	var complete [][]float64
	for _, knee := range values {
		if n, _, _ := moments(knee); n == len(knee) && n > 1 {
			complete = append(complete, knee)
		}
	}
	f.Complete = len(complete)
	if f.Complete < 2 {
		f.addReason("fewer than two knees have all repeats: no smallest detectable change, no intraclass correlation")
		return
	}
	s := meanSquaresOf(complete)
	// The rounding of a constant difference is not a measurement error. 1e-13 of the mean is far below the last digit
	// of any table.
	if s.residual <= 1e-26*f.Mean*f.Mean {
		f.addReason("the repeats differ only by a constant: no smallest detectable change, no intraclass " +
			"correlation")
		return
	}
	f.SDC = times(spread(math.Sqrt(s.residual), (s.n-1)*(s.k-1), level), z95*math.Sqrt2)
	f.ICC21, f.ICC31 = s.agreement(level), s.consistency(level)
}

// meanSquaresOf returns the mean squares of values by knee and repeat, without NaN.
func meanSquaresOf(values [][]float64) meanSquares {
	n, k := float64(len(values)), float64(len(values[0]))
	columns := make([]float64, len(values[0]))
	rows := make([]float64, len(values))
	grand := 0.0
	for i, knee := range values {
		for j, v := range knee {
			rows[i] += v / k
			columns[j] += v / n
			grand += v / (n * k)
		}
	}
	s := meanSquares{n: n, k: k}
	for i, knee := range values {
		s.rows += k * (rows[i] - grand) * (rows[i] - grand) / (n - 1)
		for j, v := range knee {
			e := v - rows[i] - columns[j] + grand
			s.residual += e * e / ((n - 1) * (k - 1))
		}
	}
	for _, c := range columns {
		s.columns += n * (c - grand) * (c - grand) / (k - 1)
	}
	return s
}

// agreement returns ICC(A,1) with its interval (McGraw and Wong 1996, tables 4 and 7).
func (s meanSquares) agreement(level float64) Interval {
	n, k := s.n, s.k
	rho := (s.rows - s.residual) / (s.rows + (k-1)*s.residual + k/n*(s.columns-s.residual))
	a := k * rho / (n * (1 - rho))
	b := 1 + k*rho*(n-1)/(n*(1-rho))
	v := square(a*s.columns+b*s.residual) / (square(a*s.columns)/(k-1) + square(b*s.residual)/((n-1)*(k-1)))
	upperF := distuv.F{D1: n - 1, D2: v}.Quantile((1 + level) / 2)
	lowerF := distuv.F{D1: v, D2: n - 1}.Quantile((1 + level) / 2)
	rest := k*s.columns + (k*n-k-n)*s.residual
	return Interval{
		Estimate: rho,
		Low:      n * (s.rows - upperF*s.residual) / (upperF*rest + n*s.rows),
		High:     n * (lowerF*s.rows - s.residual) / (rest + n*lowerF*s.rows),
	}
}

// consistency returns ICC(C,1) with its interval (McGraw and Wong 1996).
func (s meanSquares) consistency(level float64) Interval {
	df1, df2 := s.n-1, (s.n-1)*(s.k-1)
	f := s.rows / s.residual
	icc := func(f float64) float64 { return (f - 1) / (f + s.k - 1) }
	return Interval{
		Estimate: icc(f),
		Low:      icc(f / distuv.F{D1: df1, D2: df2}.Quantile((1+level)/2)),
		High:     icc(f * distuv.F{D1: df2, D2: df1}.Quantile((1+level)/2)),
	}
}

func square(x float64) float64 { return x * x }
