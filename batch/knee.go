package batch

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
)

// dividedKnee is a mask divided into parts on its own grid, and what is known of how.
type dividedKnee struct {
	parts segment.Parts
	// side is that on which all sources agree, and shown the one that the mask shows, or unknown.
	side   anatomy.Side
	shown  anatomy.Side
	record *report.Division // nil where nothing was divided
	// cropped says that the grid of parts is a part of the mask's.
	cropped bool
	notes   []anatomy.Note
	// onSeries says that the mask was drawn on the voxels of the series that is mapped.
	onSeries bool
	// uneroded are the parts before erosion, nil where there was none.
	uneroded *segment.Parts
	// depths and axes are there where the cartilage has layers. sheet is the part of each of
	// depths.Voxels.
	depths *anatomy.Depths
	sheet  []uint16
	axes   anatomy.Axes
	// marks are those of the mask until it is known whether its bones are needed; nil where nothing was divided.
	marks *segment.Marks
}

// divideMask gives the mask's voxels their meanings and divides its tissues. Its errors
// have hints.
func (j Job) divideMask(m maskRead, p Protocol, workers int) (dividedKnee, error) {
	if _, err := (anatomy.Evidence{}).Agree(j.sideClaims()...); err != nil {
		return dividedKnee{}, hinted(hintAnatomy(err), "%s: %w", m.file.Path, err)
	}
	d := p.Division.withDefaults()
	scheme := p.scheme()
	marks, err := m.interpret(scheme)
	if err != nil {
		return dividedKnee{}, err
	}
	if d.By == DivideNone || !scheme.Tissues() {
		return dividedKnee{parts: marks.Whole()}, nil
	}
	if !marks.HasTissue() { // rows alone, or nothing, which is sound
		return dividedKnee{parts: marks.Divided(nil, nil, 0)}, nil
	}
	k, err := j.divideTissues(marks, d, workers)
	if err != nil {
		return k, hinted(hintAnatomy(err), "%s: %w", m.file.Path, err)
	}
	k.marks = &marks
	return k, nil
}

// release drops the voxels of the parts, which are not needed once the mask is on the grid of
// the series: a mask with bones has several times as many voxels as the series has.
func (k *dividedKnee) release() { k.parts.Data = nil }

// divideTissues divides the marks by the shape of the knee.
func (j Job) divideTissues(marks segment.Marks, d Division, workers int) (dividedKnee, error) {
	mask, err := j.thisKnee(marks.Tissues())
	if err != nil {
		return dividedKnee{}, err
	}
	examined, err := anatomy.Examine(mask)
	if err != nil {
		return dividedKnee{}, err
	}
	evidence := examined.Side()
	claims := j.sideClaims()
	k := dividedKnee{shown: evidence.Side}
	if k.side, err = evidence.Agree(claims...); err != nil {
		return k, err
	}
	var division anatomy.Division
	var layers []uint8
	err = both(func() (err error) {
		if d.Layers > 0 {
			layers, err = k.measureDepth(mask, examined.Axes(), d.Layers, workers)
		}
		return err
	}, func() (err error) {
		division, err = examined.Divide(k.side)
		return err
	})
	if err != nil {
		return k, err
	}
	k.notes = division.Notes
	k.record = recordDivision(division, append(claims, evidence.Claims()...))
	if division.Femur != nil {
		k.axes = division.Femur.Axes
	} else if division.Tibia != nil {
		k.axes = division.Tibia.Axes
	}
	if d.Layers > 0 {
		k.record.Layers = d.Layers
	}
	if d.ErodeMM > 0 {
		whole := marks.Divided(division.Data, layers, d.Layers)
		k.uneroded = &whole
		if err := k.erode(mask, division, d.ErodeMM); err != nil {
			return k, err
		}
	}
	k.parts = marks.Divided(division.Data, layers, d.Layers)
	if k.depths != nil {
		k.sheet = make([]uint16, len(k.depths.Voxels))
		for n, v := range k.depths.Voxels {
			k.sheet[n] = k.parts.Data[v]
		}
	}
	return k, nil
}

