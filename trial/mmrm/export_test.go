package mmrm

// Fit fits one structure, without the fallback of FitFirst.
func Fit(d Data, o Options) (*Model, error) {
	p, err := prepare(d)
	if err != nil {
		return nil, err
	}
	return fit(p, o)
}
