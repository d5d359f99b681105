package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// studyFlags are the flags that run and inspect share: how studies are identified, read and fitted.
type studyFlags struct {
	protocol, scheme, mask, maps string
	manifest, layout, series     string
	anatomy                      string
	skipEchoes, workers          int
	philips                      string
	maskThreshold, maskFraction  float64
	division, register           string
	layers                       int
	allowForeignMask             bool
	acceptPatientID              bool
	table                        tableFlags
	fit                          fitFlags
}

// fitFlags are the flags of the fit.
type fitFlags struct {
	method, t2Range, sigma, b1Range, profile string
	echoFloor, t1                            float64
}

func (f *studyFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.protocol, "protocol", "",
		"YAML `file` with the settings of the trial; command-line flags override it")
	p.StringVar(&f.scheme, "scheme", "",
		"label `scheme` of the masks: "+strings.Join(segment.Names(),
			", ")+" or a YAML file (required for run, here or in the protocol)")
	p.StringVar(&f.mask, "mask", "",
		"`pattern` of the mask's file name in a study's folder (default: *label*, *mask* or *seg* in NIfTI, "+
			"NRRD or MetaImage, or the study's DICOM SEG or RTSTRUCT)")
	p.Float64Var(&f.maskThreshold, "mask-threshold", 0,
		"smallest `fraction` at which a voxel of a fractional DICOM segmentation counts (default 0.5)")
	p.Float64Var(&f.maskFraction, "mask-fraction", 0,
		"smallest `fraction` of a voxel that a mask on another grid must cover (default 0.5)")
	p.StringVar(&f.division, "division", "",
		"`method` to divide tissues: knee, into compartments by the shape of the knee; none, each tissue is "+
			"a row (default knee)")
	p.IntVar(&f.layers, "layers", 2, "`number` of layers of cartilage, from bone to joint; 0 for none")
	p.StringVar(&f.register, "register", "",
		"`series` that the masks were drawn on, to align with the mapped series: its number, its hash or a "+
			"pattern of its description")
	p.BoolVar(&f.allowForeignMask, "allow-foreign-mask", false,
		"accept a DICOM mask of other images, or of a series in another frame of reference, if the knee did "+
			"not move")
	p.StringVar(&f.manifest, "manifest", "", "CSV `file` with the columns folder, subject, visit, side, mask")
	p.StringVar(&f.table.separator, "separator", ",", "`character` between the columns of the manifest, or tab")
	p.StringVar(&f.table.encoding, "encoding", "", "`encoding` of the manifest, such as windows-1252 (default UTF-8)")
	f.table.decimal = "point" // a manifest has no numbers
	p.BoolVar(&f.acceptPatientID, "accept-patient-id", false,
		"use PatientID as the subject even if it repeats the patient's name or holds a date")
	p.StringVar(&f.layout, "layout", "", "`pattern` of study folders, such as '{subject}/{visit}'")
	p.StringVar(&f.series, "series", "",
		"`series` to map in studies with several: its number, its hash or a pattern of its description")
	p.StringVar(&f.anatomy, "anatomy", "",
		"`series` to show as the background of maps: its number, its hash or a pattern of its description "+
			"(default: the first echo of the mapped series)")
	p.StringVar(&f.philips, "philips-scaling", "",
		"`values` of Philips images to map: dv, display values; fp, floating-point values, which are needed "+
			"if echoes have different scale slopes (2005,100E) (default dv)")
	p.IntVar(&f.skipEchoes, "skip-echoes", 1,
		"`number` of echoes to skip at the start of the train; epg skips none by default")
	p.IntVar(&f.workers, "workers", 0, "`number` of parallel workers (default: one per processor)")
}

// addFit adds the flags of the fit.
func (f *studyFlags) addFit(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.fit.method, "method", "",
		"`method` of the fit: nlls, loglinear, loglinear-unweighted, arlo, nlls-offset, rician or epg "+
			"(default nlls)")
	p.StringVar(&f.fit.t2Range, "t2-range", "", "accepted T2 in ms as `LO,HI` (default 0,150)")
	p.StringVar(&f.fit.sigma, "sigma", "",
		"`noise` of the images: its standard deviation, or how to estimate it, from residuals or background "+
			"(default residuals)")
	p.Float64Var(&f.fit.echoFloor, "echo-floor", 0,
		"omit trailing echoes of a voxel below `K` times the noise from the fit (default 0: fit all echoes)")
	p.Float64Var(&f.fit.t1, "t1", 0, "T1 of all tissues in `ms`, for epg (default 1200)")
	p.StringVar(&f.fit.b1Range, "b1-range", "",
		"range `LO,HI` of refocusing angles to search, as fractions of 180°, for epg (default 0.4,1.2)")
	p.StringVar(&f.fit.profile, "refocusing-profile", "",
		"refocusing angles across the slice, as `fractions` A,B,… of the nominal angle, for epg (default 1); "+
			"without the profile of your slices, epg is less accurate than nlls (docs/protocol.md)")
}

