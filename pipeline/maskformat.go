package pipeline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/files"
)

// The formats of masks other than DICOM. CanRead lists those that are read.
const (
	FormatNIfTI     = "NIfTI"
	formatNRRD      = "NRRD"
	formatMetaImage = "MetaImage"
	formatAnalyze   = "Analyze 7.5"
	formatMGH       = "MGH"
	formatGIPL      = "GIPL"
	formatMINC      = "MINC"
	formatNumPy     = "NumPy"
	formatMATLAB    = "MATLAB"
	formatHDF5      = "HDF5"
	formatVTK       = "VTK"
)

// CanRead reports whether masks in that format are read.
func CanRead(format string) bool {
	return format == FormatNIfTI || format == formatNRRD || format == formatMetaImage
}

// FormatError says that t2map does not read the format of a file.
type FormatError struct{ Name, Format string }

// Error names the file and its format.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: a file in the format %s, which is not read", e.Name, e.Format)
}

// sniffedBytes is enough of a file to recognize its format: NIfTI's header, and the keys at the beginning of a
// MetaImage.
const sniffedBytes = 1024

// Sniff returns the format of a file according to its first bytes, uncompressed if it is in gzip; "" if the format
// is not recognized or the file cannot be read.
func Sniff(tree *files.Tree, path string) string {
	f, err := openFile(tree, path)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, sniffedBytes)
	n, _ := f.ReadAt(head, 0) // a file that cannot be read has no known format
	head = head[:n]
	if bytes.HasPrefix(head, []byte("\x1f\x8b")) {
		if z, err := gzip.NewReader(io.NewSectionReader(f, 0, f.Size())); err == nil {
			plain := make([]byte, sniffedBytes)
			n, _ := io.ReadFull(z, plain)
			head = plain[:n]
		}
	}
	return formatOf(head, strings.ToLower(filepath.Base(path)))
}

// signatures are the first bytes of formats: NRRD (teem.sourceforge.net/nrrd/format.html),
// NumPy (numpy.lib.format), MATLAB (MAT-File Format, 1-5), HDF5 (File Format
// Specification, II.A) and VTK (VTK File Formats).
var signatures = []struct{ bytes, format string }{
	{"NRRD0", formatNRRD}, {"\x93NUMPY", formatNumPy}, {"MATLAB 5.0 MAT-file", formatMATLAB},
	{"MATLAB 7.3 MAT-file", formatMATLAB}, {"\x89HDF\r\n\x1a\n", formatHDF5}, {"# vtk DataFile", formatVTK},
	{"<VTKFile", formatVTK},
}

// endings are the file names of formats whose first bytes are not specific.
var endings = []struct{ ending, format string }{{".mgh", formatMGH}, {".mgz", formatMGH}, {".mgh.gz", formatMGH},
	{".mnc", formatMINC}, {".gipl", formatGIPL}, {".gipl.gz", formatGIPL}}

// formatOf returns the format of a file by its first bytes, uncompressed, and its name in lower case.
func formatOf(head []byte, name string) string {
	for _, e := range endings {
		if len(head) > 0 && strings.HasSuffix(name, e.ending) {
			return e.format
		}
	}
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.bytes)) {
			return s.format
		}
	}
	// MetaImage has keys, one of which is DimSize (itk.org/Wiki/MetaIO/Documentation).
	if bytes.Contains(head, []byte("NDims")) && bytes.Contains(head, []byte("DimSize")) &&
		bytes.ContainsRune(head, '=') {
		return formatMetaImage
	}
	return niftiOf(head)
}

// niftiOf recognizes NIfTI and its predecessor by the size of the header and the magic (nifti1.h, nifti2.h).
func niftiOf(head []byte) string {
	const header1, header2, magic1 = 348, 540, 344
	if len(head) < header1 {
		return ""
	}
	little, big := binary.LittleEndian.Uint32(head), binary.BigEndian.Uint32(head)
	switch {
	case little == header2 || big == header2:
		return FormatNIfTI
	case little != header1 && big != header1:
		return ""
	case bytes.Equal(head[magic1:header1], make([]byte, header1-magic1)):
		return formatAnalyze
	}
	return FormatNIfTI
}
