package report

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// Protocol is the settings that a result depends on.
type Protocol struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	// SkippedEchoes is the number of first echoes that were not fitted.
	SkippedEchoes int `json:"skipped_echoes"`
	// T2RangeMS is the accepted range (low, high] of T2 in ms.
	T2RangeMS [2]float64 `json:"t2_range_ms"`
	// MinR2 is the least accepted coefficient of determination, 0 for none.
	MinR2 float64 `json:"min_r2"`
	// MinSignal is the magnitude below which an echo counts as noise, 0 for none.
	MinSignal float64 `json:"min_signal"`
	// Sigma is the noise that the protocol gives, 0 where it is estimated.
	Sigma float64 `json:"sigma"`
	// EchoFloor omits from each voxel's fit the trailing echoes under this
	// multiple of the noise, 0 for none.
	EchoFloor float64 `json:"echo_floor"`
	// EPG is what the method epg takes for known; absent for other methods.
	EPG *EPG `json:"epg,omitempty"`
	// Scheme is the name of the label scheme, Labels what its labels mean: a file
	// of that name may say something else next year.
	Scheme string          `json:"scheme"`
	Labels []segment.Label `json:"labels"`
	// PhilipsScaling says which values of Philips images were mapped: dv, those for
	// display, or fp, what the receiver saw; empty for other vendors.
	PhilipsScaling string `json:"philips_scaling,omitempty"`
	// QuantityOverruled is the quantity that the images say they are of, T1ρ or T2*, where
	// the protocol says that it is T2 all the same; absent where they say none.
	QuantityOverruled string `json:"quantity_overruled,omitempty"`
	// Segments and Codes are what it says of DICOM segments; they are there where the
	// mask was one.
	Segments []segment.NamedSegment `json:"segments,omitempty"`
	Codes    []segment.CodeRule     `json:"codes,omitempty"`
	// MaskThreshold is the fraction at which a fractional segmentation was cut;
	// absent for other masks.
	MaskThreshold float64 `json:"mask_threshold,omitempty"`
	// Masks is how masks became regions; nil in results of versions that did not write it.
	Masks *MaskRules `json:"masks,omitempty"`
	// ForeignMask says that the mask was drawn on another series; absent where not.
	ForeignMask bool `json:"foreign_mask,omitempty"`
	// Maps says where T2 was mapped: full, mask or none.
	Maps string `json:"maps"`
	// Segmenter is the program that makes the masks; absent where they are files.
	Segmenter *Segmenter `json:"segmenter,omitempty"`
}

// Segmenter is a program that makes masks.
type Segmenter struct {
	// Command is the program and its arguments; paths are shown by their last part.
	Command []string `json:"command"`
	// Version is what the program says of itself; where it is not asked, Files are its
	// executable and the files that the command names.
	Version string `json:"version,omitempty"`
	Files   []File `json:"files,omitempty"`
	// Input is the pattern of the series that it gets; empty for the one that is mapped.
	Input string `json:"input,omitempty"`
	// TimeoutS is how long it may take, in seconds.
	TimeoutS float64 `json:"timeout_s"`
}

// Text says the program and what decides on its masks, for people: the same text means the same
// masks. Nil is none. The time limit does not belong to it.
func (s *Segmenter) Text() string {
	if s == nil {
		return "none"
	}
	text := "by " + strings.Join(s.Command, " ")
	if s.Input != "" {
		text += " of series " + s.Input
	}
	if s.Version != "" {
		return text + " (" + s.Version + ")"
	}
	var files []string
	for _, f := range s.Files {
		files = append(files, f.Path+" "+shortHash(f.SHA256))
	}
	return text + " (SHA-256: " + strings.Join(files, ", ") + ")"
}

// MaskRules is how masks became regions on the grid of the series.
type MaskRules struct {
	// Division is knee, by the shape of the knee, or none, each tissue a row of its own; Layers
	// is the number of layers of cartilage.
	Division string `json:"division"`
	Layers   int    `json:"layers"`
	// MinFraction is the least share of a voxel that a mask on another grid had to cover.
	MinFraction float64 `json:"mask_fraction"`
	// ErodeMM is the distance by which tissues were eroded, FluidMS the T2 above which voxels
	// were excluded as fluid, and FluidEdgeMS that limit at the edge of the mask; 0 for none.
	ErodeMM     float64 `json:"erode_mm"`
	FluidMS     float64 `json:"fluid_ms"`
	FluidEdgeMS float64 `json:"fluid_edge_ms"`
	// Registered is the name of the series that was aligned with the mapped one, and From the
	// visit whose masks were carried to the others; absent for none.
	Registered  string `json:"registered,omitempty"`
	SourceVisit string `json:"from,omitempty"`
}

