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

// ListTrains names trains for people who have to choose.
func ListTrains(trains []dicomio.Train) string {
	var out []string
	for _, t := range trains {
		side := cmp.Or(t.Side, "unknown")
		out = append(out, fmt.Sprintf("number %d (hash %s, %q, %d echoes, side %s)", t.Number, t.Hash,
			printable.Short(t.Description), len(t.TE), side))
	}
	return strings.Join(out, "; ")
}

// Job is one study, its questions answered: who it is, which series is meant,
// which file is its mask and where its results go.
type Job struct {
	Study    dicomio.Study
	Identity Identity
	Train    dicomio.Train
	Mask     Mask
	Anatomy  Anatomy
	// Moving is the series that the mask was drawn on, if it is aligned with the train;
	// else nil.
	Moving *dicomio.Train
	// From is the job whose mask is carried to this one; nil if the study has its own.
	From  *Job
	Input Input // what a program makes the mask of, instead of Mask
	Dir   string
	// Tree opens the mask, which may lie in an archive; nil means that it does not.
	Tree *files.Tree

	Bound Bound // of its memory

	Carried bool // whether the mask is to be that of another visit
}

// Process takes one study through the pipeline and writes its folder. Workers is
// the number of parallel workers in each stage; 0 means one per processor. A panic, also in a library,
// is a *PanicError.
func Process(ctx context.Context, j Job, p protocol.Protocol, workers int) (r report.Result, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	if p.Segment, err = p.Segment.Identify(ctx); err != nil {
		return report.Result{}, err
	}
	s, err := measure(ctx, j, p, workers)
	if err != nil {
		return report.Result{}, err
	}
	// The pictures are drawn, and the next study is read, in the memory of all
	// the echoes but the one that is shown.
	collect()
	if err := j.addAnatomy(ctx, &s, workers); err != nil {
		return report.Result{}, err
	}
	return report.WriteStudy(j.Dir, s)
}

// measure reads and fits the study. The result holds everything that is written.
func measure(ctx context.Context, j Job, p protocol.Protocol, workers int) (report.Study, error) {
	p.Fit.Workers = workers
	fit, err := p.Fit.Resolve()
	if err != nil {
		return report.Study{}, err
	}
	src, err := j.read(ctx, p, workers)
	if err != nil {
		return report.Study{}, err
	}
	collect() // the files' bytes make room for the maps
	maps, err := fit.Fit(ctx, src.series, fitted(p, src.regions))
	if err != nil {
		return report.Study{}, notFitted(err)
	}
	if err := segment.ExcludeFluid(&maps, src.regions, segment.FluidLimits{T2: p.Division.FluidMS,
		PartialT2: p.Division.FluidEdgeMS}); err != nil {
		return report.Study{}, wrapped("fluid", err)
	}
	j.Train.Lossy = j.Train.Lossy || src.lossy // in a frame that Find did not look at
	result := j.startResult(p, fit, src, maps)
	err = inParallel(func() error {
		return wrapped("summarize", src.summarize(&result, maps))
	}, func() error {
		result.Decays = curves(fit, src.series, maps, src.regions)
		return nil
	})
	if err != nil {
		return report.Study{}, err
	}
	if noneUsed(result.Compartments) {
		result.Warnings = append(result.Warnings, "no voxel of the mask has a sound T2: the tables say why each was "+
			"excluded; look at the images and at the echo times")
	}
	if err := src.measureDepth(&result, maps); err != nil {
		return report.Study{}, wrapped("depth", err)
	}
	unrolled, err := src.unrolled(ctx, maps)
	if err != nil {
		return report.Study{}, wrapped("unroll", err)
	}
	s := report.Study{
		Result:    result,
		Echo:      volume.Map{Geometry: src.series.Geometry, Data: src.series.Echo[fit.SkipEchoes]},
		Maps:      maps,
		WriteMaps: p.Maps != protocol.MapsNone,
		Regions:   src.regions,
		Unrolled:  unrolled,
	}
	if err := j.addAligned(ctx, &s, src, p, workers); err != nil {
		return report.Study{}, wrapped("mask", err)
	}
	if made := src.mask.made; made != nil {
		s.Segmentation = made.file
	}
	if s.WriteMaps && !j.Anatomy.Named {
		s.Anatomy = volume.Map{Geometry: src.series.Geometry, Data: src.series.Echo[0]}
		s.Result.Anatomy = describeAnatomy(j.Train.FirstEcho(), j.Train.Lossy)
	}
	return s, nil
}

