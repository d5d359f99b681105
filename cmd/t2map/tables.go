package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
)

func tablesCommand() *cobra.Command {
	var quiet, wait bool
	c := &cobra.Command{
		Use:   "tables DIR",
		Short: "Rebuild the tables and the page of a folder of results",
		Long: `tables reads the result.json of every study below DIR, the output folder of run, and
rebuilds compartments.csv, studies.csv, qc.csv, all three as Parquet, index.html,
failures.html and timing.csv. Use it after a crash or a full disk, or when folders of studies
were removed or added. It maps nothing.
Studies that studies.csv lists as failed or not done stay in it.

Exit status: 0 the tables are written, 1 some results cannot be read, or the disk is
full, 2 the folder does not exist, a run is writing into it, or its results have
different settings.`,
		Example: "  t2map tables results\n  t2map tables results --wait",
		Args:    usage(cobra.ExactArgs(1)),
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "print errors only")
	c.Flags().BoolVar(&wait, "wait", false, "wait until no run writes into the folder")
	c.RunE = func(c *cobra.Command, args []string) error {
		out, err := batch.Tables(c.Context(), batch.Settings{Out: args[0], Wait: wait, Waiting: waiting(c, quiet)})
		printNotes(c.ErrOrStderr(), out.Remarks, quiet)
		if err != nil {
			return err
		}
		if !quiet {
			w := c.OutOrStdout()
			fmt.Fprintf(w, "%s in the tables, %d failed, %d not done. See %s and %s.\n",
				printable.Counted(out.Earlier, "study", "studies"), len(out.Failures), len(out.NotDone),
				filepath.Join(args[0], "index.html"), filepath.Join(args[0], "compartments.csv"))
		}
		if n := len(out.Unreadable); n > 0 {
			printFailures(c.ErrOrStderr(), out.Unreadable)
			return failedError{printable.Counted(n, "result", "results") + " cannot be read"}
		}
		return nil
	}
	return c
}

// checkIdle returns an error while a run writes to the results, a folder or a table in it, because the tables and
// pictures could then be from different runs.
func checkIdle(results string) error {
	if info, err := os.Stat(results); err != nil || !info.IsDir() {
		results = filepath.Dir(results)
	}
	return batch.CheckIdle(results)
}
