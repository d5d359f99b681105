package elements

import (
	"bytes"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// PhilipsScaleSlope is the private attribute Scale Slope, by which Philips relates stored
// values to the values at the receiver.
var PhilipsScaleSlope = tag.Tag{Group: 0x2005, Element: 0x100E}

// PhilipsRescaleSlope is the private copy of RescaleSlope in classic images.
var PhilipsRescaleSlope = tag.Tag{Group: 0x2005, Element: 0x140A}

// PhilipsFrame is the private sequence in which Philips keeps the attributes of the classic
// image that the frame would have been.
var PhilipsFrame = tag.Tag{Group: 0x2005, Element: 0x140F}

// GERawDataType is the private attribute Raw Data Type of GE: 0 magnitude, 1 phase, 2 real,
// 3 imaginary, regardless of ImageType.
var GERawDataType = tag.Tag{Group: 0x0043, Element: 0x102F}

// GEEchoes is the private attribute Number of Echoes of GE, whose EchoTrainLength is 1.
var GEEchoes = tag.Tag{Group: 0x0019, Element: 0x107E}

// SiemensCoil is the private attribute in which Siemens names the coil elements of an image.
var SiemensCoil = tag.Tag{Group: 0x0051, Element: 0x100F}

// private is a private attribute of interest, with its usual tag. The creator of an element
// is stored at (gggg,00bb), where bb is the upper half of its element number (PS3.5 7.8.1);
// the creator and the lower half identify the attribute.
type private struct {
	tag     tag.Tag
	creator string
	vr      string // for files without VR
}

// privates lists them. The creators are as the scanners write them.
var privates = []private{
	{PhilipsScaleSlope, "Philips MR Imaging DD 001", "FL"},
	{PhilipsRescaleSlope, "Philips MR Imaging DD 005", "DS"},
	{PhilipsFrame, "Philips MR Imaging DD 005", "SQ"},
	{GERawDataType, "GEMS_PARM_01", "SS"},
	{GEEchoes, "GEMS_ACQU_01", "SS"},
	{SiemensCoil, "SIEMENS MR HEADER", "LO"},
}

// privateVR returns the VR of a private attribute of interest, and "" for others.
func privateVR(t tag.Tag) string {
	for _, p := range privates {
		if p.tag == t {
			return p.vr
		}
	}
	return ""
}

// blocks are the private creators in one data set or item, in groups with attributes of
// interest.
type blocks []struct {
	owner   tag.Tag // (gggg,00bb)
	creator string  // "" for a creator without attributes of interest
}

// longestLO is the longest creator: 64 characters, in sets of up to four bytes each.
const longestLO = 256

// lookup looks up a private element under its usual tag, which is then assigned to e.
func (w *elementWalker) lookup(e *Element, want Wish, known *blocks) (inside Wish, wanted bool, err error) {
	t, ok, err := w.usual(*e, known)
	if !ok || err != nil {
		return nil, false, err
	}
	e.Tag = t
	inside, wanted = want[t]
	return inside, wanted, nil
}

// usual returns the usual tag of a private attribute of interest; ok is false if the
// element belongs to another creator. If its creator was removed, it keeps its tag and is
// added to Outline.Unowned.
func (w *elementWalker) usual(e Element, known *blocks) (t tag.Tag, ok bool, err error) {
	if !slices.ContainsFunc(privates, func(p private) bool { return p.tag.Group == e.Tag.Group }) {
		return e.Tag, true, nil
	}
	switch {
	case e.Tag.Element < 0x10:
		return e.Tag, true, nil
	case e.Tag.Element <= 0xFF:
		creator := ""
		if e.Length <= longestLO {
			name, err := w.in.bytes(e.Value, int(e.Length))
			if err != nil {
				return e.Tag, false, err
			}
			name = bytes.Trim(name, " \x00")
			for _, p := range privates {
				if p.tag.Group == e.Tag.Group && p.creator == string(name) {
					creator = p.creator
				}
			}
		}
		*known = append(*known, struct {
			owner   tag.Tag
			creator string
		}{e.Tag, creator})
		return e.Tag, true, nil
	}
	owner := tag.Tag{Group: e.Tag.Group, Element: e.Tag.Element >> 8}
	for _, b := range *known {
		if b.owner != owner {
			continue
		}
		for _, p := range privates {
			if p.creator == b.creator && p.tag.Group == e.Tag.Group && p.tag.Element&0xFF == e.Tag.Element&0xFF {
				return p.tag, true, nil
			}
		}
		return e.Tag, false, nil
	}
	if privateVR(e.Tag) != "" && !slices.Contains(w.out.Unowned, e.Tag) {
		w.out.Unowned = append(w.out.Unowned, e.Tag)
	}
	return e.Tag, true, nil
}
