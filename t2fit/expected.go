package t2fit

// Expected returns what the method expects of each echo of a decay with that
// estimate, NaN for the skipped ones, or nil where that is S0·exp(−TE/T2).
func (o Options) Expected(te []float64, est Estimate) []float64 { return nil }
