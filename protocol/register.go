package protocol

import (
	"fmt"

	"github.com/t2map/t2map/hint"
)

// Register says that the image on which a mask was drawn is aligned with the first echo of the series before the mask
// is used. The zero value aligns nothing.
type Register struct {
	// Moving names the series on which masks were drawn: its number, the beginning of its hash or a pattern of its
	// description; "" aligns nothing.
	Moving string `yaml:"moving"`
	// MaxRotation in degrees and MaxShift in mm are the largest accepted movement; 0 means 15° and 30 mm.
	MaxRotation float64 `yaml:"max_rotation_degrees"`
	MaxShift    float64 `yaml:"max_shift_mm"`
}

// The defaults of Register. A knee moves by a few mm and degrees between two series, and by more between visits. A
// larger movement means that the images show different knees, or different parts of one.
const (
	defaultMaxRotation = 15.0
	defaultMaxShift    = 30.0
)

func (r Register) check() error {
	for _, l := range []struct {
		name         string
		value, limit float64
	}{{"max_rotation_degrees", r.MaxRotation, 180}, {"max_shift_mm", r.MaxShift, 1000}} {
		if !(l.value >= 0 && l.value <= l.limit) {
			return fmt.Errorf("register: %s: %g is not a number from 0 to %g", l.name, l.value, l.limit)
		}
	}
	return nil
}

// CheckUsed returns an error if limits of movement are set but nothing is aligned, because no series is named and no
// mask is carried.
func (p Protocol) CheckUsed() error {
	if r := p.Register; r.Moving != "" || r == (Register{}) || p.Masks.Visit != "" {
		return nil
	}
	const advice = "name the series on which masks were drawn: `moving` in `register` of the protocol, or " +
		"--register; or remove `register` from the protocol"
	return hint.Errorf(advice, "register: max_rotation_degrees and max_shift_mm have no effect, because no series to "+
		"align is named and no mask is carried")
}

// WithDefaults fills in the default limits.
func (r Register) WithDefaults() Register {
	if r.MaxRotation == 0 {
		r.MaxRotation = defaultMaxRotation
	}
	if r.MaxShift == 0 {
		r.MaxShift = defaultMaxShift
	}
	return r
}
