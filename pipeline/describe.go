package pipeline

import (
	"cmp"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// describe returns the part of a study's result that is known before its rows are summarized.
func (j Job) describe(p protocol.Protocol, fit t2fit.Resolved, d studyData, maps volume.Maps) report.Result {
	s := d.series
	side := cmp.Or(j.Side(), d.sideName())
	r := report.Result{
		Version: Version, Subject: j.Identity.Subject, Visit: j.Identity.Visit,
		Study: j.Study.Hash, Series: j.Train.Hash, Side: side,
		Protocol: j.recordProtocol(p, fit, d.mask),
		Scanner:  scanner(j.Train.Scanner), Acquisition: acquisition(j.Train.Acquisition),
		TE: ReadableTimes(s.TE), Size: s.Size, Spacing: s.Spacing(),
		Noise:       report.Noise{Source: maps.Noise.Source, Sigma: numbers(maps.Noise.Sigma)},
		LossyImages: j.Train.Lossy, Deviations: p.Acquisition.Deviations(j.Train),
		Inputs: d.files, MemoryBytes: j.Memory(1),
		Mask: j.describeMask(d.mask, d.placedMask), Division: d.record,
		Registration: d.registration(),
		Warnings:     j.warnings(p, fit, d, maps, side),
		Notes:        j.notes(fit, d, maps.Noise, side),
	}
	return r
}

// recordProtocol records the protocol as it was used for the study.
func (j Job) recordProtocol(p protocol.Protocol, fit t2fit.Resolved, m maskRead) report.Protocol {
	r := p.Record(fit)
	r.PhilipsScaling = string(j.Train.Scaling)
	if c := j.Train.Claim; c != nil {
		r.QuantityOverruled = string(c.Quantity)
	}
	if m.segmented {
		r.Segments, r.Codes = slices.Clone(p.Scheme.Segments), slices.Clone(p.Scheme.Codes)
		r.MaskThreshold, r.ForeignMask = m.segments.Threshold, m.foreign != nil
	}
	return r
}

// describeMask describes the mask and how its segments were read.
func (j Job) describeMask(m maskRead, p placedMask) report.Mask {
	out := report.Mask{Path: m.file.Path, Kind: m.kind, Read: j.Mask.Read}
	if m.made != nil {
		out.Program = &m.made.facts
	}
	if j.MaskSource != nil {
		out.SourceVisit = j.MaskSource.Identity.Visit
	}
	if p.resampled {
		size, spacing := m.geometry().Size, m.geometry().Spacing()
		out.Size, out.Spacing = &size, &spacing
	}
	for _, g := range p.regions.Readings {
		g.Label = printable.Short(g.Label)
		out.Segments = append(out.Segments, g)
	}
	return out
}

// scanner and acquisition shorten texts of headers to one line of limited length.
func scanner(s dicomio.Scanner) *report.Scanner {
	return &report.Scanner{
		Manufacturer: printable.Short(s.Manufacturer), Model: printable.Short(s.Model), FieldT: segment.Number(s.Field),
		Serial: s.Serial, Software: printable.Short(s.Software),
	}
}

func acquisition(a dicomio.Acquisition) *report.Acquisition {
	return &report.Acquisition{
		TRMS: segment.Number(a.TR), FlipDegrees: segment.Number(a.Flip), PixelBandwidthHz: segment.Number(a.Bandwidth),
		PixelSpacingMM: a.PixelSpacing, Sequence: printable.Short(a.Sequence), Varying: a.Varying,
	}
}

// Side names the side of the knee in full: the side of the series, else that of the identity; "" if neither is known.
func (j Job) Side() string {
	side := j.Train.Side
	if side == "" {
		side = j.Identity.Side
	}
	switch side {
	case "L":
		return "left"
	case "R":
		return "right"
	}
	return ""
}

// Version is the version of t2map, written into every result. It is raised when numbers or exclusions change: results
// of two versions are not written to one folder.
const Version = "0.3.0"
