package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// View is a study that a reader looks at: its echoes, and the fit of every voxel. It computes the values of a mask that
// the reader draws, as Process would. Its methods may be called concurrently.
type View struct {
	Series volume.MultiEcho
	Maps   volume.Maps
	Fit    t2fit.Resolved

	job      Job
	protocol protocol.Protocol
	workers  int
}

// Open reads the series of a job and fits all of its voxels. The job needs no mask. A panic, also in a library, is
// returned as a *PanicError.
func Open(ctx context.Context, j Job, p protocol.Protocol, workers int) (v *View, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	if err := j.CheckMemory(0); err != nil {
		return nil, err
	}
	p.Fit.Workers = workers
	fit, err := p.Fit.Resolve()
	if err != nil {
		return nil, err
	}
	series, _, err := dicomio.Read(ctx, j.Train, workers)
	if err != nil {
		return nil, wrapped("read", err)
	}
	maps, err := fit.Fit(ctx, series, volume.Labels{})
	if err != nil {
		return nil, fitError(err)
	}
	return &View{Series: series, Maps: maps, Fit: fit, job: j, protocol: p, workers: workers}, nil
}

// Mask returns the mask of the study on the grid of the series, in the labels of the scheme, before erosion. The error
// has a hint; it is a *LaterError if the mask must be aligned or made by a program first, which takes too long to wait
// for: a run does that.
func (v *View) Mask(ctx context.Context) (labels volume.Labels, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	j := v.job
	if j.Carried || j.Input.Named {
		return labels, &LaterError{}
	}
	return v.readMask(ctx, j)
}

// MadeMask is Mask for the label map that a program has made of the study in an earlier run.
func (v *View) MadeMask(ctx context.Context, path string) (labels volume.Labels, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	j := v.job
	j.Input, j.Tree, j.Mask = Input{}, nil, Mask{Path: path, Format: FormatNIfTI}
	return v.readMask(ctx, j)
}

// readMask reads the mask of a job and brings it onto the grid of the series.
func (v *View) readMask(ctx context.Context, j Job) (volume.Labels, error) {
	m, err := j.readMask(ctx, v.protocol)
	if err != nil {
		return volume.Labels{}, Because(report.ReasonMask, wrapped("mask", err))
	}
	labels, err := v.placeMask(ctx, m)
	return labels, Because(report.ReasonMask, wrapped("mask", err))
}

// placeMask brings a mask onto the grid of the series, without dividing it. A label map on that grid stays as it is.
func (v *View) placeMask(ctx context.Context, m maskRead) (volume.Labels, error) {
	j, grid := v.job, v.Series.Geometry
	onSeries := segment.CheckGrid(m.geometry(), grid) == nil
	if j.Moving != nil && !onSeries {
		return volume.Labels{}, &LaterError{}
	}
	raw := m.labels
	m.crop(grid)
	marks, err := m.interpret(v.protocol.Scheme) // also to refuse labels without a meaning
	if err != nil {
		return volume.Labels{}, err
	}
	if onSeries && !m.segmented {
		return segment.OnGrid(raw, grid)
	}
	placed, err := j.place(ctx, dividedKnee{parts: marks.Whole(), cropped: m.cropped}, v.protocol.Division, nil, v.workers)
	if err != nil {
		return volume.Labels{}, HintMask(fmt.Errorf("%s: %w", m.file.Path, err))
	}
	labels, ok := placed.inScheme(v.protocol.Scheme)
	if !ok {
		return volume.Labels{}, hint.Errorf("give each tissue a label in the scheme", "%s: the scheme has no label for a tissue "+
			"of the mask", m.file.Path)
	}
	bones, err := j.placeBones(ctx, bonesOf(marks), v.protocol.Division, nil, v.workers)
	if err == nil {
		bones.addTo(labels, v.protocol.Scheme)
	}
	return labels, err
}

// LaterError says that the mask of a study is known only when a run has mapped the study.
type LaterError struct{}

// Error says so.
func (*LaterError) Error() string { return "the mask is aligned or made when the study is mapped" }

// Values are the summaries of a mask.
type Values struct {
	// Labels are the summaries of the labels of the scheme, without division, in the order of the scheme.
	Labels []segment.Summary
	// Compartments are the summaries that a result has, with compartments and their regions but without layers; nil if
	// the mask cannot be divided, for the reason in Problem.
	Compartments []segment.Summary
	Problem      error
	// Status is the status of the voxels of the maps, in which the fluid of Labels is excluded.
	Status []volume.Status
}

