// Package intake makes jobs from studies: it decides who and when a study is, which of its series is mapped,
// which is shown as anatomy or aligned, and which file is the mask. Rules say how; nothing is guessed.
//
//	in, err := intake.New(intake.Rules{Protocol: p})
//	search, err := dicomio.Find(ctx, roots, dicomio.FindOptions{})
//	in.Take(search, nil)
//	job, err := in.Job(search.Studies[0])
//	job.Dir = "results/S01"
//	result, err := pipeline.Process(ctx, job, in.Protocol, 0)
package intake
