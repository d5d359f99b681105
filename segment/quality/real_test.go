package quality

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/nifti"
)

// Ordinary scans have a correlation on which a shift can be relied, from the first and from the second echo. The
// least one is that of a phantom whose last echo, at 256 ms, is noise in most spheres.
func TestCorrelationOfRealScans(t *testing.T) {
	for _, name := range []string{"knee-ge-mese", "nist-ge-1.5t", "nist-philips-3t"} {
		dir := filepath.Join("..", "..", "..", "shared", "data", name)
		if _, err := os.Stat(dir); err != nil {
			t.Skip("real scans are not here (CONTRIBUTING.md says where to get them): ", err)
		}
		found, err := dicomio.Find(t.Context(), []string{filepath.Join(dir, "dicom")}, dicomio.FindOptions{})
		if err != nil || len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 {
			t.Fatalf("%s: %+v, %v", name, found, err)
		}
		s, _, err := dicomio.Read(t.Context(), found.Studies[0].Trains[0], 0)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := os.Open(filepath.Join(dir, "labels.nii.gz"))
		if err != nil {
			t.Fatal(err)
		}
		labels, err := nifti.ReadLabels(mask)
		mask.Close()
		if err != nil {
			t.Fatal(err)
		}
		for skipped := range 2 {
			shift := Between(s.Geometry, s.Echo[skipped], s.Echo[len(s.Echo)-1], labels.Data)
			t.Logf("%s, %d echoes skipped: %+v", name, skipped, shift)
			if !(shift.Correlation >= LeastCorrelation) || !(shift.Pixels() < 0.2) {
				t.Errorf("%s, %d echoes skipped: %+v", name, skipped, shift)
			}
		}
	}
}
