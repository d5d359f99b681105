package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
)

func verifyCommand() *cobra.Command {
	var studies []string
	var workers int
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Compare a folder of results with the hashes that were written with it",
		Long: `verify reads DIR, the output folder of run, and changes nothing. It compares each file of each
result with the hash in its result.json, each result.json with the audit record audit.jsonl,
and each line of the record with the line before it. With --studies it also compares the
inputs of the results. It names every file that is missing, has changed or was added.

Who can write to the folder can write all of it again, with new hashes: keep a copy of the
last line of audit.jsonl elsewhere.

Exit status: 0 everything is as it was written, 1 something is not, 2 usage, 130 interrupted.`,
		Example: "  t2map verify results\n  t2map verify results --studies /data/trial",
		Args:    usage(cobra.ExactArgs(1)),
	}
	c.Flags().StringArrayVar(&studies, "studies", nil, "`folder` that was searched for the inputs; may be given several times")
	c.Flags().IntVar(&workers, "workers", 0, "`number` of results compared at a time (default: one per processor)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if workers < 0 {
			return usageError{fmt.Errorf("--workers %d is negative", workers)}
		}
		v, err := batch.Verify(c.Context(), args[0], studies, workers)
		if err != nil {
			return err
		}
		for _, f := range v.Findings {
			fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", printable.Line(f.Place), printable.Line(f.Problem))
		}
		text := fmt.Sprintf("%s, %s", printable.Counted(v.Results, "result", "results"),
			printable.Counted(v.Outputs, "file", "files"))
		if len(studies) > 0 {
			text += fmt.Sprintf(", %s", printable.Counted(v.Inputs, "input", "inputs"))
		}
		fmt.Fprintf(c.OutOrStdout(), "%s, %s of the record: ", text, printable.Counted(v.Lines, "line", "lines"))
		if len(v.Findings) == 0 {
			fmt.Fprintln(c.OutOrStdout(), "all as they were written")
			return nil
		}
		fmt.Fprintf(c.OutOrStdout(), "%s\n", printable.Counted(len(v.Findings), "difference", "differences"))
		return failedError{printable.Counted(len(v.Findings), "difference", "differences")}
	}
	return c
}
