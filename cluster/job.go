// Package cluster writes the jobs with which a scheduler maps the shards of a run: job scripts for Slurm, manifests for
// Kubernetes. The schedulers place, watch and repeat the shards; t2map has no engine of its own. Memory is in MiB.
//
// A shard that ends with exit status 75 is started again. A shard that ends with another status than 0 is not, because
// it would end in the same way again, and then nothing is merged.
package cluster

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Job is a run in shards.
type Job struct {
	// Name names the jobs: lower-case letters, digits and hyphens.
	Name string
	// Program is the path of t2map, and Folder the folder in which it starts; neither is used in containers.
	Program, Folder string
	// Studies and Out are the arguments of t2map run, and Options its other flags, such as "--scheme", "skm-tea".
	Studies []string
	Out     string
	Options []string
	// Shards is the number of parts. At most Parallel of them run at a time; 0 means no limit.
	Shards, Parallel int
	// CPUs and MemoryMB are for each shard. Slurm's defaults apply if they are 0.
	CPUs, MemoryMB int
}

// restarts is how often a shard is started again. Every start goes on where the one before has ended, so that a shard
// with a time limit may need several. A file server that does not come back must not keep a job for ever.
const restarts = 20

// The largest numbers. Kubernetes has no more than 100,000 indexes with a limit of failures for each, and Slurm's
// MaxArraySize may be up to 4,000,001 (by default 1,001, which sbatch checks).
const maxShards = 100_000

var isName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,50}[a-z0-9])?$`)

func (j Job) check() error {
	switch {
	case !isName.MatchString(j.Name):
		return fmt.Errorf("the name %q of the job is not made of lower-case letters, digits and hyphens, at most 52",
			j.Name)
	case j.Shards < 1 || j.Shards > maxShards:
		return fmt.Errorf("%d shards: their number is not between 1 and %d", j.Shards, maxShards)
	case j.Parallel < 0, j.CPUs < 0, j.MemoryMB < 0:
		return fmt.Errorf("a number is negative: %d shards at a time, %d processors, %d MiB", j.Parallel, j.CPUs,
			j.MemoryMB)
	case len(j.Studies) == 0 || j.Out == "":
		return errors.New("the studies or the output folder are not named")
	}
	for _, text := range slices.Concat([]string{j.Program, j.Folder, j.Out}, j.Studies, j.Options) {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("%q has a NUL character, which no argument can have", text)
		}
	}
	return nil
}

// budget returns the part of memory that studies may take: three quarters, so that pictures, headers and the program
// itself fit in the rest (see pipeline.MachineBound).
func budget(memory int) int { return memory * 3 / 4 }

// Arguments are those of t2map run, without those that depend on the allocation.
func (j Job) Arguments() []string {
	args := []string{fmt.Sprintf("--shard=auto/%d", j.Shards), "--out=" + j.Out}
	return slices.Concat(args, j.Options, []string{"--"}, j.Studies)
}

// MergeArguments are those of t2map merge.
func (j Job) MergeArguments() []string { return []string{"--wait", "--", j.Out} }

// Restarts is how often a shard is started again.
func (j Job) Restarts() int { return restarts }
