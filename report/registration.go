package report

import (
	"fmt"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// What a registration aligns with the first echo of the study.
const (
	// MaskImage is the image that the mask was drawn on.
	MaskImage = "mask-image"
	// EarlierVisit is the first echo of the visit that Mask.From names.
	EarlierVisit = "visit"
)

// Registration is how a mask was moved to the images of the study: by the rigid transform
// that aligns the image it was drawn on with the study's first echo.
type Registration struct {
	// Of says what was aligned: MaskImage or EarlierVisit. Moving names it, by the hash of
	// its SeriesInstanceUID.
	Source string `json:"of"`
	Moving string `json:"moving"`
	// Rotation and ShiftMM take a position of the study's images, mm LPS, to the same
	// place of the knee in the image that was aligned: p ↦ Rotation·p + ShiftMM.
	Rotation [3][3]float64 `json:"rotation"`
	ShiftMM  [3]float64    `json:"shift_mm"`
	// AngleDegrees is the angle of the rotation, and CentreShiftMM how far it moves the
	// centre of the aligned field.
	AngleDegrees  float64 `json:"angle_degrees"`
	CentreShiftMM float64 `json:"centre_shift_mm"`
	// MutualInformation of the two images in nats, where they were and as aligned; more is
	// better.
	MutualInformationBefore number.Float `json:"mutual_information_before"`
	MutualInformationAfter  number.Float `json:"mutual_information_after"`
	// Still says that nothing better was found than the position that the headers give, and that
	// the image was left there: the rotation and the shift are those of the identity.
	Unmoved bool `json:"still,omitempty"`
	// Program is what aligned them, with its version, such as "elastix 5.2.0".
	Program string `json:"program"`
	// Then is the second step of a mask that was carried from a visit: from the first echo of
	// that visit to the image that the mask was drawn on; nil where there is none.
	Next *Registration `json:"then,omitempty"`
}

// what says what was aligned, given the visit that the mask was carried from.
func (r Registration) sourceName(visit string) string {
	if r.Source == EarlierVisit {
		return printable.Join(" ", "the first echo of", visit)
	}
	return "the image of the mask"
}

// figures says how far the images lay apart and how alike they were.
func (r Registration) summary() string {
	text := fmt.Sprintf("turned by %.1f°, moved by %.1f mm", r.AngleDegrees, r.CentreShiftMM)
	if r.Unmoved {
		text = "not moved, as nothing better was found than the position in the headers"
	}
	before, after := table.Decimals(float64(r.MutualInformationBefore), decimalsMI), table.Decimals(float64(r.MutualInformationAfter), decimalsMI)
	if before != "" && after != "" {
		text += fmt.Sprintf("; mutual information %s before, %s after", before, after)
	}
	return printable.Join("; ", text, printable.Line(r.Program))
}

// decimalsMI is enough for a gain that counts: mutual information of two images of a knee is
// some tenths of a nat.
const decimalsMI = 3
