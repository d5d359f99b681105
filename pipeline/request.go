package pipeline

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
)

// Request returns the SHA-256, in hexadecimal, of everything that the result of a job depends on except the contents
// of its files: the version, the settings, the identity, and what the headers say of the series and of the study. Two
// jobs with the same request and the same contents of files have the same result. It does not depend on where the
// searched folder lies. The program that makes masks must be identified (protocol.Segmenter.Identify).
//
// It returns an error if the settings of the fit are not valid.
func (j Job) Request(p protocol.Protocol) (string, error) {
	fit, err := p.Fit.Resolve()
	if err != nil {
		return "", err
	}
	text, err := j.request(p, fit)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text))), err
}

// request returns the text that Request hashes.
func (j Job) request(p protocol.Protocol, fit t2fit.Resolved) (string, error) {
	settings, err := json.Marshal(p.Record(fit))
	if err != nil {
		return "", err
	}
	identity := j.Identity
	identity.Line, identity.Mask = 0, filepath.Base(identity.Mask)
	text := fmt.Sprintf("%s\n%s\n%+v\n%+v\n", Version, settings, struct {
		Segments  []segment.NamedSegment
		Codes     []segment.CodeRule
		Threshold float64
		Foreign   bool
		Scaling   dicomio.PhilipsScaling
		Register  protocol.Register
	}{p.Scheme.Segments, p.Scheme.Codes, p.MaskThreshold, p.AllowForeignMask, p.PhilipsScaling, p.Register}, identity)
	text += fmt.Sprintln("study", j.Study.Hash, j.Study.Name(), j.Study.Spoiled, j.Study.Damaged)
	text += seriesFacts("series", &j.Train) + seriesFacts("moving", j.Moving)
	if j.Anatomy.Named {
		text += seriesFacts("anatomy", &j.Anatomy.Train) + fmt.Sprintln(j.Anatomy.Problem)
	}
	if j.Input.Named {
		text += seriesFacts("input", &j.Input.Train)
	}
	m := j.Mask
	text += fmt.Sprintln("mask", filepath.Base(m.Path), m.Object != nil, m.Foreign, m.Unused, m.Conflicting, m.Format)
	text += seriesFacts("drawn", m.Drawn)
	if j.MaskSource != nil {
		source, err := j.MaskSource.request(p, fit)
		if err != nil {
			return "", err
		}
		text += "carried from " + source
	}
	return text, nil
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

