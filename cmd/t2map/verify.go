package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
)

const verifyHelp = `verify reads DIR, the output folder of run, and changes nothing. It compares each file of each
result with the hash in its result.json, each result.json with the audit record audit.jsonl,
and each line of the record with the line before it. With --studies it also compares the
inputs of the results. It names every file that is missing, has changed or was added.

With --refit it also makes each result again from its inputs, in a temporary folder, and
compares all numbers and the hashes of all maps and pictures. The record says with which
options of run each result was made. Start the command in the folder in which run was
started if these options name files, such as a protocol, and name the same folders with
--studies. It takes as long as run did, and as much space in TMPDIR as the results.

Who can write to the folder can write all of it again, with new hashes: keep a copy of the
last line of audit.jsonl elsewhere.

Exit status: 0 everything is as it was written, 1 something is not, 2 usage, 130 interrupted.`

func verifyCommand() *cobra.Command {
	var studies []string
	var workers int
	var refit bool
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Compare a folder of results with the hashes that were written with it",
		Long:  verifyHelp,
		Example: "  t2map verify results\n  t2map verify results --studies /data/trial\n" +
			"  t2map verify results --studies /data/trial --refit",
		Args: usage(cobra.ExactArgs(1)),
	}
	c.Flags().StringArrayVar(&studies, "studies", nil,
		"`folder` that was searched for the inputs; may be given several times")
	c.Flags().IntVar(&workers, "workers", 0, "`number` of results compared at a time (default: one per processor)")
	c.Flags().BoolVar(&refit, "refit", false, "make each result again from its inputs and compare all numbers")
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case refit && len(studies) == 0:
			return usageError{hint.Errorf("name the folders that were searched, with --studies", "--refit needs the inputs")}
		case workers < 0:
			return usageError{fmt.Errorf("--workers %d is negative", workers)}
		}
		v, err := batch.Verify(c.Context(), args[0], studies, workers)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s, %s", printable.Counted(v.Results, "result", "results"),
			printable.Counted(v.Outputs, "file", "files"))
		if len(studies) > 0 {
			text += fmt.Sprintf(", %s", printable.Counted(v.Inputs, "input", "inputs"))
		}
		if v.Reads > 0 {
			text += fmt.Sprintf(", %s", printable.Counted(v.Reads, "read", "reads"))
		}
		text += fmt.Sprintf(", %s of the record", printable.Counted(v.Lines, "line", "lines"))
		if refit {
			again := func(options []string) (batch.Settings, error) {
				return recordedSettings(options, studies, workers)
			}
			derived, findings, err := batch.Refit(c.Context(), args[0], changesResults, again)
			if err != nil {
				return err
			}
			v.Findings = append(v.Findings, findings...)
			text += fmt.Sprintf(", %s derived again", printable.Counted(derived, "result", "results"))
		}
		return printFindings(c, text, v.Findings)
	}
	return c
}

// printFindings prints what was compared and what differs. Differences are an error.
func printFindings(c *cobra.Command, compared string, findings []batch.Finding) error {
	for _, f := range findings {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", printable.Line(f.Place), printable.Line(f.Problem))
	}
	if len(findings) == 0 {
		fmt.Fprintf(c.OutOrStdout(), "%s: all as they were written\n", compared)
		return nil
	}
	differences := printable.Counted(len(findings), "difference", "differences")
	fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", compared, differences)
	return failedError{differences}
}

// changesResults reports whether an option in the record may change a result. Others say how a run was done, such as
// --quiet; an option that is not known is kept, so that recordedSettings refuses it.
func changesResults(option string) bool {
	name := optionName(option)
	_, c := recordedFlags()
	return name != "workers" && (c.Flags().Lookup(name) != nil || runCommand().Flags().Lookup(name) == nil)
}

// optionName returns the name of an option as optionText writes it.
func optionName(option string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(option, "--"), " ")
	return name
}

// recordedFlags returns the flags of run that may change results, and a command that has them.
func recordedFlags() (*studyFlags, *cobra.Command) {
	var f studyFlags
	c := &cobra.Command{}
	f.add(c)
	f.addFit(c)
	f.addMaps(c)
	return &f, c
}

// recordedSettings returns the settings of a run with options as the record of a folder has them, each of the form
// "--name value".
func recordedSettings(options, studies []string, workers int) (batch.Settings, error) {
	f, c := recordedFlags()
	for _, option := range options {
		name := optionName(option)
		_, value, _ := strings.Cut(option, " ")
		if err := c.Flags().Set(name, value); err != nil {
			return batch.Settings{}, fmt.Errorf("the record has the option %s: %w", printable.Quoted(option), err)
		}
	}
	s, err := f.settings(c, studies)
	s.Workers = workers
	if err != nil {
		err = hint.Errorf("start the command in the folder in which run was started, with the files that its options name",
			"options in the record: %w", err)
	}
	return s, err
}
