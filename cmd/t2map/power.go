package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/power"
)

// powerFlags are the flags of `t2map power`.
type powerFlags struct {
	study    trialFlags
	endpoint string
	assumed  power.Assumed

	difference, alpha, target float64
	sizes                     []int
	draw                      power.Draw
	out                       string
}

func powerCommand() *cobra.Command {
	var f powerFlags
	c := &cobra.Command{
		Use:   "power [RESULTS --design trial.csv --endpoint NAME] --difference D",
		Short: "Estimate sample size and power for a difference in change, by simulation",
		Long: `power simulates trials, analyses each as 't2map trial' does, by the mixed model for
repeated measures, with p adjusted over all primary contrasts (Holm), and counts how
many find the difference in one of them, and in all. If RESULTS is given, the variances
and correlations of the changes, the missing visits, the arms, the number of primary
endpoints and the analysis are those of this trial; the other primary endpoints are simulated
like --endpoint. Otherwise --sd, --correlation, --visits, --dropout, --arms and
--primary-endpoints describe them.

Without --n, power searches for the smallest size that reaches --power. A trial whose
first covariance cannot be fitted is judged by the next one that can be fitted. A trial
that cannot be analysed counts as one that found no difference. The same seed gives the
same results.

Exit status: 0 the power is printed, 2 usage, 130 interrupted.`,
		Example: `  t2map power results --design trial.csv --endpoint medial --difference 2
  t2map power --sd 3 --correlation 0.6 --visits 2 --dropout 0.15 --difference 2 --n 12,20,30`,
		Args: usage(cobra.MaximumNArgs(1)),
	}
	c.RunE = func(c *cobra.Command, args []string) error { return runPower(c, args, f) }
	f.add(c)
	return c
}

func (f *powerFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.study.design, "design", "",
		"CSV `file` with the design of the trial that RESULTS belongs to, as for t2map trial")
	p.StringArrayVar(&f.study.endpoints, "endpoints", nil, "CSV `file` with other endpoints, as for t2map trial")
	p.StringVar(&f.endpoint, "endpoint", "", "`name` of the endpoint (default: the design's primary one)")
	p.StringVar(&f.study.plan, "plan", "", "YAML `file` with the plan of the trial, as for t2map trial")
	f.study.heading = headingFlags{}
	f.study.heading.add(c, map[string]string{"visits": "study-visits"}, "visits", "reference", "primary", "baseline",
		"covariance", "df")
	f.study.twoStudies = "none"
	f.study.table.add(c)
	p.Float64Var(&f.assumed.SD, "sd", 0, "standard `deviation` of the change at a given baseline, instead of RESULTS")
	p.Float64Var(&f.assumed.Correlation, "correlation", 0.5, "`correlation` of the change between any two visits")
	p.IntVar(&f.assumed.Visits, "visits", 2, "`number` of visits after baseline; the last is tested")
	p.Float64Var(&f.assumed.Dropout, "dropout", 0, "`fraction` of subjects who leave before the last visit")
	p.IntVar(&f.assumed.Arms, "arms", 2, "`number` of arms, with the reference")
	p.IntVar(&f.assumed.Endpoints, "primary-endpoints", 1, "`number` of primary endpoints, such as compartments")
	p.Float64Var(&f.assumed.Between, "between", 0.5,
		"`correlation` between the changes of two primary endpoints; with RESULTS too")
	p.Float64Var(&f.difference, "difference", 0,
		"`difference` between the changes of each arm and the reference, in the endpoint's unit; their ratio on the log "+
			"scale (required)")
	p.Float64Var(&f.alpha, "alpha", 0.05, "two-sided `level` of the test")
	p.Float64Var(&f.target, "power", 0.8, "`power` to reach for one contrast")
	p.IntSliceVar(&f.sizes, "n", nil,
		"`sizes` per arm to simulate, such as 12,20,30 (default: search for the smallest)")
	p.IntVar(&f.draw.Simulations, "simulations", 2000, "`number` of trials to simulate for each size")
	p.Uint64Var(&f.draw.Seed, "seed", 1, "`seed` of the simulation")
	p.IntVar(&f.draw.Workers, "workers", 0, "`number` of trials to analyse at a time (default: one per processor)")
	p.StringVar(&f.out, "out", "", "CSV `file` for the table")
}

// The limits of a simulation: a standard error of the power of 0.05 %, and an arm with which 2000 trials take some
// minutes.
const (
	mostSimulations = 1_000_000
	mostPerArm      = 5000
)

