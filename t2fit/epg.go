package t2fit

func newEPG(k train, o Options) func() estimator { panic("being written") }
