package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// ListTrains lists trains in an error that asks the user to choose one.
func ListTrains(trains []dicomio.Train) string {
	var out []string
	for _, t := range trains {
		side := cmp.Or(t.Side, "unknown")
		out = append(out, fmt.Sprintf("number %d (hash %s, %q, %d echoes, side %s)", t.Number, t.Hash,
			printable.Short(t.Description), len(t.TE), side))
	}
	return strings.Join(out, "; ")
}

// Job is a study with everything that was decided about it: its subject and visit, which series is mapped, which
// file is its mask and where its results go.
type Job struct {
	Study    dicomio.Study
	Identity Identity
	// Train is the series that is mapped.
	Train   dicomio.Train
	Mask    Mask
	Anatomy Anatomy
	// Moving is the series on which the mask was drawn, if it is aligned with Train; else nil.
	Moving *dicomio.Train
	// Carried says that the mask is that of another visit, and MaskSource is the job of that visit.
	Carried    bool
	MaskSource *Job
	// Input is the series from which a program makes the mask, instead of Mask.
	Input Input
	// Dir is the folder of the results, and Superseded that of an earlier result that these replace; see report.Study.
	Dir, Superseded string
	// Commit is called before the results get their folder; see report.Study.
	Commit func(sum string) error
	// Tree opens the mask, which may lie in an archive; nil means that the mask is a file of the file system.
	Tree *files.Tree
	// Bound limits the memory of the job.
	Bound Bound
}

// Process takes one study through the pipeline and writes its folder. Workers is the number of parallel workers in
// each stage; 0 means one per processor. A panic, also in a library, is returned as a *PanicError.
func Process(ctx context.Context, j Job, p protocol.Protocol, workers int) (r report.Result, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	if p.Segment, err = p.Segment.Identify(ctx); err != nil {
		return report.Result{}, Because(report.ReasonProgram, err)
	}
	s, err := measure(ctx, j, p, workers)
	if err != nil {
		return report.Result{}, err
	}
	collect() // the memory of the echoes makes room for the pictures and for the next study
	if err := j.addAnatomy(ctx, &s, workers); err != nil {
		return report.Result{}, err
	}
	s.Superseded, s.Commit = j.Superseded, j.Commit
	r, err = report.WriteStudy(j.Dir, s)
	return r, Because(report.ReasonDisk, err)
}

// measure reads and fits the study. The result holds everything that is written.
func measure(ctx context.Context, j Job, p protocol.Protocol, workers int) (report.Study, error) {
	p.Fit.Workers = workers
	fit, err := p.Fit.Resolve()
	if err != nil {
		return report.Study{}, err
	}
	d, err := j.read(ctx, p, workers)
	if err != nil {
		return report.Study{}, err
	}
	collect() // the files' bytes make room for the maps
	maps, err := fit.Fit(ctx, d.series, fittedVoxels(p, d.regions))
	if err != nil {
		return report.Study{}, fitError(err)
	}
	if err := segment.ExcludeFluid(&maps, d.regions, segment.FluidLimits{T2: p.Division.FluidMS,
		PartialT2: p.Division.FluidEdgeMS}); err != nil {
		return report.Study{}, wrapped("fluid", err)
	}
	j.Train.Lossy = j.Train.Lossy || d.lossy // Find has not read every frame
	result := j.describe(p, fit, d, maps)
	requests, err := NewRequests(p)
	if err != nil {
		return report.Study{}, err
	}
	result.Request = requests.of(j)
	err = inParallel(func() error {
		return wrapped("summarize", d.summarize(&result, maps))
	}, func() error {
		result.Decays = curves(fit, d.series, maps, d.regions)
		result.Quality = measureQuality(d.series, maps, d.regions, fit.SkipEchoes)
		return nil
	})
	if err != nil {
		return report.Study{}, err
	}
	addRatios(result)
	result.QualityFlags = result.FindFlags()
	result.Warnings = append(result.Warnings, unusedWarnings(result.Compartments)...)
	if err := d.measureDepth(&result, maps); err != nil {
		return report.Study{}, Because(report.ReasonMask, wrapped("depth", err))
	}
	unrolled, err := d.unrolled(ctx, maps)
	if err != nil {
		return report.Study{}, Because(report.ReasonMask, wrapped("unroll", err))
	}
	s := report.Study{
		Result: result, Maps: maps, WriteMaps: p.Maps != protocol.MapsNone, Regions: d.regions, Unrolled: unrolled,
		Echo: volume.Map{Geometry: d.series.Geometry, Data: d.series.Echo[fit.SkipEchoes]},
	}
	if err := j.addAligned(ctx, &s, d, p, workers); err != nil {
		return report.Study{}, Because(report.ReasonMask, wrapped("mask", err))
	}
	if made := d.mask.made; made != nil {
		s.Segmentation = made.file
	}
	if s.WriteMaps && !j.Anatomy.Named {
		s.Anatomy = volume.Map{Geometry: d.series.Geometry, Data: d.series.Echo[0]}
		s.Result.Anatomy = describeAnatomy(j.Train.FirstEcho(), j.Train.Lossy)
	}
	return s, nil
}

// addAligned adds pictures of the alignment, and the aligned mask.
func (j Job) addAligned(
	ctx context.Context, s *report.Study, d studyData, p protocol.Protocol, workers int,
) (err error) {
	if d.aligned == nil {
		return nil
	}
	s.Registration = &d.aligned.pictures
	if s.Mask, err = j.correctable(ctx, d, p, workers); err == nil && len(s.Mask.Data) > 0 {
		s.Result.Notes = append(s.Result.Notes, "mask.nii.gz is the registered mask in the labels of the scheme, for "+
			"a reader to correct")
	}
	return err
}