// text says what of the rules is not the default, as parts of a sentence.
func (m *MaskRules) text() []string {
	if m == nil {
		return nil
	}
	var parts []string
	switch {
	case m.Division == "none":
		parts = append(parts, "tissues not divided")
	case m.Layers != 2:
		parts = append(parts, fmt.Sprintf("%d layers", m.Layers))
	}
	if m.MinFraction != 0.5 {
		parts = append(parts, "mask fraction ≥ "+short(m.MinFraction))
	}
	if m.ErodeMM > 0 {
		parts = append(parts, "masks eroded by "+short(m.ErodeMM)+" mm")
	}
	if m.FluidMS > 0 {
		parts = append(parts, "fluid above "+short(m.FluidMS)+" ms")
	}
	if m.FluidEdgeMS > 0 {
		parts = append(parts, "at the edge above "+short(m.FluidEdgeMS)+" ms")
	}
	if m.Registered != "" {
		parts = append(parts, "masks registered from "+m.Registered)
	}
	if m.SourceVisit != "" {
		parts = append(parts, "masks carried from visit "+m.SourceVisit)
	}
	return parts
}

// EPG is what a fit of extended phase graphs takes for known.
type EPG struct {
	T1MS float64 `json:"t1_ms"`
	// B1Range is the range of refocusing angles that is searched, as fractions of
	// 180°, and RefocusingProfile the angles across the slice as fractions of the
	// nominal one.
	B1Range           [2]float64 `json:"b1_range"`
	RefocusingProfile []float64  `json:"refocusing_profile"`
}

// describe prints the settings of a study as a line of text.
func describe(p Protocol, version string) string {
	parts := []string{p.Method}
	switch p.SkippedEchoes {
	case 0:
		parts = append(parts, "all echoes")
	case 1:
		parts = append(parts, "first echo not fitted")
	default:
		parts = append(parts, fmt.Sprintf("first %d echoes not fitted", p.SkippedEchoes))
	}
	parts = append(parts, fmt.Sprintf("T2 from %s to %s ms", short(p.T2RangeMS[0]), short(p.T2RangeMS[1])))
	if p.MinR2 > 0 {
		parts = append(parts, "R² ≥ "+short(p.MinR2))
	}
	if p.MinSignal > 0 {
		parts = append(parts, "signal ≥ "+short(p.MinSignal))
	}
	if p.Sigma > 0 {
		parts = append(parts, "noise "+short(p.Sigma)+" (given)")
	}
	if p.EchoFloor > 0 {
		parts = append(parts, "trailing echoes under "+short(p.EchoFloor)+" σ not fitted")
	}
	if e := p.EPG; e != nil {
		parts = append(parts, fmt.Sprintf("T1 %s ms", short(e.T1MS)), fmt.Sprintf("B1 from %s to %s", short(e.B1Range[0]), short(e.B1Range[1])))
		if len(e.RefocusingProfile) > 1 {
			parts = append(parts, "refocusing profile "+strings.Join(shorts(e.RefocusingProfile), ", "))
		}
	}
	if p.PhilipsScaling == "fp" {
		parts = append(parts, "Philips floating-point values")
	}
	if p.Scheme != "" {
		parts = append(parts, "labels: "+p.Scheme)
	}
	if p.MaskThreshold > 0 {
		parts = append(parts, "fractional masks from "+short(p.MaskThreshold)+" of the maximum on")
	}
	parts = append(parts, p.Masks.text()...)
	if p.ForeignMask {
		parts = append(parts, "mask of another series")
	}
	if p.Segmenter != nil {
		parts = append(parts, "segmented "+p.Segmenter.Text())
	}
	if p.Name != "" {
		parts = append(parts, "protocol: "+p.Name)
	}
	return printable.Line(printable.Join(", ", append(parts, "t2map "+version)...))
}

// Estimation returns the settings of a result without those of its mask: how T2 was estimated, and
// which voxels were excluded as fluid.
func (r Result) Estimation() string {
	p := r.Protocol
	p.Name, p.Scheme, p.MaskThreshold, p.ForeignMask, p.Segmenter = "", "", 0, false, nil
	if m := p.Masks; m != nil {
		p.Masks = &MaskRules{Division: "none", MinFraction: 0.5, FluidMS: m.FluidMS, FluidEdgeMS: m.FluidEdgeMS}
	}
	return describe(p, r.Version)
}

// shorts prints each number with as many decimals as it needs.
func shorts(x []float64) []string {
	var texts []string
	for _, v := range x {
		texts = append(texts, short(v))
	}
	return texts
}