func (f powerFlags) check(args []string) error {
	switch {
	case len(args) == 0 && f.assumed.SD == 0:
		return errors.New("either RESULTS with --design or --sd is required")
	case len(args) > 0 && f.study.design == "":
		return errors.New("RESULTS requires --design")
	case f.difference == 0 || math.IsNaN(f.difference) || math.IsInf(f.difference, 0):
		return errors.New("--difference is required and must not be 0")
	case !(f.alpha > 0 && f.alpha < 1):
		return fmt.Errorf("--alpha %g is not between 0 and 1", f.alpha)
	case !(f.target > 0 && f.target < 1):
		return fmt.Errorf("--power %g is not between 0 and 1", f.target)
	case len(args) == 0 && (f.assumed.Arms < 2 || f.assumed.Arms > power.Most):
		return fmt.Errorf("--arms %d is not between 2 and %d", f.assumed.Arms, power.Most)
	case len(args) == 0 && (f.assumed.Endpoints < 1 || f.assumed.Endpoints > power.Most):
		return fmt.Errorf("--primary-endpoints %d is not between 1 and %d", f.assumed.Endpoints, power.Most)
	case !(f.assumed.Between > -1 && f.assumed.Between < 1):
		return fmt.Errorf("--between %g is not between -1 and 1", f.assumed.Between)
	case f.draw.Simulations < 1 || f.draw.Simulations > mostSimulations:
		return fmt.Errorf("--simulations %d is not between 1 and %d", f.draw.Simulations, mostSimulations)
	case f.draw.Workers < 0:
		return fmt.Errorf("--workers %d is negative", f.draw.Workers)
	}
	for _, n := range f.sizes {
		if n < 1 || n > mostPerArm {
			return fmt.Errorf("--n %d is not between 1 and %d per arm", n, mostPerArm)
		}
	}
	return nil
}

// checkSource returns an error if a flag of an assumed trial is combined with RESULTS, or a flag of RESULTS is given
// without them.
func checkSource(c *cobra.Command, args []string) error {
	for _, name := range []string{"sd", "correlation", "visits", "dropout", "arms", "primary-endpoints"} {
		if len(args) > 0 && c.Flags().Changed(name) {
			return fmt.Errorf("RESULTS and --%s cannot be combined", name)
		}
	}
	for _, name := range []string{"design", "plan", "endpoints", "endpoint", "study-visits", "reference", "primary"} {
		if len(args) == 0 && c.Flags().Changed(name) {
			return fmt.Errorf("--%s requires RESULTS", name)
		}
	}
	return nil
}

func runPower(c *cobra.Command, args []string, f powerFlags) error {
	if err := cmp.Or(checkSource(c, args), f.check(args)); err != nil {
		return usageError{hint.Errorf("t2map power --help", "%w", err)}
	}
	if f.out != "" {
		inputs := []string{}
		if len(args) > 0 {
			inputs = f.study.inputs(args[0])
		}
		if err := checkInputs([]string{f.out}, inputs); err != nil {
			return err
		}
	}
	s, words, err := f.scenario(c, args)
	if err != nil {
		return err
	}
	s.Difference, s.Alpha = f.difference, f.alpha
	if words.ratio {
		s.Difference = math.Log(f.difference)
	}
	var size power.Size
	if len(f.sizes) == 0 {
		if size, err = power.Smallest(c.Context(), s, f.target, f.draw); err != nil {
			return err
		}
	}
	for _, n := range f.sizes {
		r, err := power.Simulate(c.Context(), s, n, f.draw)
		if err != nil {
			return err
		}
		size.Tried = append(size.Tried, r)
	}
	if f.out != "" {
		if err := outfile.Replace(f.out, size.CSV(s)); err != nil {
			return err
		}
	}
	f.print(c.OutOrStdout(), s, size, words)
	return nil
}

// scenarioWords describe the tested difference, its unit, the source of the standard deviation, and limits of the
// simulation.
type scenarioWords struct {
	tested, unit, basis string
	ratio               bool // on the log scale
	notes               []string
}

// scenario returns the trial to simulate.
func (f powerFlags) scenario(c *cobra.Command, args []string) (s power.Scenario, w scenarioWords, err error) {
	if len(args) > 0 {
		return f.likeStudy(c, args[0])
	}
	heading, err := f.study.heading.heading()
	if err != nil {
		return s, w, usageError{err}
	}
	plan, err := heading.Plan()
	if err != nil {
		return s, w, usageError{err}
	}
	if s, err = f.assumed.Scenario(); err != nil {
		return s, w, usageError{hint.Errorf("t2map power --help", "%w", err)}
	}
	s.CommonBaseline = plan.CommonBaseline
	s.Model.Covariance, s.Model.DF = plan.Covariance, plan.DF
	w.tested, w.basis = fmt.Sprintf("the change at visit %d of %d", f.assumed.Visits, f.assumed.Visits), "assumed"
	return s, w, nil
}

