package report

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// Protocol holds the settings that a result depends on.
type Protocol struct {
	Name   string `json:"name"`
	Method string `json:"method"`
	// SkippedEchoes is the number of first echoes that were not fitted.
	SkippedEchoes int `json:"skipped_echoes"`
	// T2RangeMS is the accepted range (low, high] of T2 in ms.
	T2RangeMS [2]float64 `json:"t2_range_ms"`
	// MinR2 is the lowest accepted coefficient of determination, 0 for no limit.
	MinR2 float64 `json:"min_r2"`
	// MinSignal is the magnitude below which an echo counts as noise, 0 for no limit.
	MinSignal float64 `json:"min_signal"`
	// Sigma is the noise that the protocol sets, 0 if it is estimated.
	Sigma float64 `json:"sigma"`
	// EchoFloor is the multiple of the noise below which trailing echoes are omitted from the
	// fit of a voxel, 0 for no limit.
	EchoFloor float64 `json:"echo_floor"`
	// EPG holds the assumptions of the method epg; absent for other methods.
	EPG *EPG `json:"epg,omitempty"`
	// Scheme is the name of the label scheme, and Labels the meaning of its labels, because the
	// file of that name may change.
	Scheme string          `json:"scheme"`
	Labels []segment.Label `json:"labels"`
	// PhilipsScaling says which values of Philips images were mapped: dv (display values) or fp
	// (floating-point values, proportional to the received signal). It is empty for other vendors.
	PhilipsScaling string `json:"philips_scaling,omitempty"`
	// QuantityOverruled is the quantity that the images name, T1ρ or T2*, although the protocol
	// declares that they show T2. It is absent if the images do not name one.
	QuantityOverruled string `json:"quantity_overruled,omitempty"`
	// Segments and Codes are the rules of the scheme for DICOM segments. They are absent for
	// other masks.
	Segments []segment.NamedSegment `json:"segments,omitempty"`
	Codes    []segment.CodeRule     `json:"codes,omitempty"`
	// MaskThreshold is the fraction from which a voxel of a fractional segmentation belongs to
	// the mask; absent for other masks.
	MaskThreshold float64 `json:"mask_threshold,omitempty"`
	// Masks describes how masks became regions; nil in results of versions that did not write it.
	Masks *MaskRules `json:"masks,omitempty"`
	// ForeignMask says that the mask was drawn on another series; absent if it was not.
	ForeignMask bool `json:"foreign_mask,omitempty"`
	// Maps says where T2 was mapped: full, mask or none.
	Maps string `json:"maps"`
	// Segmenter is the program that makes the masks; absent if they are files.
	Segmenter *Segmenter `json:"segmenter,omitempty"`
	// Acquisition is the acquisition that the protocol expects; absent if it expects none. Quality
	// holds the limits of quality control.
	Acquisition *ExpectedAcquisition `json:"acquisition,omitempty"`
	Quality     *QualityLimits       `json:"quality,omitempty"`
	// SHA256 is the hash of all settings that the results of a folder have in common.
	SHA256 string `json:"sha256,omitempty"`
}

// Segmenter is a program that makes masks.
type Segmenter struct {
	// Command is the program and its arguments. Paths are shortened to their last element.
	Command []string `json:"command"`
	// Version is what the program prints as its version. If the protocol has no command for
	// that, Files are the executable and the files in Command.
	Version string `json:"version,omitempty"`
	Files   []File `json:"files,omitempty"`
	// Input is the pattern of the series that it reads; empty for the mapped series.
	Input string `json:"input,omitempty"`
	// TimeoutS is the time limit in seconds.
	TimeoutS float64 `json:"timeout_s"`
}

// Text describes the program and everything that determines its masks: equal texts mean equal
// masks, so that the time limit is not part of it. The text of nil is "none".
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

// MaskRules describes how masks became regions on the grid of the series.
type MaskRules struct {
	// Division is knee (by the shape of the knee) or none (each tissue is a row). Layers is the
	// number of layers of cartilage.
	Division string `json:"division"`
	Layers   int    `json:"layers"`
	// MinFraction is the smallest fraction of a voxel that a mask on another grid had to cover.
	MinFraction float64 `json:"mask_fraction"`
	// ErodeMM is the distance by which tissues were eroded. Voxels with a T2 above FluidMS, or
	// above FluidEdgeMS at the edge of the mask, were excluded as fluid. Each is 0 if not used.
	ErodeMM     float64 `json:"erode_mm"`
	FluidMS     float64 `json:"fluid_ms"`
	FluidEdgeMS float64 `json:"fluid_edge_ms"`
	// Registered is the name of the series that was aligned with the mapped one. SourceVisit is
	// the visit whose masks were carried to the others. Each is absent if not used.
	Registered  string `json:"registered,omitempty"`
	SourceVisit string `json:"from,omitempty"`
}

// text returns the rules that differ from the default, as parts of a sentence.
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

// EPG holds the assumptions of a fit of extended phase graphs.
type EPG struct {
	T1MS float64 `json:"t1_ms"`
	// B1Range is the range of refocusing angles to search, as fractions of 180°.
	// RefocusingProfile holds the angles across the slice as fractions of the nominal angle.
	B1Range           [2]float64 `json:"b1_range"`
	RefocusingProfile []float64  `json:"refocusing_profile"`
}

// describe returns the settings of a study as one line of text.
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
		parts = append(parts, fmt.Sprintf("T1 %s ms", short(e.T1MS)),
			fmt.Sprintf("B1 from %s to %s", short(e.B1Range[0]), short(e.B1Range[1])))
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

// Estimation returns the settings without those of the mask: how T2 was estimated, and which voxels
// were excluded as fluid.
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
