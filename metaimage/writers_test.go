package metaimage

import (
	"io"
	"os"
	"testing"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/volume"
)

// Files of one label map by another writer, SimpleITK.
func TestOtherWriters(t *testing.T) {
	names := []string{"itk.mha", "itk-int16.mha", "itk.mhd", "itk-int64.mhd"}
	sampletest.CheckWriters(
		t,
		os.DirFS("testdata"),
		names,
		func(r io.Reader, open func(string) (io.ReadCloser, error)) (volume.Labels, error) {
			return ReadLabels(r, samples.Options{Open: open})
		},
	)
}