// startResult returns what is known of a study's result before its rows are summarized.
func (j Job) startResult(p protocol.Protocol, fit t2fit.Resolved, src source, maps volume.Maps) report.Result {
	result := describe(j, p, fit, src.series, maps.Noise)
	result.Inputs = src.files
	result.Side = cmp.Or(result.Side, src.sideName())
	src.mask.note(&result, src.placedMask, p)
	if src.aligned != nil {
		result.Registration = &src.aligned.record
	}
	j.noteCarried(&result, src.dividedKnee)
	result.Warnings = append(result.Warnings, j.alignmentWarnings(src.mask, src.dividedKnee, p)...)
	if text := saturated(src.series, maps, src.regions, fit.SkipEchoes).warning(src.series.TE); text != "" {
		result.Warnings = append(result.Warnings, text)
	}
	result.Warnings = append(result.Warnings, breaks(src.series, maps, src.regions, fit.SkipEchoes)...)
	return result
}

// addAligned adds pictures of the alignment, and the aligned mask.
func (j Job) addAligned(
	ctx context.Context, s *report.Study, src source, p protocol.Protocol, workers int,
) (err error) {
	if src.aligned == nil {
		return nil
	}
	s.Registration = &src.aligned.pictures
	if s.Mask, err = j.correctable(ctx, src, p, workers); err == nil && len(s.Mask.Data) > 0 {
		s.Result.Notes = append(s.Result.Notes, "mask.nii.gz is the registered mask in the labels of the scheme, for "+
			"a reader to correct")
	}
	return err
}

// noneUsed reports whether compartments have voxels and none of these a sound T2.
func noneUsed(compartments []segment.Summary) bool {
	voxels, used := 0, 0
	for _, c := range compartments {
		voxels, used = voxels+c.Voxels, used+c.Used
	}
	return voxels > 0 && used == 0
}

// source is the content of a study's files.
type source struct {
	series volume.MultiEcho
	placedMask
	mask    maskRead
	aligned *alignment    // of the mask with the series; nil if none was needed
	bones   bones         // of the mask, on the series, if it was aligned
	files   []report.File // the images' and the mask's
	lossy   bool          // whether an image is coded with loss
}

// read reads the series and, in parallel, the mask.
func (j Job) read(ctx context.Context, p protocol.Protocol, workers int) (source, error) {
	var s source
	var images []dicomio.File
	made, stop := context.WithCancel(ctx) // a program does not go on for a series that cannot be read
	defer stop()
	err := inParallel(func() (err error) {
		if s.series, images, err = dicomio.Read(ctx, j.Train, workers); err != nil {
			stop()
		}
		return wrapped("read", err)
	}, func() (err error) {
		s.mask, s.placedMask, err = j.findRegions(made, p, workers)
		return wrapped("mask", err)
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

// needsAlignment reports whether images are to be aligned before the mask is used. A mask that
// was drawn on the voxels of the mapped series, such as a registered one that a reader has
// corrected, lies where it belongs.
func (j Job) needsAlignment(k dividedKnee) bool {
	return j.From != nil || j.Moving != nil && !k.onSeries
}

// alignMask brings the mask onto the series by aligning their images.
func (s *source) alignMask(ctx context.Context, j Job, p protocol.Protocol, workers int) (err error) {
	first := volume.Map{Geometry: s.series.Geometry, Data: s.series.Echo[0]}
	if s.aligned, err = j.align(ctx, first, j.source(), s.dividedKnee, p, workers); err != nil {
		return wrapped("register", err)
	}
	var transform *volume.Rigid
	if s.aligned != nil {
		transform = &s.aligned.transform
	}
	marks := s.marks
	s.marks = nil
	s.placedMask, err = j.place(ctx, s.dividedKnee, p.Division, transform, workers)
	if err == nil && marks != nil {
		s.bones, err = j.placeBones(ctx, bonesOf(*marks), p.Division, transform, workers)
	}
	if err != nil {
		err = HintMask(fmt.Errorf("mask: %s: %w", s.mask.file.Path, err))
	}
	return err
}

// fitted returns the voxels to fit: those of the regions, or all.
func fitted(p protocol.Protocol, r segment.Regions) volume.Labels {
	if p.Maps == "" || p.Maps == protocol.MapsFull {
		return volume.Labels{}
	}
	return r.Labels
}

// wrapped puts the name of a stage before an error, if there is one.
func wrapped(stage string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", stage, err)
	}
	return err
}

func notFitted(err error) error {
	if errors.Is(err, t2fit.ErrNoise) {
		return hint.Errorf("give it by --sigma NUMBER, or choose where it comes from by --sigma residuals or --sigma "+
			"background", "fit: %w", err)
	}
	return hint.Errorf("t2map inspect shows the echo times; --method and --skip-echoes have to suit them", "fit: %w",
		err)
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
		// The noise of a mean is less than a voxel's; its bias by the noise is not. An
		// empty compartment has no mean signal; its curve stays NaN.
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
