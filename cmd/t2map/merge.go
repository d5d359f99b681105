package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
)

func mergeCommand() *cobra.Command {
	var quiet, wait, partial bool
	c := &cobra.Command{
		Use:   "merge DIR",
		Short: "Write the tables and the page of a run in shards",
		Long: `merge reads what the shards of 't2map run --shard' have left in DIR, their output folder, and
writes the tables and the page, as run without --shard writes them. It maps nothing, and may be
called again.

It refuses a run with shards that have not ended, or have studies that are not done, and names
them: map them with 't2map run --shard'. With --partial it writes the tables without them.
Shards that have seen other studies or settings than the last one count as not mapped.

Exit status: 0 the tables are written, also if studies have failed, 1 some results cannot be read,
or the disk is full, 2 shards are missing, the folder does not exist, or its results have
different settings, 75 a shard or another process is writing into it.`,
		Example: "  t2map merge results\n  t2map merge results --partial",
		Args:    usage(cobra.ExactArgs(1)),
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "print errors only")
	c.Flags().BoolVar(&partial, "partial", false, "accept that shards are missing; their studies are not in the tables")
	c.Flags().BoolVar(&wait, "wait", false, "wait until no shard and no other run writes into the folder")
	c.RunE = func(c *cobra.Command, args []string) error {
		out, err := batch.Merge(c.Context(), batch.Settings{Out: args[0], Wait: wait, Waiting: waiting(c, quiet)}, partial)
		printNotes(c.ErrOrStderr(), out.Remarks, quiet)
		if errors.As(err, new(*batch.BusyError)) || outfile.Transient(err) {
			return againError{err}
		}
		if err != nil {
			return err
		}
		if !quiet {
			fmt.Fprintf(c.OutOrStdout(), "%d of %d shards: %s in the tables, %d failed, %d not done. See %s and %s.\n",
				out.Merged.Ended, out.Merged.Shards, studyCount(out.Earlier), len(out.Failures), len(out.NotDone),
				filepath.Join(args[0], "index.html"), filepath.Join(args[0], "compartments.csv"))
		}
		printFailures(c.ErrOrStderr(), out.Failures)
		if n := len(out.Unreadable); n > 0 {
			return failedError{printable.Counted(n, "result", "results") + " cannot be read"}
		}
		return nil
	}
	return c
}
