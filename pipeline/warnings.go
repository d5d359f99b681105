package pipeline

import (
	"fmt"
	"path"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// Warnings cast doubt on the values of a result. Each is a sentence that is made from typed facts, is shown, and is
// never read back by the program. Studies with the same fault have the same sentence if it needs no numbers of its
// own, so that a run can show it once.

// warnings lists the warnings that are known before the rows of the result are summarized. side is the side of the
// knee in full, "" if it is unknown.
func (j Job) warnings(
	p protocol.Protocol, fit t2fit.Resolved, d studyData, maps volume.Maps, side string,
) []string {
	return slices.Concat(
		j.Identity.Warnings,
		lossyWarnings(j.Train),
		trainWarnings(j.Train, p),
		profileWarnings(p, fit),
		d.divisionWarnings(),
		d.mask.conflictWarnings(),
		d.mask.programWarnings(),
		d.mask.placeWarnings(d.placedMask, side),
		d.mask.foreignWarnings(),
		j.alignmentWarnings(d.mask, d.dividedKnee, p),
		saturationWarnings(d.series, maps, d.regions, fit.SkipEchoes),
		decayWarnings(d.series, maps, d.regions, fit.SkipEchoes),
		rangeWarnings(maps, d.regions, fit.T2Range[1]),
	)
}

func lossyWarnings(t dicomio.Train) []string {
	if !t.Lossy {
		return nil
	}
	return []string{"images were compressed with loss, here or before: T2 of voxels is not what the scanner " +
		"measured; ask the site for the originals"}
}

func profileWarnings(p protocol.Protocol, fit t2fit.Resolved) []string {
	if fit.Method != t2fit.EPG || p.Fit.RefocusingProfile != nil {
		return nil
	}
	return []string{"epg was used without the refocusing profile of the slices: on slices of real pulses its T2 is " +
		"longer, and further from the truth, than that of nlls (docs/protocol.md)"}
}

func (m maskRead) conflictWarnings() []string {
	if len(m.conflicting) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s was used as the mask because of its name, but other files that could be the mask "+
		"have different content: %s. Name the right one with --mask",
		printable.Short(path.Base(m.file.Path)), printable.FirstNames(m.conflicting))}
}

func (m maskRead) programWarnings() []string {
	if m.made == nil {
		return nil
	}
	return m.made.warnings
}

func (m maskRead) foreignWarnings() []string {
	if m.foreign == nil {
		return nil
	}
	return []string{fmt.Sprintf("the mask was not drawn on this series, which was allowed: %v", m.foreign)}
}

// unusedWarnings warns of a study none of whose voxels has a sound T2.
func unusedWarnings(compartments []segment.Summary) []string {
	voxels, used := 0, 0
	for _, c := range compartments {
		voxels, used = voxels+c.Voxels, used+c.Used
	}
	if voxels == 0 || used > 0 {
		return nil
	}
	return []string{"no voxel of the mask has a sound T2: the tables say why each was excluded; look at the images " +
		"and at the echo times"}
}