// Measure computes the values of a mask on the grid of the series, in the labels of the scheme. The error is that of ctx
// or of labels that the scheme does not know.
func (v *View) Measure(ctx context.Context, mask volume.Labels, divide bool) (out Values, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = panicked(value)
		}
	}()
	scheme := v.protocol.MaskScheme()
	marks, err := scheme.Undivided().Interpret(mask)
	if err != nil {
		return out, err
	}
	parts := marks.Whole()
	out.Labels, out.Status, err = v.summarize(parts.OnGrid(mask.Geometry, parts.Data, nil))
	if err != nil || !divide || !v.divides() {
		return out, err
	}
	out.Compartments, out.Problem = v.compartments(ctx, mask, scheme)
	return out, ctx.Err()
}

// divides reports whether tissues are divided into compartments.
func (v *View) divides() bool {
	return v.protocol.Division.WithDefaults().Method != protocol.DivideNone && v.protocol.Scheme.Tissues()
}

// compartments returns the summaries of a result.
func (v *View) compartments(ctx context.Context, mask volume.Labels, scheme segment.Scheme) ([]segment.Summary, error) {
	marks, err := scheme.Interpret(mask)
	if err != nil {
		return nil, err
	}
	d := v.protocol.Division.WithDefaults()
	d.Layers = 0 // they take most of the time
	k, err := v.job.divideMarks(ctx, marks, scheme, d, v.workers)
	if err != nil {
		return nil, hint.Errorf(hintAnatomy(err), "%w", err)
	}
	placed, err := v.job.place(ctx, k, d, nil, v.workers)
	if err != nil {
		return nil, err
	}
	rows, _, err := v.summarize(placed.regions)
	return rows, err
}

// summarize summarises the maps in regions, without the voxels that the protocol excludes as fluid. It also returns the
// status of the voxels.
func (v *View) summarize(r segment.Regions) ([]segment.Summary, []volume.Status, error) {
	maps := v.Maps
	maps.Status = slices.Clone(maps.Status)
	limits := segment.FluidLimits{T2: v.protocol.Division.FluidMS, PartialT2: v.protocol.Division.FluidEdgeMS}
	if err := segment.ExcludeFluid(&maps, r, limits); err != nil {
		return nil, nil, err
	}
	rows, err := segment.Summarize(maps, r)
	return rows, maps.Status, err
}

// Bytes returns the memory of the echoes and maps.
func (v *View) Bytes() int64 { return memoryOf(v.job.Train) }

// Scheme returns the scheme that gives the labels their meaning.
func (v *View) Scheme() segment.Scheme { return v.protocol.MaskScheme() }

// Rows returns the scheme with the names of Values.Labels, in which no tissue is divided.
func (v *View) Rows() segment.Scheme { return v.protocol.MaskScheme().Undivided() }

// Residual returns the root mean square of the residuals of the fitted echoes in each voxel, in the units of the series:
// √((1−R²)·TSS/n), where TSS is the sum of squares of the n fitted echoes about their mean. It is NaN where R² is.
func (v *View) Residual() []float32 {
	first := v.Fit.SkipEchoes
	out := volume.Floats(v.Series.Voxels())
	for i := range out {
		n := len(v.Series.TE) - first
		if v.Maps.Echoes != nil {
			n = int(v.Maps.Echoes[i])
		}
		out[i] = float32(math.Sqrt((1 - float64(v.Maps.R2[i])) * v.squares(i, first, n) / float64(n)))
	}
	return out
}

// squares returns the sum of squares of n echoes of a voxel about their mean.
func (v *View) squares(i, first, n int) float64 {
	sum, squares := 0.0, 0.0
	for _, e := range v.Series.Echo[first : first+n] {
		sum += float64(e[i])
	}
	for _, e := range v.Series.Echo[first : first+n] {
		d := float64(e[i]) - sum/float64(n)
		squares += d * d
	}
	return squares
}

// Reading is what a method says of a decay.
type Reading struct {
	Method t2fit.Method
	t2fit.Estimate
	// TE and Curve are points of the fitted curve, from the first fitted echo to the last; nil without an estimate.
	TE, Curve []float64
	// Residuals are measured minus fitted at each echo time; NaN for echoes that were not fitted.
	Residuals []float64
	// Problem says why the method cannot be used.
	Problem error
}

