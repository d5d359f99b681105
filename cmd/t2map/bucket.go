package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/objects/mirror"
)

// checkPlace checks the place for the results of run.
func checkPlace(out, scratch string, roots []string) error {
	for _, name := range append(roots[:len(roots):len(roots)], out) {
		if objects.Is(name) {
			if _, err := objects.Parse(name); err != nil {
				return usageError{err}
			}
		}
	}
	if !objects.Is(out) {
		if scratch != "" {
			return usageError{hint.Errorf("omit --scratch", "--scratch is for results in a bucket")}
		}
		return checkFolder(out)
	}
	for _, root := range roots {
		if files.Inside(root, out) {
			return usageError{hint.Errorf("choose another place with --out", "--out %s is in %s, which is searched",
				out, root)}
		}
	}
	return nil
}

// refuseBuckets returns an error if an argument is in a bucket, except for the commands that read buckets.
func refuseBuckets(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if objects.Is(arg) && c.Name() != "run" && c.Name() != "inspect" {
			return usageError{hint.Errorf("copy the folder first, for instance: aws s3 sync "+arg+" results",
				"t2map %s does not read from buckets: %s", c.Name(), arg)}
		}
	}
	return nil
}

// refuseShardsInBucket returns the error of shards whose output folder is in a bucket.
func refuseShardsInBucket(out string) error {
	return usageError{hint.Errorf("map the shards into a folder that they share, and copy it",
		"--out %s: shards cannot write to a bucket", out)}
}

// runInBucket runs the batch in a local folder that mirrors results in a bucket.
func runInBucket(c *cobra.Command, s batch.Settings, scratch string, quiet bool) error {
	place, err := objects.Parse(s.Out)
	if err != nil {
		return usageError{err}
	}
	if s.Shard != (batch.Shard{}) {
		return refuseShardsInBucket(s.Out)
	}
	m, err := mirror.Open(c.Context(), mirror.Settings{Place: place, Dir: scratch, ReadOnly: s.DryRun, Wait: s.Wait,
		Waiting: func(h mirror.Holder) {
			if !quiet {
				fmt.Fprintf(c.ErrOrStderr(), "waiting: %s is writing to %s\n", h, place)
			}
		}})
	if err != nil {
		return err
	}
	printNotes(c.ErrOrStderr(), m.Remarks, quiet)
	s.Out, s.Stored = m.Dir, m.Stored
	c.SetContext(m.Context())
	runErr := runBatch(c, s, place.String(), quiet)
	closeErr := m.Close()
	if closeErr != nil && errors.As(runErr, new(*objects.Error)) && !errors.Is(runErr, context.Canceled) {
		return closeErr // for the same reason
	}
	return errors.Join(runErr, closeErr)
}
