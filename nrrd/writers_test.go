package nrrd

import (
	"io"
	"os"
	"testing"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/volume"
)

// Files of one label map by other writers: SimpleITK and pynrrd.
func TestOtherWriters(t *testing.T) {
	names := []string{"itk.nrrd", "itk-int16.nrrd", "itk.nhdr", "pynrrd-ras.nrrd", "pynrrd-ascii.nrrd", "pynrrd.nhdr"}
	sampletest.CheckWriters(
		t,
		os.DirFS("testdata"),
		names,
		func(r io.Reader, open func(string) (io.ReadCloser, error)) (volume.Labels, error) {
			m, err := Read(r, Options{Options: samples.Options{Open: open}})
			return m.Labels, err
		},
	)
}
