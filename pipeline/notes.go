package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// notes lists the notes of a result: facts that help to read its values and cast no doubt on them. side is the side
// of the knee, "" if it is unknown.
func (j Job) notes(fit t2fit.Resolved, d studyData, noise volume.Noise, side string) []string {
	var out []string
	if n := len(j.Study.Spoiled); n > 0 {
		out = append(out, fmt.Sprintf("%d damaged files in the study's folder do not say which study they belong to, "+
			"or are copies of images that are present: every slice has every echo without them", n))
	}
	if fit.Method == t2fit.Rician && noise.Source == string(t2fit.FromResiduals) {
		out = append(out, "the noise was estimated from residuals, which also contain the effect of stimulated "+
			"echoes: if the refocusing angle is far from 180°, T2 by rician is then too short, and sigma should be "+
			"given")
	}
	if text := ignoredFiles(j.Study.Passed); text != "" {
		out = append(out, "ignored: "+text)
	}
	out = append(out, d.divisionNotes()...)
	if side == "" {
		out = append(out, "the side of the knee is not known: neither the images, nor a manifest, nor the mask show it")
	}
	if len(d.mask.unused) > 0 {
		out = append(out, "other files that could be the mask according to their names were not used: "+
			printable.FirstNames(d.mask.unused))
	}
	return slices.Concat(out, stillNotes(d.registration()), j.carryNotes(d.dividedKnee))
}

// ignoredFiles counts the files of a study that were not mapped, "" if there are none.
func ignoredFiles(n dicomio.Passed) string {
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{n.OtherSeries, "MR image of another series", "MR images of other series"},
		{n.Derived, "map or phase image", "maps or phase images"},
		{n.OtherModality, "file of another modality", "files of other modalities"},
	} {
		if p.n > 0 {
			parts = append(parts, printable.Counted(p.n, p.one, p.many))
		}
	}
	return strings.Join(parts, ", ")
}

// stillNotes names the images that registration did not move.
func stillNotes(g *report.Registration) []string {
	var out []string
	for ; g != nil; g = g.Next {
		if g.Unmoved {
			out = append(out, fmt.Sprintf("registration found no position better than that in the headers: the image "+
				"of series %s was not moved", g.Moving))
		}
	}
	return out
}

// carryNotes are notes on the origin of a carried mask, and on a registration that was not needed.
func (j Job) carryNotes(k dividedKnee) []string {
	switch {
	case j.MaskSource != nil:
		return []string{fmt.Sprintf("the mask is that of the visit %s, carried to this visit by registration of the "+
			"first echoes", printable.Short(j.MaskSource.Identity.Visit))}
	case j.Moving != nil && k.onSeries:
		return []string{"the mask lies on the voxels of the mapped series: nothing was registered"}
	}
	return nil
}