// readingMethods are those of which View.Decay returns a reading, after that of the maps.
var readingMethods = []t2fit.Method{t2fit.NLLS, t2fit.Rician, t2fit.EPG}

// Signal returns the mean of the echoes over voxels. It is that of the voxel if there is one.
func (v *View) Signal(voxels []int) []float64 {
	signal := make([]float64, len(v.Series.TE))
	for e := range signal {
		for _, i := range voxels {
			signal[e] += float64(v.Series.Echo[e][i])
		}
		signal[e] /= float64(len(voxels))
	}
	return signal
}

// Decay returns what the methods say of a decay: first that of the maps, then the others. slice is the slice of the
// decay, whose noise is taken.
func (v *View) Decay(signal []float64, slice int) []Reading {
	all := []Reading{v.reading(v.Fit.Method, signal, slice)}
	for _, m := range readingMethods {
		if m != v.Fit.Method {
			all = append(all, v.reading(m, signal, slice))
		}
	}
	return all
}

// VoxelDecay returns what the methods say of a voxel. What the first one says is what the maps have.
func (v *View) VoxelDecay(i int) []Reading {
	slice := v.Maps.Index(i)[2]
	signal := v.Signal([]int{i})
	all := v.Decay(signal, slice)
	first, m := &all[0], v.Maps
	at := func(x []float32) float64 {
		if x == nil {
			return math.NaN()
		}
		return float64(x[i])
	}
	first.Estimate = t2fit.Estimate{T2: at(m.T2), S0: at(m.S0), R2: at(m.R2), SE: at(m.SE), Offset: at(m.Offset), B1: at(m.B1),
		Echoes: len(signal) - v.Fit.SkipEchoes, Status: m.Status[i]}
	if m.Echoes != nil {
		first.Echoes = int(m.Echoes[i])
	}
	fit := v.Fit
	if fit.Sigma == 0 {
		fit.Sigma = v.sigma(slice)
	}
	first.Problem = nil
	first.draw(fit, v.Series.TE, signal)
	return all
}

// reading fits a decay by a method, with the options of the protocol.
func (v *View) reading(m t2fit.Method, signal []float64, slice int) Reading {
	r := Reading{Method: m}
	o := v.protocol.Fit
	if o.Method = m; m == t2fit.EPG && m != v.Fit.Method {
		o.SkipEchoes, o.EchoFloor = 0, 0 // it fits all echoes
	}
	fit, err := o.Resolve()
	if err == nil && fit.Sigma == 0 {
		fit.Sigma = v.sigma(slice)
	}
	if err == nil {
		r.Estimate, err = fit.Curve(v.Series.TE, signal)
	}
	if r.Problem = err; err == nil {
		r.draw(fit, v.Series.TE, signal)
	}
	return r
}

// sigma is the noise of a slice; 0 if it is not known.
func (v *View) sigma(slice int) float64 {
	if s := v.Maps.Noise.Sigma; slice < len(s) && s[slice] > 0 {
		return s[slice]
	}
	return 0
}

// curvePoints is the number of points of a curve that is known between the echoes.
const curvePoints = 60

// draw computes the curve and the residuals of the estimate.
func (r *Reading) draw(fit t2fit.Resolved, te, signal []float64) {
	r.TE, r.Curve, r.Residuals = nil, nil, nil
	if !r.Status.HasValue() {
		return
	}
	at := func(te []float64, skip int) []float64 {
		fit.SkipEchoes = skip
		y := fit.Expected(te, r.Estimate)
		if y == nil {
			for _, t := range te {
				y = append(y, r.S0*math.Exp(-t/r.T2))
			}
		}
		return y
	}
	skip := fit.SkipEchoes
	r.Residuals = make([]float64, len(te))
	for e, y := range at(te, skip) {
		if r.Residuals[e] = math.NaN(); e >= skip && e < skip+r.Echoes {
			r.Residuals[e] = signal[e] - y
		}
	}
	if r.TE = te[skip:]; fit.Method != t2fit.EPG { // a phase graph has no values between its echoes
		r.TE = make([]float64, curvePoints)
		first, last := te[skip], te[len(te)-1]
		for n := range r.TE {
			r.TE[n] = first + (last-first)*float64(n)/(curvePoints-1)
		}
		r.Curve = at(r.TE, 0)
		return
	}
	r.Curve = at(te, skip)[skip:]
}
