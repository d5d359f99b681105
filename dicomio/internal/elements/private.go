package elements

import (
	"bytes"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// PhilipsScaleSlope is the private attribute Scale Slope, with which Philips
// relates stored values to what the receiver saw.
var PhilipsScaleSlope = tag.Tag{Group: 0x2005, Element: 0x100E}

// PhilipsRescaleSlope is the private copy of RescaleSlope in classic images.
var PhilipsRescaleSlope = tag.Tag{Group: 0x2005, Element: 0x140A}

// PhilipsFrame is the private sequence in which Philips keeps the attributes of the
// classic image that a frame would have been.
var PhilipsFrame = tag.Tag{Group: 0x2005, Element: 0x140F}

// GERawDataType is the private attribute Raw Data Type of GE: 0 magnitude, 1 phase,
// 2 real, 3 imaginary, whatever ImageType says.
var GERawDataType = tag.Tag{Group: 0x0043, Element: 0x102F}

// GEEchoes is the private attribute Number of Echoes of GE, whose EchoTrainLength is 1.
var GEEchoes = tag.Tag{Group: 0x0019, Element: 0x107E}

// SiemensCoil is the private attribute in which Siemens names the coil elements of an image.
var SiemensCoil = tag.Tag{Group: 0x0051, Element: 0x100F}

// private is a private attribute that is read, under the number that it usually has.
// Its element belongs to whom (gggg,00bb) names, where bb is the upper half of its
// number (PS3.5 7.8.1): it is the creator and the lower half that tell what it is.
type private struct {
	tag     tag.Tag
	creator string
	vr      string // for files that leave it out
}

// privates are those that are read. The creators are those of the scanners' own files.
var privates = []private{
	{PhilipsScaleSlope, "Philips MR Imaging DD 001", "FL"},
	{PhilipsRescaleSlope, "Philips MR Imaging DD 005", "DS"},
	{PhilipsFrame, "Philips MR Imaging DD 005", "SQ"},
	{GERawDataType, "GEMS_PARM_01", "SS"},
	{GEEchoes, "GEMS_ACQU_01", "SS"},
	{SiemensCoil, "SIEMENS MR HEADER", "LO"},
}

// privateVR returns the VR of a private attribute that is read, "" for others.
func privateVR(t tag.Tag) string {
	for _, p := range privates {
		if p.tag == t {
			return p.vr
		}
	}
	return ""
}

// blocks are those of one data set, or of one item, in groups of private attributes
// that are read.
type blocks []struct {
	owner   tag.Tag // (gggg,00bb)
	creator string  // "" for one who creates nothing that is read
}

// longestLO is that of a creator: 64 characters, in sets of up to four bytes each.
const longestLO = 256

// wished looks up a private element under its usual number, which e then has.
func (w *elementWalker) wished(e *Element, want Wish, known *blocks) (inside Wish, wanted bool, err error) {
	t, ok, err := w.usual(*e, known)
	if !ok || err != nil {
		return nil, false, err
	}
	e.Tag = t
	inside, wanted = want[t]
	return inside, wanted, nil
}

// usual returns the number that a private element would usually have, for those that
// are read; ok is false where it belongs to someone else. Where its creator was taken
// out it keeps its number, and the outline says so.
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
