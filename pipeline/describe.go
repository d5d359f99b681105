package pipeline

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// describe fills in what a result says of its study and settings.
func describe(j Job, p protocol.Protocol, fit t2fit.Resolved, s volume.MultiEcho, noise volume.Noise) report.Result {
	record := p.Record(fit)
	record.PhilipsScaling = string(j.Train.Scaling)
	r := report.Result{
		Version: Version, Subject: j.Identity.Subject, Visit: j.Identity.Visit,
		Study: j.Study.Hash, Series: j.Train.Hash, Side: j.Side(),
		Protocol: record,
		Scanner:  scanner(j.Train.Scanner), Acquisition: acquisition(j.Train.Acquisition),
		TE: ReadableTimes(s.TE), Size: s.Size, Spacing: s.Spacing(),
		Noise: report.Noise{Source: noise.Source, Sigma: numbers(noise.Sigma)},
	}
	r.Warnings = append(r.Warnings, j.Identity.Warnings...)
	if r.LossyImages = j.Train.Lossy; r.LossyImages {
		r.Warnings = append(r.Warnings, "images were compressed with loss, here or before: T2 of voxels is not what "+
			"the scanner measured; ask the site for the originals")
	}
	r.Warnings = append(r.Warnings, doubts(j.Train, p)...)
	if c := j.Train.Claim; c != nil {
		r.Protocol.QuantityOverruled = string(c.Quantity)
	}
	if n := len(j.Study.Spoiled); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d damaged files in the study's folder do not say whose they are, or "+
			"are copies of images that are here: every slice has every echo without them", n))
	}
	if fit.Method == t2fit.EPG && p.Fit.RefocusingProfile == nil {
		r.Warnings = append(r.Warnings, "epg was used without the refocusing profile of the slices: on slices of real "+
			"pulses its T2 is longer, and further from the truth, than that of nlls (docs/protocol.md)")
	}
	if fit.Method == t2fit.Rician && noise.Source == string(t2fit.FromResiduals) {
		r.Notes = append(r.Notes, "the noise was estimated from residuals, which also hold what stimulated echoes "+
			"leave: where the refocusing is far from 180°, T2 by rician then reads short, and sigma should be given")
	}
	if text := passedWords(j.Study.Passed); text != "" {
		r.Notes = append(r.Notes, "passed over: "+text)
	}
	return r
}

// passedWords counts the files of a study that were not mapped, if there are any.
func passedWords(n dicomio.Passed) string {
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{n.OtherSeries, "MR image of another series", "MR images of other series"}, {n.Derived, "map or phase image",
			"maps or phase images"},
		{n.OtherModality, "file of another modality", "files of other modalities"},
	} {
		switch p.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+p.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.many))
		}
	}
	return strings.Join(parts, ", ")
}

// scanner and acquisition keep header texts to one line of a bounded length.
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

// Side names the side of the knee in full, "" if it is not known: that of the series, else of the identity.
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

// Version is the version of t2map, written into every result. It is raised when numbers or exclusions
// change: results of two versions do not go into one folder.
const Version = "0.3.0"
