package elements

import "github.com/suyashkumar/dicom/pkg/tag"

// PhilipsScaleSlope is the private attribute Scale Slope, with which Philips
// relates stored values to what the receiver saw.
var PhilipsScaleSlope = tag.Tag{Group: 0x2005, Element: 0x100E}

// PhilipsFrame is the private sequence in which Philips keeps the attributes of the
// classic image that a frame would have been.
var PhilipsFrame = tag.Tag{Group: 0x2005, Element: 0x140F}

// GERawDataType is the private attribute Raw Data Type of GE: 0 magnitude, 1 phase,
// 2 real, 3 imaginary, whatever ImageType says.
var GERawDataType = tag.Tag{Group: 0x0043, Element: 0x102F}

// privateVRs are those of private attributes that are read, for files that leave them
// out.
var privateVRs = map[tag.Tag]string{PhilipsScaleSlope: "FL", GERawDataType: "SS"}