// measureDepth sets the depths of the cartilage and returns the layer of each voxel.
func (k *dividedKnee) measureDepth(mask anatomy.Mask, axes anatomy.Axes, n, workers int) ([]uint8, error) {
	front := axes.Posterior
	for i := range front {
		front[i] = -front[i]
	}
	depths, err := anatomy.Depth(mask, anatomy.DepthOptions{Up: axes.Superior, Front: front, Workers: workers})
	if err != nil {
		return nil, err
	}
	k.depths = &depths
	layers := make([]uint8, len(mask.Data))
	for i, layer := range depths.Layers(n) {
		layers[depths.Voxels[i]] = layer
	}
	return layers, nil
}

// erode takes the voxels near the surface of their tissue out of their regions.
func (k *dividedKnee) erode(mask anatomy.Mask, division anatomy.Division, mm float64) error {
	eroded, _, err := anatomy.Erode(mask, mm)
	if err != nil {
		return err
	}
	for v, r := range division.Data {
		if r != anatomy.NoRegion && eroded.Data[v] == anatomy.NoTissue {
			division.Data[v] = anatomy.NoRegion
			k.record.ErodedVoxels++
		}
	}
	return nil
}

// thisKnee returns the mask of the knee that the series shows, where the mask marks both.
func (j Job) thisKnee(mask anatomy.Mask) (anatomy.Mask, error) {
	both, err := anatomy.Knees(mask)
	if err != nil || len(both) < 2 {
		return mask, err
	}
	switch sideOf(j) {
	case "right":
		return both[0], nil // the patient's right comes first
	case "left":
		return both[1], nil
	}
	return mask, &anatomy.Error{Problem: anatomy.NoSide}
}

// sideClaims are the sources beside the mask that name the side of the knee.
func (j Job) sideClaims() []anatomy.Claim {
	var claims []anatomy.Claim
	add := func(source, side string) {
		switch side {
		case "L":
			claims = append(claims, anatomy.Claim{Source: source, Side: anatomy.Left})
		case "R":
			claims = append(claims, anatomy.Claim{Source: source, Side: anatomy.Right})
		}
	}
	for _, c := range j.Train.Sides {
		add(c.Attribute, c.Side)
	}
	for _, t := range j.maskSeries() {
		for _, c := range t.Sides {
			add(fmt.Sprintf("%s of series number %d", c.Attribute, t.Number), c.Side)
		}
	}
	add("the manifest or the layout", j.Identity.Side)
	return claims
}

// maskSeries are the series that the mask was drawn on or made of, as far as that is not the one that is
// mapped.
func (j Job) maskSeries() []dicomio.Train {
	var out []dicomio.Train
	add := func(t dicomio.Train) {
		same := func(other dicomio.Train) bool { return other.Hash == t.Hash }
		if t.Hash != j.Train.Hash && !slices.ContainsFunc(out, same) {
			out = append(out, t)
		}
	}
	if j.Moving != nil {
		add(*j.Moving)
	}
	if j.Mask.Drawn != nil {
		add(*j.Mask.Drawn)
	}
	if j.Input.Named {
		add(j.Input.Train)
	}
	return out
}

// recordDivision is what results say of a division.
func recordDivision(d anatomy.Division, claims []anatomy.Claim) *report.Division {
	out := &report.Division{}
	for _, c := range claims {
		out.Sides = append(out.Sides, report.SideSource{Source: c.Source, Side: c.Side.String()})
	}
	switch {
	case d.Femur != nil:
		out.AxesBy = d.Femur.Axes.By.String()
		notch := d.Femur.Notch
		out.NotchMM, out.CentralMM, out.EndMM = &notch, d.Femur.Central, d.Femur.End
	case d.Tibia != nil:
		out.AxesBy = d.Tibia.Axes.By.String()
	}
	counts := make([]int, len(anatomy.Regions())+1)
	for _, r := range d.Data {
		counts[r]++
	}
	for _, r := range anatomy.Regions() {
		if n := counts[r]; n > 0 {
			out.Regions = append(out.Regions, report.RegionSize{Region: r.String(), Voxels: n, VolumeMM3: float64(n) * d.VoxelVolume()})
		}
	}
	return out
}

