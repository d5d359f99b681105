package dicomio

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/dicomio"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// header is what the reader needs to know of one file. Numbers that the file
// does not hold are NaN, counts 0, texts empty.
type header struct {
	path string // to open the file
	name string // to name it: below the searched folder, with slashes
	size int64
	head uint64 // hash of the bytes before the pixels, 0 where it is not known

	syntax, sopClass, modality            string
	study, series, instance, frame        string
	patientID, trialSubject, trialVisit   string
	laterality, manufacturer, model       string
	description                           string
	imageType                             string
	seriesNumber                          int
	te, tr, field                         float64
	position                              [3]float64
	orientation                           [6]float64
	spacing                               [2]float64 // between rows, between columns
	thickness                             float64
	rows, columns, samples, frames        int
	allocated, stored, highBit, pixelsAre int
	photometric                           string
	slope, intercept                      float64
	scaleSlope                            float64 // Philips (2005,100E)
	pixels                                element // PixelData
	encapsulated                          bool
	sequence                              []string // ScanningSequence
	faults                                []fault
}

// fault is an attribute whose value cannot be read as what it should be.
type fault struct {
	tag     tag.Tag
	problem string
}

// philipsScaleSlope is the private attribute Scale Slope, with which Philips
// relates stored values to what the receiver saw.
var philipsScaleSlope = tag.Tag{Group: 0x2005, Element: 0x100E}

// attribute returns a tag as errors name it: EchoTime (0018,0081).
func attribute(t tag.Tag) string {
	name := "private"
	if info, err := tag.Find(t); err == nil {
		name = info.Keyword
	}
	return fmt.Sprintf("%s (%04X,%04X)", name, t.Group, t.Element)
}

// magic stands after a preamble of 128 bytes in every DICOM file (PS3.10 7.1).
const magic = "DICM"

// errNotDICOM says that a file is none, which is no error of the file.
var errNotDICOM = errors.New("not DICOM")

// wanted are the elements that a header is read from; take and takeNumber know
// them all.
var wanted = map[tag.Tag]bool{}

func init() {
	for _, t := range []tag.Tag{
		tag.SpecificCharacterSet, tag.SOPClassUID, tag.Modality, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID,
		tag.FrameOfReferenceUID, tag.PatientID, tag.ClinicalTrialSubjectID, tag.ClinicalTrialTimePointID, tag.Laterality,
		tag.ImageLaterality, tag.Manufacturer, tag.ManufacturerModelName, tag.SeriesDescription, tag.ScanningSequence, tag.ImageType,
		tag.PhotometricInterpretation, tag.EchoTime, tag.RepetitionTime, tag.MagneticFieldStrength, tag.ImagePositionPatient,
		tag.ImageOrientationPatient, tag.PixelSpacing, tag.SliceThickness, tag.RescaleSlope, tag.RescaleIntercept, philipsScaleSlope,
		tag.SeriesNumber, tag.NumberOfFrames, tag.Rows, tag.Columns, tag.SamplesPerPixel, tag.BitsAllocated, tag.BitsStored, tag.HighBit,
		tag.PixelRepresentation,
	} {
		wanted[t] = true
	}
}

// parse reads the elements of a file of h.size bytes into h. What stands before
// an error is in h. Native pixels are not read: h.pixels says where they are, in
// the file or, where it is deflated, in the data set that is returned.
func (h *header) parse(file io.ReaderAt) (inflated []byte, err error) {
	h.clear()
	head := make([]byte, 128+len(magic))
	if n, err := file.ReadAt(head, 0); n < len(head) && err != io.EOF {
		return nil, h.ioError(err)
	}
	if string(head[128:]) != magic {
		return nil, errNotDICOM
	}
	out, unsafe := guard(file, h.size)
	h.sopClass, h.syntax = out.class, out.syntax
	if out.pixels != nil {
		h.pixels, h.encapsulated = *out.pixels, out.pixels.length == undefined
	}
	if _, known := syntaxes[h.syntax]; !known && (unsafe == nil || h.syntax != "" || errors.Is(unsafe, errNoSyntax)) {
		// How its elements are written is not known.
		return nil, h.unsupportedSyntax()
	}
	err = h.parseElements(out.file())
	switch {
	case unsafe != nil:
		return nil, h.broken(unsafe)
	case err != nil:
		return nil, err
	case h.pixels.vr == "" && h.sopClass == mrImageStorage:
		return nil, h.broken(io.ErrUnexpectedEOF)
	}
	return out.inflated, nil
}

