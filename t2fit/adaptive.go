package t2fit

// adaptive leaves out of each voxel's fit the trailing echoes that the noise has
// swallowed, by an estimator for every number of echoes.
type adaptive struct {
	floor float64 // in units of sigma
	least int
	by    []estimator // by[n] fits the first n echoes; nil below least
}

func newAdaptive(k train, o Options) func() estimator {
	floor := o.EchoFloor
	o.EchoFloor = 0
	least := max(MinEchoes, o.parameters()+1)
	makers := make([]func() estimator, len(k.t)+1)
	for n := least; n <= len(k.t); n++ {
		makers[n] = newEstimators(k.first(n), o)
	}
	return func() estimator {
		a := &adaptive{floor: floor, least: least, by: make([]estimator, len(makers))}
		for n := least; n < len(makers); n++ {
			a.by[n] = makers[n]()
		}
		return a
	}
}

// estimate fits the echoes up to the last one above the floor. Where the noise is
// not known, it fits all.
func (a *adaptive) estimate(y []float64, sigma float64) found {
	n := len(y)
	for n > a.least && y[n-1] < a.floor*sigma {
		n--
	}
	v := a.by[n].estimate(y[:n], sigma)
	v.echoes = n
	return v
}