// addMaps adds the flag that only run needs.
func (f *studyFlags) addMaps(c *cobra.Command) {
	c.Flags().StringVar(&f.maps, "maps", "",
		"`voxels` to fit: full, all voxels; mask, the voxels of the mask; none, the voxels of the mask, "+
			"without writing maps (default full)")
}

// settings combines flags and protocol.
func (f *studyFlags) settings(c *cobra.Command, roots []string) (batch.Settings, error) {
	s := batch.Settings{Roots: roots, Manifest: f.manifest, Layout: f.layout, Series: f.series, Anatomy: f.anatomy,
		Mask: f.mask, Workers: f.workers}
	p := &s.Protocol
	var err error
	if f.protocol != "" {
		if *p, err = protocol.ReadProtocol(f.protocol); err != nil {
			return s, err
		}
	}
	if f.scheme != "" {
		if p.Scheme, err = protocol.ReadScheme(f.scheme, "."); err != nil {
			return s, err
		}
		p.Segment.Scheme = p.Scheme
	}
	if c.Flags().Changed("skip-echoes") {
		if p.Fit.SkipEchoes, err = protocol.SkipOption(f.skipEchoes); err != nil {
			return s, fmt.Errorf("--%w", err)
		}
	}
	if c.Flags().Changed("mask-threshold") {
		if p.MaskThreshold, err = protocol.MaskThreshold(f.maskThreshold); err != nil {
			return s, fmt.Errorf("--mask-threshold: %w", err)
		}
	}
	if c.Flags().Changed("mask-fraction") {
		if p.Division.MinFraction, err = protocol.MaskFraction(f.maskFraction); err != nil {
			return s, fmt.Errorf("--mask-fraction: %w", err)
		}
	}
	if c.Flags().Changed("layers") {
		if p.Division.Layers, err = protocol.LayerOption(f.layers); err != nil {
			return s, fmt.Errorf("--%w", err)
		}
	}
	p.Register.Moving = cmp.Or(f.register, p.Register.Moving)
	p.Division.Method = cmp.Or(protocol.DivisionMethod(f.division), p.Division.Method)
	if c.Flags().Changed("allow-foreign-mask") {
		p.AllowForeignMask = f.allowForeignMask
	}
	s.AcceptPatientID = f.acceptPatientID
	if s.ManifestFormat, err = f.table.format(); err != nil {
		return s, err
	}
	p.Maps = cmp.Or(protocol.Maps(f.maps), p.Maps)
	if err := dicomio.PhilipsScaling(f.philips).Check(); err != nil {
		return s, fmt.Errorf("--philips-scaling: %w", err)
	}
	p.PhilipsScaling = cmp.Or(dicomio.PhilipsScaling(f.philips), p.PhilipsScaling)
	if err := f.fit.set(c, &p.Fit); err != nil {
		return s, err
	}
	return s, p.Check()
}

// set copies the given flags into the options.
func (f fitFlags) set(c *cobra.Command, o *t2fit.Options) error {
	o.Method = cmp.Or(t2fit.Method(f.method), o.Method)
	if c.Flags().Changed("echo-floor") {
		o.EchoFloor = f.echoFloor
	}
	if c.Flags().Changed("t1") {
		if !(f.t1 > 0) {
			return fmt.Errorf("--t1 %g is not a time in ms above 0", f.t1)
		}
		o.T1 = f.t1
	}
	if err := protocol.SetSigma(o, f.sigma); err != nil {
		return fmt.Errorf("--sigma: %w", err)
	}
	return errors.Join(setProfile(f.profile, &o.RefocusingProfile), setRange("--t2-range", f.t2Range, &o.T2Range),
		setRange("--b1-range", f.b1Range, &o.B1Range))
}

// setProfile parses fractions A,B,… unless text is empty.
func setProfile(text string, target *[]float64) error {
	if text == "" {
		return nil
	}
	var profile []float64
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return fmt.Errorf("--refocusing-profile %q is not a list of numbers, such as 1,0.9,0.7", text)
		}
		profile = append(profile, v)
	}
	*target = profile
	return nil
}

