package phantom

import (
	"bytes"
	"fmt"
	"os"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

const labelsName = "labels.nii.gz"

// writeLabels writes a label map in a scheme as NIfTI.
func writeLabels(path string, mask volume.Labels, scheme string) error {
	labels := make([]uint8, len(mask.Data))
	for v, l := range mask.Data {
		labels[v] = uint8(l)
	}
	var file bytes.Buffer
	if err := nifti.WriteLabels(&file, mask.Geometry, labels, "t2map phantom, scheme "+scheme); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o666)
}
