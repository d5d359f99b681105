package protocol

import (
	"fmt"

	"github.com/t2map/t2map/hint"
)

// Register says that the image a mask was drawn on is aligned with the first echo of the
// series before the mask is used. The zero value aligns nothing.
type Register struct {
	// Moving names the series that masks are drawn on: a number, the beginning of a hash or a
	// pattern of its description; "" aligns nothing.
	Moving string `yaml:"moving"`
	// MaxRotation in degrees and MaxShift in mm are the largest movement that is accepted; 0
	// means 15° and 30 mm.
	MaxRotation float64 `yaml:"max_rotation_degrees"`
	MaxShift    float64 `yaml:"max_shift_mm"`
}

// The defaults of Register: a knee moves by a few mm and degrees between two series, and by
// more between visits; what is beyond is another knee or another place.
const (
	defaultMaxRotation = 15.0
	defaultMaxShift    = 30.0
)

func (r Register) check() error {
	for _, l := range []struct {
		name string
		v    float64
		most float64
	}{{"max_rotation_degrees", r.MaxRotation, 180}, {"max_shift_mm", r.MaxShift, 1000}} {
		if !(l.v >= 0 && l.v <= l.most) {
			return fmt.Errorf("register: %s: %g is not a number from 0 to %g", l.name, l.v, l.most)
		}
	}
	return nil
}

// CheckUsed returns an error if limits are set and nothing is aligned: neither is a series named nor
// are masks carried.
func (p Protocol) CheckUsed() error {
	if r := p.Register; r.Moving != "" || r == (Register{}) || p.Masks.From != "" {
		return nil
	}
	const advice = "name the series that masks were drawn on: `moving` in `register` of the protocol, or --register; " +
		"or remove `register` from the protocol"
	return hint.Errorf(advice, "register: max_rotation_degrees and max_shift_mm have no effect: no series is named "+
		"that is to be aligned, and no mask is carried")
}

// WithDefaults returns the limits with their defaults filled in.
func (r Register) WithDefaults() Register {
	if r.MaxRotation == 0 {
		r.MaxRotation = defaultMaxRotation
	}
	if r.MaxShift == 0 {
		r.MaxShift = defaultMaxShift
	}
	return r
}