// setRange parses LO,HI unless text is empty.
func setRange(flag, text string, target *[2]float64) error {
	if text == "" {
		return nil
	}
	first, second, isPair := strings.Cut(text, ",")
	low, errLow := strconv.ParseFloat(strings.TrimSpace(first), 64)
	high, errHigh := strconv.ParseFloat(strings.TrimSpace(second), 64)
	if !isPair || errLow != nil || errHigh != nil {
		return fmt.Errorf("%s %q is not two numbers LO,HI", flag, text)
	}
	var err error
	if *target, err = protocol.Range(low, high); err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

const runHelp = `run searches the folders for studies, which are identified by StudyInstanceUID and not
by file names. It maps T2 in each study and writes into the output folder:

  compartments.csv    one row per study and compartment
  studies.csv         one row per study, with the reason if it failed
  qc.csv              quality control: one row per study and compartment, with flags
  *.parquet           the three tables with types, for pandas, R and DuckDB
  index.html          the same results as a page with pictures
  failures.html       if studies failed: the reasons, with questions for the site
  timing.csv          time and memory of each study
  SUBJECT/VISIT/      T2, S0, R² and standard error as NIfTI, pictures, result.json

Each study needs a mask in its folder: a label map or DICOM segmentation, drawn on the
multi-echo series or on another one, such as a DESS series. --scheme defines the meaning
of its labels. Cartilage is divided into compartments, regions and layers by the shape of
the knee. If the knee moved between the two series, --register aligns them.

The subject and the visit come from the first of these sources that is present:
--manifest, --layout, the clinical-trial attributes, PatientID and the name of the
study's folder. A PatientID that repeats the patient's name or holds a date is not used.

A study is done if its result is of the same files, settings and version: run maps what
is new or has changed. Files are taken to be unchanged if their sizes and times are;
--verify-inputs reads them all. --force maps all, and --dry-run prints what would be done.

A study that fails does not stop the others. If a study has a new result, or fails,
its earlier result is moved to superseded/ in the output folder. The earlier result is
kept if the failure is due to a setting, such as a --series that no study has. All
results in a folder have the same settings, and one run at a time writes into it.

STUDIES and --out may be in a bucket, s3://BUCKET/PREFIX. Credentials and the server come
from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL and AWS_REGION, or from
the shared credentials file.

With --shard 3/8, run maps the third of eight parts of the studies and writes no tables.
Several processes, also on several machines, map the shards into one folder, and 't2map merge'
then writes the tables. --shard auto takes the numbers from the array job of Slurm, auto/8 also
from the indexed job of Kubernetes. 't2map cluster' writes such jobs.

Exit status: 0 all studies are done, 1 some studies failed or the disk is full,
2 usage, 3 no study was found, 130 interrupted. With --shard: 0 also if studies failed, so that
the job that merges is started: the tables have the reasons. 75 if the shard should be tried
again, because it was interrupted, the folder or the shard is in use, or a file server did not
answer.`

func runCommand() *cobra.Command {
	var f studyFlags
	var out, scratch, shard string
	var quiet, rename, replace, wait, force, dryRun, verifyInputs bool
	var memory, maxFailures int
	c := &cobra.Command{
		Use:   "run STUDIES... --out DIR --scheme SCHEME",
		Short: "Map every study under the folders and write tables, maps and pictures",
		Long:  runHelp,
		Example: `  t2map run studies --out results --scheme skm-tea
  t2map run studies --out results --scheme oai-zib --register 'SAG*DESS*'
  t2map run /data/site07 --out results --protocol trial.yaml --layout '{subject}/{visit}'
  t2map run studies --out results --scheme oai-zib --maps mask --dry-run
  t2map run studies --out results --scheme compartments --method rician --replace`,
		Args: usage(cobra.MinimumNArgs(1)),
	}
	f.add(c)
	f.addFit(c)
	f.addMaps(c)
	c.Flags().StringVar(&out, "out", "", "`folder` for the results, or s3://BUCKET/PREFIX (required)")
	c.Flags().StringVar(&scratch, "scratch", "",
		"local `folder` for the state of results in a bucket (default: a temporary folder)")
	c.Flags().BoolVar(&quiet, "quiet", false, "print errors only: no progress, no summary, no warnings")
	c.Flags().BoolVar(&rename, "rename", false,
		"accept the new subject and visit of studies whose results are in the output folder under other names")
	c.Flags().IntVar(&memory, "memory", 0,
		"memory limit in `MiB` for studies being processed; a study that needs more fails (default: half of the memory "+
			"of the machine or of the control group; a study that needs more runs alone)")
	c.Flags().IntVar(&maxFailures, "max-failures", 0, "`number` of failed studies at which the run ends (default: no limit)")
	c.Flags().BoolVar(&force, "force", false,
		"map every study again, also those whose results are of the same files and settings")
	c.Flags().BoolVar(&verifyInputs, "verify-inputs", false,
		"read all files of studies that are done; by default, files of unchanged size and time are taken to be unchanged")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done with each study and why, and write nothing")
	c.Flags().BoolVar(&replace, "replace", false,
		"start over with other settings: move earlier results with different settings to superseded/")
	c.Flags().BoolVar(&wait, "wait", false, "wait until no other run writes into the output folder")
	c.Flags().StringVar(&shard, "shard", "",
		"`part` of the studies to map: I/N, such as 3/8; auto or auto/N, from the environment of Slurm or Kubernetes")
	c.RunE = func(c *cobra.Command, args []string) error {
		if out == "" {
			return usageError{hint.Errorf("t2map run --help", "--out is missing: name a folder for the results")}
		}
		if err := checkPlace(out, scratch, args); err != nil {
			return err
		}
		s, err := f.settings(c, args)
		if err != nil {
			return err
		}
		s.Out, s.MemoryMB, s.Rename, s.Replace, s.Wait = out, memory, rename, replace, wait
		s.Force, s.DryRun, s.VerifyInputs, s.MaxFailures = force, dryRun, verifyInputs, maxFailures
		if s.Shard, err = parseShard(shard, os.Getenv); err != nil {
			return usageError{err}
		}
		s.Waiting = waiting(c, quiet)
		c.Flags().Visit(func(f *pflag.Flag) { s.Options = append(s.Options, optionText(f)) })
		if objects.Is(out) {
			return runInBucket(c, s, scratch, quiet)
		}
		return runBatch(c, s, out, quiet)
	}
	return c
}

// optionText is an option in the record: "--scheme skm-tea". See recordedSettings.
func optionText(f *pflag.Flag) string { return "--" + f.Name + " " + f.Value.String() }

// waiting returns a function that prints the process that a command waits for.
func waiting(c *cobra.Command, quiet bool) func(batch.Holder) {
	return func(h batch.Holder) {
		if !quiet {
			fmt.Fprintf(c.ErrOrStderr(), "waiting: %s is writing into the folder\n", h)
		}
	}
}

// runBatch runs the batch with progress on stderr and a summary on stdout, which names the place of the results.
func runBatch(c *cobra.Command, s batch.Settings, place string, quiet bool) error {
	// If nobody reads the output any more, the run must still write its tables.
	signal.Ignore(syscall.SIGPIPE)
	show := newProgress(c.ErrOrStderr(), quiet)
	if s.Shard != (batch.Shard{}) {
		show.prefix = "shard " + s.Shard.String() + ": "
	}
	s.Progress, s.Log = show.report, show.log
	m := newMapped()
	s.Mapped = m.add
	var choices []batch.Choice
	if s.DryRun {
		s.Chosen = func(c batch.Choice) { choices = append(choices, c) }
	}
	outcome, err := batch.Run(c.Context(), s)
	show.close()
	if s.DryRun {
		printChoices(c.OutOrStdout(), choices)
		if text := choiceCounts(outcome.Choices); text != "" {
			fmt.Fprintln(c.OutOrStdout(), text)
		}
	} else if s.Shard != (batch.Shard{}) {
		if !quiet {
			printShard(c.OutOrStdout(), s, outcome)
		}
	} else if !quiet && outcome.Mapped+len(outcome.Failures)+len(outcome.NotDone)+outcome.Earlier > 0 {
		written := !errors.As(err, new(*batch.TablesError))
		printOutcome(c.OutOrStdout(), s.Out, place, outcome, m, written)
	}
	printNotes(c.ErrOrStderr(), outcome.Remarks, quiet)
	if !quiet {
		m.printWarnings(c.ErrOrStderr())
	}
	printDamaged(c.ErrOrStderr(), outcome.Damaged)
	printFailures(c.ErrOrStderr(), outcome.Failures)
	if s.Shard != (batch.Shard{}) {
		return shardError(outcome, err)
	}
	if err == nil && len(outcome.Failures) > 0 {
		err = failedError{printable.Counted(len(outcome.Failures), "study", "studies") + " failed"}
	}
	return err
}
