package batch

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// readLabelMap reads the job's mask, a label map in NIfTI, onto the grid of its train.
// The header's grid is compared with that of the series before a voxel is read, and the
// file is hashed as it is read, so that no more memory is taken than the series' voxels
// need, whatever the file holds or declares.
func (j Job) readLabelMap() (maskRead, error) {
	m := maskRead{kind: "NIfTI", file: report.File{Path: maskName(j.Study, j.Mask.Path)}}
	f, err := openFile(j.Tree, j.Mask.Path)
	if err != nil {
		return m, err // which names the file
	}
	defer f.Close()
	sum := sha256.New()
	in := io.TeeReader(io.NewSectionReader(f, 0, f.Size()), sum)
	m.labels, err = nifti.ReadCheckedLabels(in, func(g volume.Geometry) error {
		return segment.CheckGrid(g, j.Train.Geometry)
	})
	if err == nil {
		m.labels, err = segment.OnGrid(m.labels, j.Train.Geometry)
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", m.file.Path, err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil { // the rest belongs to the hash
		return m, fmt.Errorf("%s: %w", m.file.Path, err)
	}
	m.file.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	return m, nil
}

// openFile opens a file of the tree, or another.
func openFile(tree *files.Tree, path string) (*files.File, error) {
	if tree == nil {
		tree = new(files.Tree)
	}
	return tree.Open(path)
}
