package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/trial"
)

func planCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plan",
		Short: "Write and check the plan of a trial",
		Long: `A plan is a YAML file, written before the data are seen, that specifies the analysis. It has
the same keys as the lines with # above the columns of a design. The report of 't2map trial
--plan' shows its SHA-256.`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(planInitCommand(), planCheckCommand())
	return c
}

func planInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a plan with all keys, their meaning and examples",
		Long: `init writes a plan in which every key is commented out, below an explanation that begins
with ##. Remove the # of the keys that your trial needs. The default of FILE is plan.yaml;
an existing file is kept.

Exit status: 0 if the file was written, 1 if it could not be written, 2 for invalid usage.`,
		Example: "  t2map trial plan init\n  t2map trial plan init trial-7.yaml",
		Args:    usage(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			path := "plan.yaml"
			if len(args) > 0 {
				path = args[0]
			}
			if err := writeTemplate(path, planTemplate()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is written: remove the # of the keys that your trial needs, then run\n"+
				"  t2map trial plan check %s --design trial.csv\n", printable.Line(path), printable.Line(path))
			return nil
		},
	}
}

// planTemplate returns a plan in which every key is explained, in lines that begin with ##, and commented out with #.
func planTemplate() string {
	var b strings.Builder
	b.WriteString("## Plan of a trial for 't2map trial --plan'. Remove the # of the keys that your trial needs.\n" +
		"## Lists may also be written as [a, b] and pairs as {a: 0, b: 3}.\n")
	for _, key := range trial.Keys {
		b.WriteString("\n")
		for _, line := range wrapWords(key.Meaning, 97) {
			b.WriteString("## " + line + "\n")
		}
		name := key.Name
		if key.Endpoint == trial.NamesEndpoint {
			name += "[WOMAC]"
		}
		fmt.Fprintf(&b, "# %s: %s\n", name, key.Form)
		if key.Endpoint == trial.MayNameEndpoint {
			fmt.Fprintf(&b, "# %s[T2]: %s\n", key.Name, key.Form)
		}
	}
	return b.String()
}

// wrapWords divides a text into lines of at most that many bytes.
func wrapWords(text string, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > most {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func planCheckCommand() *cobra.Command {
	var design string
	var format tableFlags
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Check a plan, and whether the design agrees with it",
		Long: `check reads a plan and reports its first mistake with line and column. With --design it also
checks that the design has the arms, columns and sets of the plan. Endpoints are checked
when the trial is analysed, since the design does not have them.

Exit status: 0 if the plan is valid, 2 for invalid usage or input.`,
		Example: "  t2map trial plan check plan.yaml --design trial.csv",
		Args:    usage(cobra.ExactArgs(1)),
	}
	c.Flags().StringVar(&design, "design", "", "CSV `file` with the design")
	format.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return checkPlan(c, args[0], design, format)
	}
	return c
}

func checkPlan(c *cobra.Command, path, design string, format tableFlags) error {
	plan, err := readSource(path, trial.Format{})
	if err != nil {
		return flagError("FILE", err, "t2map trial plan init writes one")
	}
	read := trial.ReadPlan // the schedule is then read with the design
	if design == "" {
		read = trial.CheckPlan
	}
	h, err := read(plan)
	if err != nil {
		return usageError{err}
	}
	w := c.OutOrStdout()
	if design == "" {
		fmt.Fprintf(w, "%s is valid: %s\n", printable.Line(plan.Name), printable.Counted(len(h), "key", "keys"))
		return nil
	}
	form, err := format.format()
	if err != nil {
		return usageError{err}
	}
	source, err := readSource(design, form)
	if err != nil {
		return flagError("--design", err, "a CSV with the columns subject and arm; t2map trial --help shows one")
	}
	d, _, err := trial.ReadDesign(source, plan, nil)
	if err != nil {
		return usageError{err}
	}
	fmt.Fprintf(w, "%s and %s are valid: %s, %s, %s\n", printable.Line(plan.Name), printable.Line(source.Name),
		printable.Counted(len(h), "key", "keys"), printable.Counted(len(d.Subjects), "subject", "subjects"),
		printable.Counted(len(d.Arms), "arm", "arms"))
	return nil
}
