package pipeline

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
)

// Requests makes the requests of the jobs of one run. A request is the SHA-256, in hexadecimal, of everything that a
// result depends on except the contents of its files: the version, the settings, the identity, and what the headers
// say of the series and of the study. Two jobs with the same request and the same contents of files have the same
// result. It does not depend on where the searched folder lies.
type Requests struct{ settings string }

// NewRequests takes the settings of a run. The program that makes masks must be identified (see
// protocol.Segmenter.Identify). It returns an error if the settings of the fit are not valid.
func NewRequests(p protocol.Protocol) (Requests, error) {
	fit, err := p.Fit.Resolve()
	if err != nil {
		return Requests{}, err
	}
	settings, err := json.Marshal(p.Record(fit))
	if err != nil {
		return Requests{}, err
	}
	return Requests{sumOf("%s\n%s\n%+v\n", Version, settings, struct {
		Segments  []segment.NamedSegment
		Codes     []segment.CodeRule
		Threshold float64
		Foreign   bool
		Scaling   dicomio.PhilipsScaling
		Register  protocol.Register
	}{p.Scheme.Segments, p.Scheme.Codes, p.MaskThreshold, p.AllowForeignMask, p.PhilipsScaling, p.Register})}, nil
}

// Of returns the request of a job with the identity and the facts (see Job.Facts). source is the request of the job
// from which its mask is carried, or "".
func (r Requests) Of(id Identity, facts, source string) string {
	id.Line, id.Mask = 0, "" // the facts name the mask
	return sumOf("%s\n%+v\n%s\n%s\n", r.settings, id, facts, source)
}

// of returns the request of a job.
func (r Requests) of(j Job) string {
	source := ""
	if j.MaskSource != nil {
		source = r.of(*j.MaskSource)
	}
	return r.Of(j.Identity, j.Facts(), source)
}

// Facts returns the SHA-256, in hexadecimal, of what the headers say that a result of the job depends on, and of the
// choice of its series and its mask.
func (j Job) Facts() string {
	text := fmt.Sprintln("study", j.Study.Hash, j.Study.Name(), j.Study.Spoiled, j.Study.Damaged)
	text += seriesFacts("series", &j.Train) + seriesFacts("moving", j.Moving)
	if j.Anatomy.Named {
		text += seriesFacts("anatomy", &j.Anatomy.Train) + fmt.Sprintln(j.Anatomy.Problem)
	}
	if j.Input.Named {
		text += seriesFacts("input", &j.Input.Train)
	}
	m := j.Mask
	name := ""
	if m.Path != "" {
		name = m.nameIn(j.Study)
	}
	if m.Read != nil {
		text += fmt.Sprintln("read", m.Read.SHA256)
	}
	text += fmt.Sprintln("mask", name, m.Object != nil, m.Foreign, m.Unused, m.Conflicting, m.Format)
	text += seriesFacts("drawn", m.Drawn)
	return sumOf("%s", text)
}

// sumOf returns the SHA-256 of a text.
func sumOf(format string, args ...any) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, format, args...)))
}

// seriesFacts returns what a result may say of a series, as text; empty for nil.
func seriesFacts(role string, t *dicomio.Train) string {
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("%s %s %d %q %+v %+v %q %v %+v %g %v %d %d %s %v %+v %+v %v %v\n", role, t.Hash, t.Number,
		t.Description, t.Scanner, t.Acquisition, t.Side, t.Sides, t.Geometry, t.Thickness, t.TE, t.Images, t.Files,
		t.Scaling, t.Lossy, t.Losses, t.LeftOut, t.SliceTR, t.Problem)
	for _, claim := range []*dicomio.Claim{t.Claim, t.Mention} {
		if claim != nil {
			text += fmt.Sprintf("%+v\n", *claim)
		}
	}
	return text
}