// studyData is the content of a study's files.
type studyData struct {
	series volume.MultiEcho
	placedMask
	mask    maskRead
	aligned *alignment    // of the mask with the series; nil if none was needed
	bones   bones         // of the mask, on the grid of the series, if it was aligned
	files   []report.File // the images' and the mask's
	lossy   bool          // an image was compressed with loss
}

// registration is the record of the alignment, nil if there was none.
func (d studyData) registration() *report.Registration {
	if d.aligned == nil {
		return nil
	}
	return &d.aligned.record
}

// read reads the series and, in parallel, the mask.
func (j Job) read(ctx context.Context, p protocol.Protocol, workers int) (studyData, error) {
	var s studyData
	var images []dicomio.File
	made, stop := context.WithCancel(ctx) // a program is stopped if the series cannot be read
	defer stop()
	err := inParallel(func() (err error) {
		if s.series, images, err = dicomio.Read(ctx, j.Train, workers); err != nil {
			stop()
		}
		return wrapped("read", err)
	}, func() (err error) {
		s.mask, s.placedMask, err = j.findRegions(made, p, workers)
		return Because(report.ReasonMask, wrapped("mask", err))
	})
	if err == nil && j.needsAlignment(s.dividedKnee) {
		err = s.alignMask(ctx, j, p, workers)
	}
	s.release()
	for _, f := range images {
		s.files = append(s.files, report.File{Path: f.Path, SHA256: f.SHA256})
		s.lossy = s.lossy || f.Lossy
	}
	s.files = append(s.files, s.mask.sources(s.files)...)
	if s.aligned != nil {
		for _, f := range s.aligned.files {
			if !slices.Contains(s.files, f) {
				s.files = append(s.files, f)
			}
		}
	}
	return s, err
}

// needsAlignment reports whether images must be aligned before the mask is used. A mask on the voxels of the mapped
// series, such as a registered one that a reader has corrected, needs no alignment.
func (j Job) needsAlignment(k dividedKnee) bool {
	return j.MaskSource != nil || j.Moving != nil && !k.onSeries
}

// alignMask brings the mask onto the series by aligning their images.
func (d *studyData) alignMask(ctx context.Context, j Job, p protocol.Protocol, workers int) (err error) {
	first := volume.Map{Geometry: d.series.Geometry, Data: d.series.Echo[0]}
	if d.aligned, err = j.align(ctx, first, j.maskJob(), d.dividedKnee, p, workers); err != nil {
		return wrapped("register", err)
	}
	var transform *volume.Rigid
	if d.aligned != nil {
		transform = &d.aligned.transform
	}
	marks := d.marks
	d.marks = nil
	d.placedMask, err = j.place(ctx, d.dividedKnee, p.Division, transform, workers)
	if err == nil && marks != nil {
		d.bones, err = j.placeBones(ctx, bonesOf(*marks), p.Division, transform, workers)
	}
	if err != nil {
		err = Because(report.ReasonMask, HintMask(fmt.Errorf("mask: %s: %w", d.mask.file.Path, err)))
	}
	return err
}

// fittedVoxels marks the voxels to fit: those of the regions, or all if it is empty.
func fittedVoxels(p protocol.Protocol, r segment.Regions) volume.Labels {
	if p.Maps == "" || p.Maps == protocol.MapsFull {
		return volume.Labels{}
	}
	return r.Labels
}

// wrapped adds the name of a stage to an error; nil stays nil.
func wrapped(stage string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", stage, err)
	}
	return err
}

// fitError adds the stage and a hint to an error of the fit.
func fitError(err error) error {
	advice := "t2map inspect shows the echo times; --method and --skip-echoes must suit them"
	if errors.Is(err, t2fit.ErrNoise) {
		advice = "give it with --sigma NUMBER, or choose its source with --sigma residuals or --sigma background"
	}
	return Because(report.ReasonSetting, hint.Errorf(advice, "fit: %w", err))
}

// curves fits the mean signal of each compartment, for the picture of its decay.
func curves(fit t2fit.Resolved, s volume.MultiEcho, m volume.Maps, r segment.Regions) []report.Decay {
	var out []report.Decay
	for _, d := range segment.Decays(s, m, r) {
		curve := report.Decay{
			Compartment: d.Compartment, Voxels: d.Voxels, Signal: numbers(d.Signal),
			SNRFirst: segment.Number(d.Signal[fit.SkipEchoes] / d.Sigma),
			SNRLast:  segment.Number(d.Signal[len(d.Signal)-1] / d.Sigma),
		}
		// The mean has less noise than a voxel, but the same bias due to noise. The curve of an empty compartment is
		// NaN.
		options := fit
		if d.Sigma > 0 {
			options.Sigma = d.Sigma
		}
		est, _ := options.Curve(s.TE, d.Signal)
		curve.T2, curve.S0 = segment.Number(est.T2), segment.Number(est.S0)
		curve.Model = numbers(options.Expected(s.TE, est))
		out = append(out, curve)
	}
	return out
}

func numbers(x []float64) []segment.Number {
	var out []segment.Number
	for _, v := range x {
		out = append(out, segment.Number(v))
	}
	return out
}