// likeStudy returns a trial like that of the results.
func (f powerFlags) likeStudy(c *cobra.Command, results string) (s power.Scenario, w scenarioWords, err error) {
	tables, err := f.study.tables(results)
	if err != nil {
		return s, w, err
	}
	f.study.permutations = 1 // the permutation test is not used
	a, err := trial.Analyse(c.Context(), pipeline.Version, tables, f.study.adjust)
	if err != nil {
		return s, w, err
	}
	name := f.endpoint
	if name == "" && !slices.ContainsFunc(a.Design.Primary,
		func(t trial.Target) bool { return t.Endpoint != a.Design.Primary[0].Endpoint }) && len(a.Design.Primary) > 0 {
		name = a.Design.Primary[0].Endpoint
	}
	if name == "" {
		return s, w, usageError{hint.Errorf("all are simulated like the one that --endpoint names",
			"--endpoint is required: the design has several primary endpoints")}
	}
	if s, w.notes, err = power.FromStudy(a, name); err != nil {
		return s, w, usageError{err}
	}
	s.Between = f.assumed.Between
	i := slices.IndexFunc(a.Endpoints, func(e trial.EndpointAnalysis) bool { return e.Name == name })
	w.tested = fmt.Sprintf("the change of %s at %s", printable.Line(name),
		printable.Line(a.Design.Visits[a.Design.MainVisit(a.Endpoints[i].Endpoint)].Name))
	if unit := a.Endpoints[i].Unit; unit != "" {
		w.unit = " " + printable.Line(unit)
	}
	if a.Endpoints[i].Log {
		w.ratio, w.unit = true, ""
		if !(f.difference > 0) || f.difference == 1 {
			return s, w, usageError{hint.Errorf("give the ratio of geometric means, such as 0.8 for 20 % less",
				"--difference %g is not a ratio: %s is analysed on the log scale", f.difference, printable.Line(name))}
		}
	}
	subjects := printable.Counted(a.Endpoints[i].Model.Subjects, "subject", "subjects")
	w.basis = fmt.Sprintf("from %s, taken as known", subjects)
	return s, w, nil
}

// family describes the primary contrasts: those over which p is adjusted.
func family(s power.Scenario) string {
	n := s.Contrasts()
	if n == 1 {
		return "one primary contrast:"
	}
	text := fmt.Sprintf("p adjusted (Holm) over %d primary contrasts (%d arms, %s)", n, s.Arms,
		printable.Counted(len(s.Primary), "endpoint", "endpoints"))
	if len(s.Primary) > 1 {
		text += fmt.Sprintf(", correlation between endpoints %g", s.Between)
	}
	return text + ":"
}

// print prints a row per size, the answer, and its basis.
func (f powerFlags) print(w io.Writer, s power.Scenario, size power.Size, words scenarioWords) {
	effect, sd := "difference", "SD of the change"
	if words.ratio {
		effect, sd = "ratio", "SD of the change of the logarithm"
	}
	fmt.Fprintf(w, "Power to find a %s of %g%s in %s, two-sided %g %%;\nmixed model, %v, %v;\n", effect, f.difference,
		words.unit, words.tested, 100*s.Alpha, s.Model.Covariance, s.Model.DF)
	fmt.Fprintln(w, family(s))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "per arm\tpower\t95 % CI\tpower of all\tfell back\tno model\t\n")
	fellBack, failed := 0, 0
	for _, r := range size.Tried {
		p := r.Power()
		fmt.Fprintf(t, "%d\t%.2f %%\t%.1f to %.1f\t%.2f %%\t%d\t%d\t\n", r.PerArm, 100*p.Estimate, 100*p.Low,
			100*p.High, 100*r.PowerOfAll().Estimate, r.FellBack, r.Failed)
		fellBack += r.FellBack
		failed += r.Failed
	}
	_ = t.Flush()
	switch {
	case size.PerArm > 0:
		fmt.Fprintf(w, "%d per arm is the smallest size that reaches %g %%.\n", size.PerArm, 100*f.target)
	case len(f.sizes) == 0:
		fmt.Fprintf(w, "None of these sizes reaches %g %%: the difference is small compared with the standard "+
			"deviation.\n", 100*f.target)
	}
	last := slices.Max(s.Primary[0])
	fmt.Fprintf(w, "%d trials were simulated for each size; %s at a given baseline %.3g%s (%s).\n",
		f.draw.Simulations, sd, math.Sqrt(s.Sigma.At(last, last)), words.unit, words.basis)
	for _, n := range words.notes {
		fmt.Fprintf(w, "note: %s\n", printable.Line(n))
	}
	if fellBack > 0 {
		fmt.Fprintf(w, "In %d trials the first covariance could not be fitted; they are judged by the next one that "+
			"could be fitted.\n", fellBack)
	}
	if failed > 0 {
		fmt.Fprintf(w, "%d trials could not be analysed; they count as trials that found no difference.\n", failed)
	}
}
