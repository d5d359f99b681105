package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/cluster"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
)

func clusterCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "cluster",
		Short: "Write the jobs that map studies in shards on a cluster",
		Long: `Slurm or Kubernetes place, watch and repeat the shards of a run: t2map writes the jobs for
them. All nodes need the studies, and one output folder that they share. See docs/cluster.md.`,
		Args: usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(slurmCommand(), kubernetesCommand())
	return c
}

// jobFlags are the flags of both schedulers.
type jobFlags struct{ job cluster.Job }

func (f *jobFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.job.Out, "out", "", "`folder` for the results, on a file system that all nodes share (required)")
	p.IntVar(&f.job.Shards, "shards", 0, "`number` of parts, each with one process (required)")
	p.IntVar(&f.job.Parallel, "parallel", 0, "largest `number` of shards at a time (default: no limit)")
	p.StringVar(&f.job.Name, "name", "t2map", "`name` of the jobs")
	p.IntVar(&f.job.CPUs, "cpus", 2, "`number` of processors of each shard")
	p.IntVar(&f.job.MemoryMB, "memory", 4096,
		"memory of each shard in `MiB`; its studies may take three quarters of it")
}

// jobFlagsOfRun are the flags of run that the jobs give, or that make no sense in a job that may be started again.
var jobFlagsOfRun = map[string]string{
	"out": "name it before --", "shard": "the jobs give it", "workers": "give --cpus before --",
	"memory": "give --memory before --", "dry-run": "use t2map run --dry-run",
	"force": "a shard that is started again would begin anew every time: choose a new output folder",
}

// take takes the studies and, after --, the options of run. It returns the command that has parsed these.
func (f *jobFlags) take(c *cobra.Command, args []string) (*cobra.Command, error) {
	f.job.Studies = args
	if n := c.ArgsLenAtDash(); n >= 0 {
		f.job.Studies, f.job.Options = args[:n], args[n:]
	}
	advice := c.CommandPath() + " --help"
	switch {
	case len(f.job.Studies) == 0:
		return nil, usageError{hint.Errorf(advice, "no folder of studies is named")}
	case f.job.Out == "":
		return nil, usageError{hint.Errorf(advice, "--out is missing: name a folder for the results")}
	case objects.Is(f.job.Out):
		return nil, refuseShardsInBucket(f.job.Out)
	case f.job.Shards == 0:
		return nil, usageError{hint.Errorf(advice, "--shards is missing: name the number of parts")}
	}
	run := runCommand()
	return run, f.parseOptions(run, advice)
}

// parseOptions parses the options of run, and refuses those that make no sense in a job.
func (f *jobFlags) parseOptions(run *cobra.Command, advice string) error {
	if err := run.ParseFlags(f.job.Options); errors.Is(err, pflag.ErrHelp) {
		return usageError{errors.New("options of run: --help cannot be used in a job: use t2map run --help")}
	} else if err != nil {
		return usageError{hint.Errorf("t2map run --help", "options of run: %w", err)}
	}
	if rest := run.Flags().Args(); len(rest) > 0 {
		return usageError{hint.Errorf(advice, "options of run: %q is not a flag; name folders of studies before --",
			rest[0])}
	}
	var err error
	run.Flags().Visit(func(given *pflag.Flag) {
		if why, refused := jobFlagsOfRun[given.Name]; refused && err == nil {
			err = usageError{hint.Errorf(why, "options of run: --%s cannot be used in a job", given.Name)}
		}
	})
	return err
}

// checkSettings returns an error if run would refuse its options, so that no job is submitted in vain. It reads the
// protocol and the scheme.
func checkSettings(run *cobra.Command, studies []string) error {
	f, c := recordedFlags()
	var err error
	run.Flags().Visit(func(given *pflag.Flag) {
		if c.Flags().Lookup(given.Name) != nil {
			err = errors.Join(err, c.Flags().Set(given.Name, given.Value.String()))
		}
	})
	if err != nil {
		return err
	}
	s, err := f.settings(c, studies)
	if err == nil && s.Protocol.Scheme.Name == "" && !s.Protocol.Segment.Named() {
		err = hint.Errorf("name it after --, as in -- --scheme compartments, or in the protocol",
			"no label scheme is given")
	}
	if err != nil {
		return usageError{fmt.Errorf("options of run: %w", err)}
	}
	return nil
}

