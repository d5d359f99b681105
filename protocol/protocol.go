package protocol

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// Masks says which masks are carried.
type Masks struct {
	// Visit is the visit whose mask is carried to the other visits of a subject that have no mask of their own; ""
	// carries none.
	Visit string `yaml:"from"`
}

// CheckMaskPattern returns an error if the pattern is not a valid pattern of file names. A malformed pattern with a
// dot is allowed, because it may be the name of a file.
func CheckMaskPattern(pattern string) error {
	if _, err := filepath.Match(pattern, ""); err != nil && !strings.Contains(pattern, ".") {
		return hint.Errorf("a pattern is a file name with * and ?", "mask pattern %q: %w", pattern, err)
	}
	return nil
}

// Record is the part of the recorded protocol that is the same for all studies. It panics if Check would return an
// error because of an infinite number.
func (p Protocol) Record(fit t2fit.Resolved) report.Protocol {
	r := report.Protocol{
		Name: p.Name, Method: string(fit.Method), SkippedEchoes: fit.SkipEchoes, T2RangeMS: fit.T2Range,
		MinR2: fit.MinR2, MinSignal: fit.MinSignal, Sigma: fit.Sigma, EchoFloor: fit.EchoFloor, Scheme: p.Scheme.Name,
		Labels: p.Scheme.Labels, Maps: string(p.maps()),
		Segmenter: p.Segment.record(), Acquisition: p.Acquisition.record(),
	}
	limits := p.Quality.Limits()
	r.Quality = &limits
	d := p.Division.WithDefaults()
	r.Masks = &report.MaskRules{Division: string(d.Method), Layers: d.Layers, MinFraction: d.MinFraction,
		ErodeMM: d.ErodeMM, FluidMS: d.FluidMS, FluidEdgeMS: d.FluidEdgeMS,
		Registered: printable.Short(p.Register.Moving), SourceVisit: printable.Short(p.Masks.Visit)}
	if fit.Method == t2fit.EPG {
		r.EPG = &report.EPG{T1MS: fit.T1, B1Range: fit.B1Range, RefocusingProfile: fit.RefocusingProfile}
	}
	r.SHA256 = p.settled(r)
	return r
}

func (p Protocol) maps() Maps {
	if p.Maps == "" {
		return MapsFull
	}
	return p.Maps
}

// Protocol holds the settings that a trial fixes for all its studies.
type Protocol struct {
	// Name of the protocol, copied into results; may be empty.
	Name string
	// Fit says how T2 is estimated.
	Fit t2fit.Options
	// Scheme gives the labels of masks their meaning.
	Scheme segment.Scheme
	// Mask is a pattern of the mask's file name, or of its path below the study's folder; empty means the usual
	// names.
	Mask string
	// MaskThreshold is the smallest fraction of a voxel that belongs to a segment of a fractional segmentation; 0
	// means 0.5.
	MaskThreshold float64
	// Division says how the tissues of a mask become compartments.
	Division Division
	// Register says whether the image that masks were drawn on is aligned with the series, and Masks whether the mask
	// of one visit is carried to the others.
	Register Register
	Masks    Masks
	// Reads says how readers read the studies, and which of their masks are used.
	Reads Reads
	// AllowForeignMask accepts a DICOM mask that refers to another series, or another frame of reference, if it
	// lies on the grid of the series.
	AllowForeignMask bool
	// AcceptPatientID uses PatientID and ClinicalTrialSubjectID unchanged, although they repeat the patient's name or
	// hold a date.
	AcceptPatientID bool
	// Layout is a pattern of study folders, such as {subject}/{visit}; may be empty.
	Layout string
	// Segment is the program that makes the masks; the zero value means that masks are files.
	Segment Segmenter
	// Series selects one of the trains of a study.
	Series SeriesRule
	// Anatomy selects the series that the maps of a study are shown over; empty means the first echo of the mapped
	// series.
	Anatomy SeriesRule
	// PhilipsScaling says which values of Philips images are mapped; empty means
	// display values.
	PhilipsScaling dicomio.PhilipsScaling
	// Maps says which voxels are fitted and whether maps are written; empty
	// means MapsFull.
	Maps Maps
	// Acquisition is the acquisition that is expected, and Quality holds the limits of quality control.
	Acquisition Acquisition
	Quality     Quality
}

// Maps says which voxels of a study are fitted and whether maps are written.
type Maps string

// The kinds of maps.
const (
	MapsFull Maps = "full" // every voxel fitted, maps written
	MapsMask Maps = "mask" // the mask's voxels fitted, maps written
	MapsNone Maps = "none" // the mask's voxels fitted, no maps
)