// parseElements lets the library parse the wanted elements. It panics on some
// broken ones; and its messages quote what they stumble over, which may be a
// name, so that none is passed on.
func (h *header) parseElements(file io.Reader) (err error) {
	broken := h.invalid("the data elements cannot be parsed")
	defer func() {
		if r := recover(); r != nil {
			err = broken
		}
	}()
	p, err := dicom.NewParser(bufio.NewReader(file), dicomio.LimitReadUntilEOF, nil, dicom.AllowUnknownSpecificCharacterSet())
	if err != nil {
		return broken
	}
	for {
		e, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return broken
		}
		h.take(e)
	}
}

// clear makes every number missing.
func (h *header) clear() {
	nan := math.NaN()
	*h = header{path: h.path, name: h.name, size: h.size, te: nan, tr: nan, field: nan, thickness: nan, scaleSlope: nan,
		position: [3]float64{nan, nan, nan}, orientation: [6]float64{nan, nan, nan, nan, nan, nan},
		spacing: [2]float64{nan, nan}, slope: 1, frames: 1}
}

// take copies the element's value into h where h has a place for it.
func (h *header) take(e *dicom.Element) {
	switch e.Tag {
	case tag.SOPClassUID:
		h.sopClass = text(e)
	case tag.Modality:
		h.modality = text(e)
	case tag.StudyInstanceUID:
		h.study = text(e)
	case tag.SeriesInstanceUID:
		h.series = text(e)
	case tag.SOPInstanceUID:
		h.instance = text(e)
	case tag.FrameOfReferenceUID:
		h.frame = text(e)
	case tag.PatientID:
		h.patientID = text(e)
	case tag.ClinicalTrialSubjectID:
		h.trialSubject = text(e)
	case tag.ClinicalTrialTimePointID:
		h.trialVisit = text(e)
	case tag.Laterality, tag.ImageLaterality:
		if s := text(e); s != "" {
			h.laterality = s
		}
	case tag.Manufacturer:
		h.manufacturer = text(e)
	case tag.ManufacturerModelName:
		h.model = text(e)
	case tag.SeriesDescription:
		h.description = text(e)
	case tag.ScanningSequence:
		h.sequence = texts(e)
	case tag.ImageType:
		h.imageType = strings.ToUpper(strings.Join(texts(e), `\`))
	case tag.PhotometricInterpretation:
		h.photometric = text(e)
	default:
		h.takeNumber(e)
	}
}

// takeNumber is take for the numbers.
func (h *header) takeNumber(e *dicom.Element) {
	switch e.Tag {
	case tag.EchoTime:
		h.decimals(e, []*float64{&h.te})
	case tag.RepetitionTime:
		h.decimals(e, []*float64{&h.tr})
	case tag.MagneticFieldStrength:
		h.decimals(e, []*float64{&h.field})
	case tag.ImagePositionPatient:
		h.decimals(e, pointers(h.position[:]))
	case tag.ImageOrientationPatient:
		h.decimals(e, pointers(h.orientation[:]))
	case tag.PixelSpacing:
		h.decimals(e, pointers(h.spacing[:]))
	case tag.SliceThickness:
		h.decimals(e, []*float64{&h.thickness})
	case tag.RescaleSlope:
		h.decimals(e, []*float64{&h.slope})
	case tag.RescaleIntercept:
		h.decimals(e, []*float64{&h.intercept})
	case philipsScaleSlope:
		h.decimals(e, []*float64{&h.scaleSlope})
	case tag.SeriesNumber:
		h.integer(e, &h.seriesNumber)
	case tag.NumberOfFrames:
		h.integer(e, &h.frames)
	case tag.Rows:
		h.integer(e, &h.rows)
	case tag.Columns:
		h.integer(e, &h.columns)
	case tag.SamplesPerPixel:
		h.integer(e, &h.samples)
	case tag.BitsAllocated:
		h.integer(e, &h.allocated)
	case tag.BitsStored:
		h.integer(e, &h.stored)
	case tag.HighBit:
		h.integer(e, &h.highBit)
	case tag.PixelRepresentation:
		h.integer(e, &h.pixelsAre)
	}
}

// texts returns the element's values as strings, trimmed of padding, or nil.
func texts(e *dicom.Element) []string {
	values, ok := e.Value.GetValue().([]string)
	if !ok {
		return nil
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Trim(v, " \x00")
	}
	return out
}

// text returns the element's first value, or "".
func text(e *dicom.Element) string {
	if v := texts(e); len(v) > 0 {
		return v[0]
	}
	return ""
}

func pointers(v []float64) []*float64 {
	p := make([]*float64, len(v))
	for i := range v {
		p[i] = &v[i]
	}
	return p
}

// decimals reads as many numbers as there are places; an empty element leaves
// them as they are, a wrong one is a fault.
func (h *header) decimals(e *dicom.Element, into []*float64) {
	var got []float64
	switch values := e.Value.GetValue().(type) {
	case []float64:
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				h.faults = append(h.faults, fault{e.Tag, "not a finite number"})
				return
			}
		}
		got = values
	case []string:
		for _, s := range texts(e) {
			if s == "" && len(values) == 1 {
				return
			}
			v, err := strconv.ParseFloat(s, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%.32q is not a number", s)})
				return
			}
			got = append(got, v)
		}
	}
	if len(got) == 0 {
		return
	}
	if len(got) != len(into) {
		h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%d values, want %d", len(got), len(into))})
		return
	}
	for i, v := range got {
		*into[i] = v
	}
}

// integer reads one whole number, likewise.
func (h *header) integer(e *dicom.Element, into *int) {
	switch values := e.Value.GetValue().(type) {
	case []int:
		if len(values) > 1 {
			h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%d values, want 1", len(values))})
		} else if len(values) == 1 {
			*into = values[0]
		}
	case []string:
		s := text(e)
		if s == "" {
			return
		}
		v, err := strconv.Atoi(s)
		if err != nil {
			h.faults = append(h.faults, fault{e.Tag, fmt.Sprintf("%.32q is not a whole number", s)})
			return
		}
		*into = v
	}
}

// invalid returns an error about the file as a whole.
func (h *header) invalid(format string, a ...any) *FileError {
	return &FileError{Path: h.name, Problem: fmt.Sprintf(format, a...), Kind: ErrInvalid}
}

// wrong returns an error about one attribute.
func (h *header) wrong(t tag.Tag, format string, a ...any) *FileError {
	return &FileError{Path: h.name, Attribute: attribute(t), Problem: fmt.Sprintf(format, a...), Kind: ErrInvalid}
}

// unsupported returns an error about an attribute that is right but beyond this
// package.
func (h *header) unsupported(t tag.Tag, format string, a ...any) error {
	return &FileError{Path: h.name, Attribute: attribute(t), Problem: fmt.Sprintf(format, a...), Kind: ErrUnsupported}
}

// broken turns an error of the library or of the file system into the file's.
func (h *header) broken(err error) error {
	var perr *fs.PathError
	var promise *promiseError
	switch {
	case errors.As(err, &perr):
		return h.ioError(err)
	case errors.As(err, &promise) && promise.tag != tag.PixelData:
		e := h.wrong(promise.tag, "promises %d bytes, %d are left", promise.promised, promise.left)
		e.Hint = "the file is damaged: copy or export it again"
		return e
	case errors.As(err, &promise), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &FileError{Path: h.name, Problem: "the file ends before its pixel data do", Kind: ErrInvalid,
			Hint: "the file is truncated: copy or export it again"}
	}
	e := h.invalid("the data elements cannot be parsed: %v", err)
	e.Hint = "the file is damaged: copy or export it again"
	return e
}

// ioError keeps the cause but not the path of an error of the file system: the
// path is said once already.
func (h *header) ioError(err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		err = perr.Err
	}
	return &FileError{Path: h.name, Problem: "cannot be read: " + err.Error(), Kind: err,
		Hint: "check the file and its permissions"}
}

// syntaxes are the transfer syntaxes whose data sets can be parsed; true where
// their pixels can be decoded too.
var syntaxes = map[string]bool{
	uid.ImplicitVRLittleEndian:         true,
	uid.ExplicitVRLittleEndian:         true,
	uid.ExplicitVRBigEndian:            true,
	uid.DeflatedExplicitVRLittleEndian: true,
}

func init() {
	// Compressed pixels stand in a data set in explicit little endian
	// (PS3.5 A.4), so the rest of the header can be read and shown.
	for _, s := range []string{"50", "51", "57", "70", "80", "81", "90", "91", "92", "93", "201", "202", "203"} {
		syntaxes["1.2.840.10008.1.2.4."+s] = false
	}
	syntaxes["1.2.840.10008.1.2.5"] = false // RLE Lossless
}

func (h *header) unsupportedSyntax() error {
	if h.syntax == "" {
		return h.wrong(tag.TransferSyntaxUID, "missing")
	}
	name := fmt.Sprintf("%.70q", h.syntax)
	if info, err := uid.Lookup(h.syntax); err == nil && info.Type == uid.TypeTransferSyntax {
		name = h.syntax + ", " + info.Name
	}
	return &FileError{Path: h.name, Attribute: attribute(tag.TransferSyntaxUID), Problem: "transfer syntax " + name, Kind: ErrUnsupported,
		Hint: "export the study uncompressed (explicit VR little endian)"}
}

// hash names a UID without giving it away: the first 12 hex digits of its
// SHA-256.
func hash(uid string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(uid)))[:12]
}
