package pipeline

import (
	"testing"

	"github.com/t2map/t2map/report"
)

// A reader who signs the mask of a visit has not signed what registration makes of it at another visit.
func TestCarriedMaskIsNotSigned(t *testing.T) {
	signed := Job{Mask: Mask{Path: "mask.nii.gz", Read: &report.SignedRead{Reader: "R1", Revision: 1}}}
	signed.Identity.Visit = "baseline"
	if m := signed.describeMask(maskRead{}, placedMask{}); m.Read != signed.Mask.Read || m.SourceVisit != "" {
		t.Errorf("the reader's mask: %+v", m)
	}
	if m := (Job{MaskSource: &signed}).describeMask(maskRead{}, placedMask{}); m.Read != nil || m.SourceVisit != "baseline" {
		t.Errorf("the carried mask: %+v", m)
	}
}
