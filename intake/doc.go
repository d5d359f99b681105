// Package intake makes jobs from studies. For each study it determines, according to Rules, the subject and the
// visit, which series is mapped, which series are shown as anatomy or aligned, and which file is the mask. It never
// guesses: an ambiguous study is an error.
//
//	in, err := intake.New(intake.Rules{Protocol: p})
//	search, err := dicomio.Find(ctx, roots, dicomio.FindOptions{})
//	in.Take(search, nil)
//	job, err := in.Job(search.Studies[0])
//	job.Dir = "results/S01"
//	result, err := pipeline.Process(ctx, job, in.Protocol, 0)
package intake
