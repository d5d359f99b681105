package nifti

import (
	"errors"
	"io"
	"math"
	"testing"
)

// Counts from knee-ge-mese/expected.json; the affine is that printed by nibabel 5.0, in RAS, with
// the first two rows negated.
func TestRealKneeLabels(t *testing.T) {
	l, err := ReadLabels(sharedFile(t, "knee-ge-mese/labels.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Size != [3]int{256, 256, 3} {
		t.Errorf("size %v", l.Size)
	}
	counts := map[uint16]int{}
	for _, v := range l.Data {
		counts[v]++
	}
	if counts[2] != 1512 || counts[3] != 782 || len(counts) != 3 {
		t.Errorf("counts %v, want 2: 1512, 3: 782 and background", counts)
	}
	want := [3][4]float64{
		{-1.36464378e-02, -9.04825032e-02, -3.95689988e+00, -8.83898010e+01},
		{6.24694347e-01, 1.18812500e-02, -9.95000005e-02, -1.04918999e+02},
		{1.40011879e-02, -6.18301272e-01, 5.77149987e-01, 6.49328995e+01},
	}
	for r := range want {
		for c := range want[r] {
			// Nine digits are printed.
			if d := math.Abs(l.Affine[r][c] - want[r][c]); d > 1e-8*max(1, math.Abs(want[r][c])) {
				t.Errorf("affine[%d][%d] = %.9g, want %.9g", r, c, l.Affine[r][c], want[r][c])
			}
		}
	}
}

// 4-D float64 with vox_offset 352 and only an sform.
func TestRealProstate(t *testing.T) {
	g, frames, err := ReadFrames(sharedFile(t, "prostate-nifti/invivo_000198.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if g.Size != [3]int{128, 128, 1} || len(frames) != 10 {
		t.Fatalf("size %v, %d frames", g.Size, len(frames))
	}
	if want := [3][4]float64{{-1, 0, 0, 0}, {0, -1, 0, 0}, {0, 0, 1, 0}}; g.Affine != want {
		t.Errorf("affine %v, want RAS identity in LPS", g.Affine)
	}
	if first, last := sum(frames[0]), sum(frames[9]); !(first > last && last > 0) {
		t.Errorf("signal goes from %g to %g: not a decay", first, last)
	}
}

// The series has neither qform nor sform, so that it can be read only as arrays; its mask is
// float32.
func TestRealBrain(t *testing.T) {
	if _, _, err := ReadFrames(sharedFile(t, "brain-nifti/data/mono_t2.nii.gz")); !errors.Is(err, ErrNoGeometry) {
		t.Errorf("ReadFrames: %v, want ErrNoGeometry", err)
	}
	size, frames, err := ReadArrays(sharedFile(t, "brain-nifti/data/mono_t2.nii.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if size != [3]int{87, 107, 1} || len(frames) != 30 || len(frames[29]) != 87*107 {
		t.Fatalf("size %v, %d frames", size, len(frames))
	}
	maskFile := sharedFile(t, "brain-nifti/data/mono_t2_mask.nii.gz")
	_, mask, err := ReadArrays(maskFile)
	if err != nil {
		t.Fatal(err)
	}
	for v, x := range mask[0] {
		if x != 0 && x != 1 {
			t.Fatalf("mask voxel %d is %g", v, x)
		}
	}
	if sum(mask[0]) == 0 || !(sum(frames[0]) > sum(frames[29])) {
		t.Errorf("mask of %g voxels, signal %g … %g", sum(mask[0]), sum(frames[0]), sum(frames[29]))
	}
	if _, err := maskFile.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLabels(maskFile); !errors.Is(err, ErrNoGeometry) {
		t.Errorf("ReadLabels of the mask: %v, want ErrNoGeometry", err)
	}
}

func sum(frame []float32) float64 {
	s := 0.0
	for _, v := range frame {
		s += float64(v)
	}
	return s
}
