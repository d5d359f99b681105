package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Mask is the file that marked the compartments and how its segments were read.
type Mask struct {
	// Path is the path in Inputs or, if a program made the mask, in Outputs.
	Path string `json:"path"`
	// Kind is NIfTI, NRRD, MetaImage, SEG, RTSTRUCT or, if a program made the mask, program.
	Kind string `json:"kind"`
	// Program describes the run of the program; absent for other masks.
	Program *ProgramMask `json:"program,omitempty"`
	// SourceVisit is the visit whose mask Result.Registration carried to this one. It is empty
	// if the mask was drawn for the study itself.
	SourceVisit string `json:"from,omitempty"`
	// Read is the read whose mask it is; nil if no reader has signed the mask of this study. A carried
	// mask has none: the reader has signed the mask of the other visit.
	Read *SignedRead `json:"read,omitempty"`
	// Size and Spacing describe its grid, as in Result. They are absent if it is the grid of the
	// series.
	Size    *[3]int     `json:"size,omitempty"`
	Spacing *[3]float64 `json:"spacing_mm,omitempty"`
	// Segments are the segments of a DICOM mask or of a file of 3D Slicer. They are absent for a
	// label map: Protocol.Labels has the meaning of its labels.
	Segments []segment.Reading `json:"segments,omitempty"`
}

// Carried names the visit from which the mask was carried, in words; "" if it was not carried.
func (m Mask) Carried() string {
	if m.SourceVisit == "" {
		return ""
	}
	return "mask carried from " + m.SourceVisit
}

// SignedRead is the read in which a reader has signed a mask.
type SignedRead struct {
	// Reader is the reader's code.
	Reader string `json:"reader"`
	// Revision of the read, from 1.
	Revision int `json:"revision"`
	// Time is when the read was signed, in UTC.
	Time time.Time `json:"time"`
	// Adjudicated says that the reader has decided between other reads as adjudicator.
	Adjudicated bool `json:"adjudicated"`
	// SHA256 is the hash of read.json.
	SHA256 string `json:"read_sha256"`
}

// state is the text of the column mask_read.
func (r *SignedRead) state() string {
	switch {
	case r == nil:
		return ""
	case r.Adjudicated:
		return "adjudicated"
	}
	return "signed"
}

// ProgramMask is the input and the output of the program in Protocol.Segmenter.
type ProgramMask struct {
	// Series is the hash of the SeriesInstanceUID of its input.
	Series string `json:"series"`
	// InputSHA256 and OutputSHA256 are the hashes of the NIfTI files that it read and wrote.
	InputSHA256  string `json:"input_sha256,omitempty"`
	OutputSHA256 string `json:"output_sha256,omitempty"`
}

// ErrNoMask reports that a study was mapped without writing its mask.
var ErrNoMask = errors.New("no mask: mapped with --maps none")

// ReadMask returns the result of a study's folder and its mask by compartment: a voxel with
// the value n > 0 belongs to Compartments[n−1] of the result. The error is ErrNoMask if the study was
// mapped without maps. Otherwise it names a file that cannot be read or does not match the result.
func ReadMask(dir string) (Result, volume.Labels, error) {
	r, err := ReadResult(filepath.Join(dir, ResultFile))
	if err != nil {
		return r, volume.Labels{}, err
	}
	f, err := os.Open(filepath.Join(dir, CompartmentsFile))
	if errors.Is(err, fs.ErrNotExist) && r.Protocol.Maps == "none" {
		return r, volume.Labels{}, ErrNoMask
	} else if err != nil {
		return r, volume.Labels{}, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return r, l, fmt.Errorf("%s: %w", CompartmentsFile, err)
	}
	for _, n := range l.Data {
		if int(n) > len(r.Compartments) {
			return r, l, fmt.Errorf("%s: voxel of compartment %d; %s has %d",
				CompartmentsFile, n, ResultFile, len(r.Compartments))
		}
	}
	return r, l, nil
}

// ReadRegions returns the mask of a study's folder by part, given the folder's result. ok is false if
// the mask was not divided, or if the result lacks the meaning of the numbers of parts.
func ReadRegions(dir string, r Result) (regions segment.Regions, ok bool, err error) {
	if len(r.Parts) == 0 || r.Division == nil {
		return regions, false, nil
	}
	f, err := os.Open(filepath.Join(dir, regionsFile))
	if err != nil {
		return regions, false, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return regions, false, fmt.Errorf("%s: %w", regionsFile, err)
	}
	for _, n := range l.Data {
		if int(n) > len(r.Parts) {
			return regions, false, fmt.Errorf("%s: voxel of part %d; %s has %d", regionsFile, n, ResultFile, len(r.Parts))
		}
	}
	regions.Geometry, regions.Part, regions.Parts, regions.Layers = l.Geometry, l.Data, r.Parts, r.Division.Layers
	return regions, true, nil
}
