package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/accuracy"
	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
)

func validateCommand() *cobra.Command {
	var out string
	var o accuracy.Options
	c := &cobra.Command{
		Use:   "validate --out DIR",
		Short: "Compare every method with a known T2, and check it against limits",
		Long: `validate simulates a digital reference object of known T2 (10 to 100 ms, at SNR 5 to 100
and B1 0.6 to 1.2, in four echo trains), fits it with every method on this machine, and
compares bias, standard deviation and confidence intervals with limits that were set
beforehand. It also simulates trials without an effect and counts how often their primary
test finds one. It writes into the folder

  index.html          a page with limits, pictures and tables
  accuracy.csv        one row per method and cell of the grid
  accuracy.md         the same page as text: docs/accuracy.md of t2map
  bias-snr.png, bias-b1.png

With the default of 2000 draws it takes about two minutes on two processors. The same
seed and number of draws give the same values for any number of workers.

Exit status: 0 every limit is met, 1 a limit is missed, 2 usage, or a folder that
cannot be used, 130 interrupted.`,
		Example: "  t2map validate --out accuracy\n  t2map validate --out accuracy --seed 7 && echo \"fit for use\"",
		Args:    usage(cobra.NoArgs),
	}
	p := c.Flags()
	p.StringVar(&out, "out", "", "`folder` for the page and the tables (required)")
	p.IntVar(&o.Draws, "draws", accuracy.MinDraws,
		fmt.Sprintf("`number` of draws of the noise per cell; the limits apply to %d or more", accuracy.MinDraws))
	p.Uint64Var(&o.Seed, "seed", 1, "`seed` of the noise")
	p.IntVar(&o.Workers, "workers", 0, "`number` of slices to measure at a time (default: one per processor)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if out == "" {
			return usageError{hint.Errorf("t2map validate --help", "--out is missing: name a folder for the results")}
		}
		if o.Draws < accuracy.FewestDraws || o.Draws > accuracy.MostDraws {
			return usageError{hint.Errorf("t2map validate --help",
				"--draws %d is not between %d and %d", o.Draws, accuracy.FewestDraws, accuracy.MostDraws)}
		}
		if o.Workers < 0 {
			return usageError{hint.Errorf("t2map validate --help", "--workers %d is negative", o.Workers)}
		}
		return validate(c, out, o)
	}
	return c
}

// validate runs the comparison, writes the folder and prints a summary. It returns an error if a limit is missed.
func validate(c *cobra.Command, out string, o accuracy.Options) error {
	start := time.Now()
	if err := accuracy.CheckFolder(out); err != nil {
		if errors.Is(err, accuracy.ErrOtherPage) {
			err = hint.Errorf("name another folder with --out", "%w", err)
		}
		return usageError{err}
	}
	show := newProgress(c.ErrOrStderr(), false)
	const stage = batch.Stage("measuring")
	o.Progress = func(done, all int) { show.report(stage, done, all) }
	a, err := accuracy.Run(c.Context(), o)
	show.close()
	if err != nil {
		return err
	}
	a.Version = pipeline.Version
	a.Platform = fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, runtime.Version())
	if err := accuracy.Write(out, a); err != nil {
		return err
	}
	w := c.OutOrStdout()
	if err := accuracy.Print(w, a); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d of %s met, in %.0f s. See %s and %s.\n", len(a.Limits)-a.Missed(),
		printable.Counted(len(a.Limits), "limit", "limits"),
		time.Since(start).Seconds(), filepath.Join(out, "index.html"), filepath.Join(out, "accuracy.csv"))
	if o.Draws < accuracy.MinDraws {
		fmt.Fprintf(w, "With only %d draws per cell the result depends on chance: the limits apply to %d or more.\n",
			o.Draws, accuracy.MinDraws)
	}
	return verdict(a)
}

// verdict returns an error if a limit is missed.
func verdict(a accuracy.Result) error {
	if n := a.Missed(); n > 0 {
		return failedError{printable.Counted(n, "limit", "limits") + " missed"}
	}
	return nil
}
