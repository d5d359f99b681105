package report

import (
	"fmt"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// The images that a registration aligns with the first echo of the study.
const (
	// MaskImage is the image that the mask was drawn on.
	MaskImage = "mask-image"
	// EarlierVisit is the first echo of the visit in Mask.SourceVisit.
	EarlierVisit = "visit"
)

// Registration describes how a mask was moved to the images of the study: by the rigid transform
// that aligns the image on which it was drawn with the study's first echo.
type Registration struct {
	// Source is the image that was aligned: MaskImage or EarlierVisit. Moving is the hash of its
	// SeriesInstanceUID.
	Source string `json:"of"`
	Moving string `json:"moving"`
	// Rotation and ShiftMM map a position in the study's images, mm LPS, to the same place of
	// the knee in the aligned image: p ↦ Rotation·p + ShiftMM.
	Rotation [3][3]float64 `json:"rotation"`
	ShiftMM  [3]float64    `json:"shift_mm"`
	// AngleDegrees is the angle of the rotation. CentreShiftMM is the distance by which the
	// centre of the aligned field moves.
	AngleDegrees  float64 `json:"angle_degrees"`
	CentreShiftMM float64 `json:"centre_shift_mm"`
	// Mutual information of the two images in nats, before and after. More is better.
	MutualInformationBefore number.Float `json:"mutual_information_before"`
	MutualInformationAfter  number.Float `json:"mutual_information_after"`
	// Unmoved says that no better position was found than the one in the headers. Then the
	// transform is the identity.
	Unmoved bool `json:"still,omitempty"`
	// Program is the name and version of the registration program, such as "elastix 5.2.0".
	Program string `json:"program"`
	// Next is the second step for a mask that was carried from a visit: from the first echo of
	// that visit to the image on which the mask was drawn. It is nil if there is no second step.
	Next *Registration `json:"then,omitempty"`
}

// sourceName names the aligned image, given the visit from which the mask was carried.
func (r Registration) sourceName(visit string) string {
	if r.Source == EarlierVisit {
		return printable.Join(" ", "the first echo of", visit)
	}
	return "the image of the mask"
}

// summary describes the transform and the similarity of the images.
func (r Registration) summary() string {
	text := fmt.Sprintf("turned by %.1f°, moved by %.1f mm", r.AngleDegrees, r.CentreShiftMM)
	if r.Unmoved {
		text = "not moved: no better position was found than the one in the headers"
	}
	before := table.Decimals(float64(r.MutualInformationBefore), decimalsMI)
	after := table.Decimals(float64(r.MutualInformationAfter), decimalsMI)
	if before != "" && after != "" {
		text += fmt.Sprintf("; mutual information %s before, %s after", before, after)
	}
	return printable.Join("; ", text, printable.Line(r.Program))
}

// decimalsMI shows every gain that matters: the mutual information of two images of a knee is
// some tenths of a nat.
const decimalsMI = 3
