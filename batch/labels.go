package batch

import (
	"fmt"
	"os"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// ReadLabels reads a label map that belongs to no study.
func ReadLabels(path string) (volume.Labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return volume.Labels{}, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return l, &hintError{fmt.Errorf("%s: %w", path, err), hintNIfTI[nifti.FaultOf(err)]}
	}
	return l, nil
}