// hintAnatomy says what to do about a mask that cannot be divided.
func hintAnatomy(err error) string {
	const undivided = "check the mask and the scheme, or report each tissue as a row of its own with --division none"
	var fault *anatomy.Error
	var sides *anatomy.SideError
	switch {
	case errors.As(err, &sides):
		return "find out which knee it is: correct the side in the manifest, ask the site to correct the images, or use the mask of this knee. If the labels of medial and lateral are exchanged, another scheme fits"
	case !errors.As(err, &fault):
		return undivided
	}
	switch fault.Problem {
	case anatomy.NoSide:
		return "name the side of the knee in the manifest (column side), or ask the site for Laterality (0020,0060)"
	case anatomy.Askew:
		return "save the mask with the place of the series that it was drawn on"
	case anatomy.TwoKnees, anatomy.TwoPatellae:
		return "the mask has to mark one knee: remove the other one from it"
	case anatomy.BothSides:
		return "the label marks both sides: name another scheme with --scheme, such as ski10 for a tibia in one label, or a scheme of your own with tibial-cartilage, femoral-cartilage or menisci, which are divided by their shape"
	case anatomy.CutOff:
		return "mark the whole of the cartilage, or " + undivided
	}
	return undivided
}

// sideName names the side in full, or "" where it is not known.
func (k dividedKnee) sideName() string {
	if k.side == anatomy.UnknownSide {
		return ""
	}
	return k.side.String()
}

// notesOf writes the facts about a division that a reader of its values should know.
func (k dividedKnee) notesOf() (notes, warnings []string) {
	var crumbs, cut []string
	has := func(kind anatomy.NoteKind) bool {
		return slices.ContainsFunc(k.notes, func(n anatomy.Note) bool { return n.Kind == kind })
	}
	switch noTibia, noFemur := has(anatomy.NoTibia), has(anatomy.NoFemur); {
	case noTibia && noFemur:
		notes = append(notes, "the mask has neither tibial cartilage nor femoral cartilage behind the trochlea: medial and lateral are empty")
	case noTibia:
		warnings = append(warnings, "the mask has no tibial cartilage: medial and lateral are the cartilage of the femur alone")
	case noFemur:
		warnings = append(warnings, "the mask has no femoral cartilage behind the trochlea: medial and lateral are the cartilage of the tibia alone")
	}
	for _, n := range k.notes {
		switch n.Kind {
		case anatomy.Crumbs:
			crumbs = append(crumbs, fmt.Sprintf("%s %d", n.Tissue, n.Count))
		case anatomy.CutTissue:
			cut = append(cut, n.Tissue.String())
		case anatomy.NoRidge:
			notes = append(notes, "the patellar cartilage has no ridge: it is divided at its centroid")
		case anatomy.AxesByFemur, anatomy.AxesByMenisci:
			notes = append(notes, "the axes of the knee were found without the tibial cartilage")
		case anatomy.AxesByPatient:
			notes = append(notes, "the axes of the knee are those of the patient: the mask has too little shape")
		case anatomy.SideOfAnatomyUnknown:
			notes = append(notes, "the labels of the mask do not show which knee it is: a mask that was mirrored from left to right would not be noticed")
		}
	}
	if len(crumbs) > 0 {
		notes = append(notes, fmt.Sprintf("small separate pieces of the mask decided no border (voxels of the mask: %s)", strings.Join(crumbs, ", ")))
	}
	if len(cut) > 0 {
		notes = append(notes, "the mask reaches the edge of its grid: "+strings.Join(cut, ", "))
	}
	return notes, warnings
}