// SetSigma sets the noise of a fit from the text of a user: a standard deviation, the name of a source, or "" for the
// default.
func SetSigma(o *t2fit.Options, text string) error {
	switch source := t2fit.SigmaSource(text); source {
	case "":
		return nil
	case t2fit.FromResiduals, t2fit.FromBackground:
		o.Sigma, o.SigmaFrom = 0, source
		return nil
	}
	sigma, err := strconv.ParseFloat(text, 64)
	if err != nil || !(sigma > 0) || math.IsInf(sigma, 0) {
		return fmt.Errorf("sigma %q is neither a standard deviation above 0 nor %s or %s", text, t2fit.FromResiduals,
			t2fit.FromBackground)
	}
	o.Sigma, o.SigmaFrom = sigma, ""
	return nil
}

// SkipOption turns a number of echoes to skip that a user has written into the value of t2fit.Options.SkipEchoes, in
// which 0 means the default.
func SkipOption(n int) (int, error) {
	switch {
	case n < 0:
		return 0, fmt.Errorf("skip echoes: %d is negative", n)
	case n == 0:
		return t2fit.NoSkip, nil
	}
	return n, nil
}

// Range turns two numbers that a user has written into a range of the fit's options. 0 to 0 is an error, because the
// zero value of the option means the default.
func Range(low, high float64) ([2]float64, error) {
	switch {
	case !(low >= 0) || !(high > low):
		return [2]float64{}, fmt.Errorf("the range %g to %g is empty or negative", low, high)
	case math.IsInf(high, 0):
		return [2]float64{}, hint.Errorf("write the largest value that you accept, such as 10000 for any T2 in ms",
			"the range %g to %g has no end", low, high)
	}
	return [2]float64{low, high}, nil
}

// MaskThreshold checks a threshold of fractional masks that a user has written. 0 is an error, although it is the
// default of the option.
func MaskThreshold(v float64) (float64, error) {
	if !(v > 0 && v <= 1) {
		return 0, fmt.Errorf("mask threshold %g is not above 0 and at most 1", v)
	}
	return v, nil
}

// Check returns an error if a setting is not valid.
func (p Protocol) Check() error {
	if _, err := p.Fit.Resolve(); err != nil {
		return err
	}
	if all := []Maps{"", MapsFull, MapsMask, MapsNone}; !slices.Contains(all, p.Maps) {
		return fmt.Errorf("maps %q is not one of %v", p.Maps, all[1:])
	}
	if err := cmp.Or(p.Series.check("series"), p.Anatomy.check("anatomy")); err != nil {
		return err
	}
	if err := p.Division.check(); err != nil {
		return err
	}
	if err := cmp.Or(p.Register.check(), p.Acquisition.check(p.Series), p.Quality.check()); err != nil {
		return err
	}
	if err := p.PhilipsScaling.Check(); err != nil {
		return fmt.Errorf("philips_scaling: %w", err)
	}
	if err := cmp.Or(CheckMaskPattern(p.Mask), p.Segment.check(), p.Reads.Check()); err != nil {
		return err
	}
	if p.Mask != "" && p.Segment.Named() {
		return hint.Errorf("omit one of them; a manifest can name the corrected mask of a study",
			"mask %s and segment: masks are files, or a program makes them", printable.Short(p.Mask))
	}
	if p.MaskThreshold != 0 {
		if _, err := MaskThreshold(p.MaskThreshold); err != nil {
			return err
		}
	}
	return CheckLayout(p.Layout)
}

// CheckLayout returns an error if a pattern of study folders lacks {subject}, or holds other words in braces than
// {subject}, {visit} and {side}, or one of them twice.
func CheckLayout(pattern string) error {
	if pattern == "" {
		return nil
	}
	if !utf8.ValidString(pattern) {
		return fmt.Errorf("layout %q is not UTF-8", pattern)
	}
	if !strings.Contains(pattern, "{subject}") {
		return hint.Errorf("write it as '{subject}/{visit}'", "layout %q has no {subject}", pattern)
	}
	rest := pattern
	for _, name := range []string{"{subject}", "{visit}", "{side}"} {
		rest = strings.Replace(rest, name, "*", 1)
	}
	if strings.Contains(rest, "{") {
		return hint.Errorf("use {subject}, {visit} and {side}, each at most once",
			"layout %q has an unknown name, or a name twice", pattern)
	}
	return nil
}

// ReadScheme returns the built-in label scheme of that name, or reads it from a YAML file whose path may be relative
// to folder.
func ReadScheme(nameOrFile, folder string) (segment.Scheme, error) {
	s, err := segment.Named(nameOrFile)
	if err == nil {
		return s, nil
	}
	if ext := strings.ToLower(filepath.Ext(nameOrFile)); ext != ".yaml" && ext != ".yml" {
		return segment.Scheme{}, err
	}
	path := nameOrFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	text, err := readText(path)
	if err != nil {
		return segment.Scheme{}, fmt.Errorf("scheme: %w", err)
	}
	s, err = segment.ParseScheme(text)
	if err != nil {
		return segment.Scheme{}, hintText(fmt.Errorf("scheme %s: %w", path, err))
	}
	return s, nil
}
