package anatomy

import (
	"fmt"
	"strings"
)

// Problem is the reason why a mask cannot be divided.
type Problem uint8

// The problems.
const (
	_ Problem = iota
	// Empty: the mask has no voxel of cartilage or menisci.
	Empty
	// WrongSize: the number of voxels is not that of the grid, or the affine has no inverse.
	WrongSize
	// TooFew: a tissue has too few voxels to show its shape.
	TooFew
	// Flat: a tissue lies on one slice.
	Flat
	// NoNotch: femoral cartilage is not an arch with two condyles.
	NoNotch
	// CutOff: the field of view cuts the cartilage where a border is measured.
	CutOff
	// Askew: an axis of the anatomy is far from that of the patient: the affine is wrong.
	Askew
	// TwoKnees: the mask holds more than one knee.
	TwoKnees
	// TwoPatellae: one knee has two patellae.
	TwoPatellae
	// Apart: the notch does not lie between the tibial plateaus.
	Apart
	// BothSides: a tissue that is named medial or lateral lies on both sides of the knee.
	BothSides
	// NoSide: a tissue must be divided into medial and lateral, and the side of the knee is not known.
	NoSide
	// NoDirection: the mask does not show front and back, or left and right.
	NoDirection
)

// Error reports that a mask cannot be divided.
type Error struct {
	Problem Problem
	// Tissue is the tissue, or one of its group; NoTissue if the problem concerns the whole mask.
	Tissue Tissue
	// Voxels is its number of voxels, for TooFew and Flat; for TwoPatellae, that of the second patella.
	Voxels int
	// Direction is the axis for Askew and the end of the cartilage for CutOff: left, posterior,
	// superior, anterior, anterior or posterior, notch.
	Direction string
	// Amount is the angle of Askew in degrees, or the distance in mm of TwoKnees,
	// TwoPatellae, Apart and BothSides.
	Amount float64
}

// Error returns a text such as "femoral-cartilage: there is no notch between two condyles".
func (e *Error) Error() string {
	text := ""
	switch e.Problem {
	case Empty:
		text = "there is no cartilage in the mask"
	case WrongSize:
		text = "the voxels do not fit the grid"
	case TooFew:
		text = fmt.Sprintf("cannot be divided: it has only %d voxels", e.Voxels)
	case Flat:
		text = fmt.Sprintf("cannot be divided: its %d voxels lie on one slice", e.Voxels)
	case NoNotch:
		text = "cannot be divided: there is no notch between two condyles"
	case CutOff:
		text = fmt.Sprintf("cannot be divided: the field of view ends at its %s end", e.Direction)
	case Askew:
		text = fmt.Sprintf(
			"the %s axis of the anatomy is %.0f° from the patient's: the affine of the mask or the scheme is wrong",
			e.Direction, e.Amount,
		)
	case TwoKnees:
		text = fmt.Sprintf("the mask has parts that lie %.0f mm apart: it shows more than one knee", e.Amount)
	case TwoPatellae:
		text = fmt.Sprintf(
			"a second piece of %d voxels lies %.0f mm from the first: the mask shows two patellae", e.Voxels,
			e.Amount,
		)
	case Apart:
		text = fmt.Sprintf("lies %.0f mm on the wrong side of the femoral notch", e.Amount)
	case BothSides:
		text = fmt.Sprintf("lies on both sides of the knee: its halves are %.0f mm apart", e.Amount)
	case NoSide:
		text = "cannot be divided into medial and lateral: the side of the knee is not known"
	case NoDirection:
		text = "cannot be divided: the mask does not show how the knee is oriented"
	}
	if e.Tissue != NoTissue {
		return e.Tissue.String() + ": " + text
	}
	return text
}

// SideError reports that sources contradict each other about the side of a knee.
type SideError struct {
	// Claims are the claims of all sources, including the anatomy.
	Claims []Claim
}

// Error lists the side according to each source: "the sources contradict each other about the side of the
// knee: Laterality says left, fibula in the mask says right".
func (e *SideError) Error() string {
	var parts []string
	for _, c := range e.Claims {
		parts = append(parts, fmt.Sprintf("%s says %s", c.Source, c.Side))
	}
	return "the sources contradict each other about the side of the knee: " + strings.Join(parts, ", ")
}