const slurmHelp = `slurm writes the script of an array job, in which each task maps one shard, and that of a job
that writes the tables when all tasks have ended. Options of run follow after --. Paths may be
relative to the current folder, and all nodes must see them.

  array.sh     the tasks: t2map run --shard
  merge.sh     t2map merge; Slurm cancels it if a shard has failed
  submit.sh    submits both: sh submit.sh; sh submit.sh 3,5 submits these shards again

A shard that is interrupted, by the time limit or a lost node, is queued again and goes on where it
ended. Failed studies do not make a shard fail; they are in the tables. A shard that fails leaves the
results of the other ones: submit it again, or use t2map merge --partial.

Exit status: 0 the scripts are written and, with --submit, submitted; with --wait, the tables are
written. 1 they cannot be submitted, or the merge has failed. 2 usage. 130 interrupted: the
jobs go on.`

func slurmCommand() *cobra.Command {
	var f jobFlags
	s := cluster.Slurm{}
	var folder, program string
	var submit, wait bool
	c := &cobra.Command{
		Use:   "slurm STUDIES... --out DIR --shards N [-- OPTIONS OF RUN]",
		Short: "Write, submit and watch the jobs for Slurm",
		Long:  slurmHelp,
		Example: `  t2map cluster slurm /data/trial --out results --shards 8 -- --scheme skm-tea
  t2map cluster slurm /data/trial --out results --shards 40 --parallel 10 --time 2:00:00 \
      --partition short --sbatch --qos=night --submit --wait -- --protocol trial.yaml`,
	}
	f.add(c)
	p := c.Flags()
	p.StringVar(&s.Partition, "partition", "", "`partition` of the jobs")
	p.StringVar(&s.Account, "account", "", "`account` of the jobs")
	p.StringVar(&s.Time, "time", "", "`limit` of time of each shard, such as 4:00:00; what is left is queued again")
	p.StringArrayVar(&s.Sbatch, "sbatch", nil,
		"another `option` of sbatch, such as --qos=night; may be given several times")
	p.StringVar(&folder, "scripts", "", "`folder` for the scripts and the logs (default: .t2map/slurm in --out)")
	p.StringVar(&program, "program", "", "`file` of the program t2map on the nodes (default: this program)")
	p.BoolVar(&submit, "submit", false, "submit the jobs")
	p.BoolVar(&wait, "wait", false, "submit the jobs, show their progress, and end with the state of the merge")
	c.RunE = func(c *cobra.Command, args []string) error {
		run, err := f.take(c, args)
		if err == nil {
			err = cmp.Or(checkPlace(f.job.Out, "", f.job.Studies), checkSettings(run, f.job.Studies))
		}
		if err != nil {
			return err
		}
		s.Job = f.job
		if s.Folder, err = os.Getwd(); err != nil {
			return err
		}
		if s.Program = program; program == "" {
			if s.Program, err = os.Executable(); err != nil {
				return err
			}
		}
		if folder == "" {
			folder = filepath.Join(s.Out, ".t2map", "slurm")
		}
		if path, err := filepath.Abs(folder); err == nil && filepath.Separator != '\\' && strings.Contains(path, `\`) {
			return usageError{hint.Errorf("choose another folder with --scripts",
				"%q: Slurm does not accept a backslash in the path of a log", path)}
		}
		scripts, err := s.Scripts()
		if err != nil {
			return usageError{err}
		}
		if err := writeScripts(c, folder, scripts); err != nil {
			return err
		}
		if !submit && !wait {
			fmt.Fprintf(c.OutOrStdout(), "To submit them: sh %s\n", cluster.Quote(filepath.Join(folder,
				cluster.SubmitScript)))
			return nil
		}
		return submitJobs(c, folder, s.Shards, wait)
	}
	return c
}

// writeScripts writes files into a folder and prints their paths.
func writeScripts(c *cobra.Command, folder string, scripts []cluster.Script) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, one := range scripts {
		path := filepath.Join(folder, one.Name)
		if err := outfile.Replace(path, []byte(one.Text)); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), printable.Line(path))
	}
	return nil
}

// watchInterval is the time between questions to Slurm's controller: it serves a whole cluster.
var watchInterval = 5 * time.Second

// awayTime is how long the controller may not answer, as during an update.
const awayTime = 15 * time.Minute

// submitJobs submits the jobs, and waits for them if asked to.
func submitJobs(c *cobra.Command, folder string, shards int, wait bool) error {
	jobs, err := cluster.Submit(c.Context(), folder)
	if err != nil {
		return slurmError{err}
	}
	fmt.Fprintf(c.OutOrStdout(), "submitted: array job %s, merge job %s; logs in %s\n", jobs.Array, jobs.Merge,
		printable.Line(folder))
	if !wait {
		return nil
	}
	err = cluster.Watch(c.Context(), jobs, shards, watchInterval, awayTime, func(p cluster.Progress) {
		fmt.Fprintln(c.ErrOrStderr(), p)
	})
	var end *cluster.EndError
	switch {
	case c.Context().Err() != nil:
		fmt.Fprintf(c.ErrOrStderr(), "note: the jobs go on; to end them: scancel %s %s\n", jobs.Array, jobs.Merge)
		return c.Context().Err()
	case errors.As(err, &end) && end.Retry() != "":
		return slurmError{hint.Errorf(fmt.Sprintf("see the logs in %s, and submit the shards again: sh %s %s",
			printable.Line(folder), cluster.Quote(filepath.Join(folder, cluster.SubmitScript)), end.Retry()), "%w", err)}
	case err != nil:
		return slurmError{hint.Errorf("see "+printable.Line(filepath.Join(folder, "merge.log")), "%w", err)}
	}
	fmt.Fprintf(c.OutOrStdout(), "merged; see %s\n", printable.Line(filepath.Join(folder, "merge.log")))
	return nil
}

// slurmError is an error of the scheduler or of a job. Its exit status is exitFailed.
type slurmError struct{ err error }

func (e slurmError) Error() string { return e.err.Error() }
func (e slurmError) Unwrap() error { return e.err }

const kubernetesHelp = `kubernetes writes the manifest of an indexed job, in which each index maps one shard, and that
of a job that writes the tables. STUDIES, --out and the files of the options of run (after --) are
paths in the containers: --volume says which persistent volume claims are there. STUDIES may
also be in a bucket, s3://BUCKET/PREFIX.

  shards.yaml  t2map run --shard; an index that ends with exit status 75 is started again
  merge.yaml   t2map merge; create it when the first job is complete

Containers run without root, without capabilities and with a read-only root file system. It calls
no program and no server: the commands for kubectl are printed.

Exit status: 0 the manifests are written, 1 they cannot be written, 2 usage.`

func kubernetesCommand() *cobra.Command {
	var f jobFlags
	k := cluster.Kubernetes{}
	var folder string
	var volumes []string
	c := &cobra.Command{
		Use:   "kubernetes STUDIES... --out DIR --shards N --image IMAGE --volume CLAIM:FOLDER [-- OPTIONS OF RUN]",
		Short: "Write the manifests of the jobs for Kubernetes",
		Long:  kubernetesHelp,
		Example: `  t2map cluster kubernetes /data/trial --out /results/trial --shards 8 \
      --image registry.example.org/t2map:1 --volume studies:/data:ro --volume results:/results \
      -- --scheme skm-tea`,
	}
	f.add(c)
	p := c.Flags()
	p.StringVar(&k.Image, "image", "", "container `image` of t2map (required)")
	p.StringVar(&k.Namespace, "namespace", "", "`namespace` of the jobs")
	p.StringArrayVar(&volumes, "volume", nil,
		"persistent volume claim and the `CLAIM:FOLDER` at which containers see it, with :ro if they must not write to "+
			"it; may be given several times")
	p.StringVar(&k.Secret, "secret", "",
		"`name` of a secret with the credentials of studies in buckets, such as AWS_ACCESS_KEY_ID")
	p.StringVar(&folder, "manifests", ".", "`folder` for the manifests")
	c.RunE = func(c *cobra.Command, args []string) error {
		// The files of the options are in the containers, so that the settings cannot be checked here.
		if _, err := f.take(c, args); err != nil {
			return err
		}
		k.Job = f.job
		for _, text := range volumes {
			v, err := cluster.ParseVolume(text)
			if err != nil {
				return usageError{fmt.Errorf("--volume: %w", err)}
			}
			k.Volumes = append(k.Volumes, v)
		}
		manifests, err := k.Manifests()
		if err != nil {
			return usageError{err}
		}
		if err := writeScripts(c, folder, manifests); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "\n"+strings.Join(kubectl(folder, k), "\n"))
		return nil
	}
	return c
}

// kubectl returns the commands that create the jobs and wait for them.
func kubectl(folder string, k cluster.Kubernetes) []string {
	space := ""
	if k.Namespace != "" {
		space = " --namespace=" + k.Namespace
	}
	wait := "kubectl" + space + " wait --for=condition=complete --timeout=-1s job/"
	create := func(name string) string { return "kubectl create -f " + cluster.Quote(filepath.Join(folder, name)) }
	return []string{create(cluster.ShardsManifest), wait + k.Name, create(cluster.MergeManifest),
		wait + k.Name + "-merge"}
}
