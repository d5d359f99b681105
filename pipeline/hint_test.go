package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/t2map/t2map/register"
	"github.com/t2map/t2map/segment/anatomy"
)

// A tibial label on both sides of the knee has a hint of its own: the scheme is at fault, not the mask.
func TestHintBothSides(t *testing.T) {
	err := fmt.Errorf("mask: %w", &anatomy.Error{Problem: anatomy.BothSides, Tissue: anatomy.MedialTibialCartilage,
		Amount: 41})
	const want = "medial-tibial-cartilage: lies on both sides of the knee: its halves are 41 mm apart"
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want …%s", err, want)
	}
	if hint := hintAnatomy(err); !strings.Contains(hint, "tibial-cartilage") || !strings.Contains(hint, "scheme") {
		t.Errorf("hint: %s", hint)
	}
}

func TestHintMirror(t *testing.T) {
	if hintRegister(&register.MirrorError{}) == hintRegister(nil) {
		t.Error("no hint of its own for a mirrored knee")
	}
}
