package pipeline

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/metaimage"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/nrrd"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// readLabelMap reads the job's mask, a label map, on its own grid. The grid in the header is checked before a voxel
// is read, so that no file takes more memory than a study may use.
func (j Job) readLabelMap() (maskRead, error) { return j.openLabelMap(j.checkMaskGrid) }

// openLabelMap reads the job's mask in any format of label maps. It calls check with the grid in the header before it
// reads a voxel, and returns the error of check. Files are hashed while they are read.
func (j Job) openLabelMap(check func(volume.Geometry) error) (maskRead, error) {
	l := maskRead{kind: cmp.Or(j.Mask.Format, FormatNIfTI), file: report.File{Path: j.Mask.nameIn(j.Study)}}
	f, err := openFile(j.Tree, j.Mask.Path)
	if err != nil {
		return l, err // it names the file
	}
	defer f.Close()
	in := hashing(f)
	d := dataFiles{job: j}
	options := samples.Options{Check: check, Open: d.open}
	switch l.kind {
	case formatNRRD:
		var m nrrd.Mask
		m, err = nrrd.Read(in, nrrd.Options{Options: options, MostVoxels: j.mostMarked(0)})
		l.labels, l.segments, l.segmented = m.Labels, m.Segmentation, m.Segments
		j.Study.HideInSegments(l.segments.Segments)
	case formatMetaImage:
		l.labels, err = metaimage.ReadLabels(in, options)
	default:
		l.labels, err = nifti.ReadCheckedLabels(in, check)
	}
	if err == nil {
		l.file.SHA256, err = in.sum()
	}
	l.data = d.read
	if want := j.Mask.SHA256; err == nil && want != "" && l.file.SHA256 != want {
		err = errNotSigned
	}
	if err != nil {
		return l, fmt.Errorf("%s: %w", l.file.Path, &quietError{err, j.Study.HideInQuotes(err.Error())})
	}
	return l, nil
}

// errNotSigned says that a mask has changed since a reader signed it.
var errNotSigned = errors.New("it is not the mask that the reader has signed")

// quietError is an error without texts from a header that could identify a patient.
type quietError struct {
	err  error
	text string
}

func (e *quietError) Error() string { return e.text }

func (e *quietError) Unwrap() error { return e.err }

// hashed is a file that is hashed while it is read.
type hashed struct {
	source io.Reader
	size   int64
	read   int64 // bytes
	hash   hash.Hash
}

func hashing(f *files.File) *hashed {
	return &hashed{source: io.NewSectionReader(f, 0, f.Size()), size: f.Size(), hash: sha256.New()}
}

// Read reads and hashes.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.source.Read(p)
	h.read += int64(n)
	h.hash.Write(p[:n])
	return n, err
}

// Size returns the bytes of the file.
func (h *hashed) Size() int64 { return h.size }

// hex returns the hash of the bytes that were read.
func (h *hashed) hex() string { return fmt.Sprintf("%x", h.hash.Sum(nil)) }

// sum reads the rest of the file and returns its hash.
func (h *hashed) sum() (string, error) {
	_, err := io.Copy(io.Discard, h)
	return h.hex(), err
}

// openFile opens a file of the tree or, if tree is nil, of the file system.
func openFile(tree *files.Tree, path string) (*files.File, error) {
	return cmp.Or(tree, new(files.Tree)).Open(path)
}
