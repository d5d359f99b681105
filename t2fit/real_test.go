package t2fit

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/volume"
)

// realFile returns the bytes of a file of the real data, or skips the test if it is absent.
func realFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "shared", "data"}, parts...)...))
	if os.IsNotExist(err) {
		t.Skip("real data are not here (docs/real-scans.md says where to get them): ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// numpyEchoes reads the 256 × 192 × 6 array of the single-echo spin echo: the index of the echo is
// the fastest.
func numpyEchoes(t *testing.T) [][]float32 {
	t.Helper()
	data := realFile(t, "se6-npy", "t2dataset.npy")
	header, values, ok := bytes.Cut(data, []byte("\n"))
	if !ok || !bytes.Contains(header, []byte("'<f4', 'fortran_order': False, 'shape': (256, 192, 6)")) ||
		len(values) != 256*192*6*4 {
		t.Fatalf("not the array that was expected: %.200q", header)
	}
	echoes := make([][]float32, 6)
	for e := range echoes {
		echoes[e] = make([]float32, 256*192)
		for v := range echoes[e] {
			echoes[e][v] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*(6*v+e):]))
		}
	}
	return echoes
}

func niftiEchoes(t *testing.T, parts ...string) [][]float32 {
	t.Helper()
	// The brain's file has no position in the patient, which a fit does not need.
	_, frames, err := nifti.ReadArrays(bytes.NewReader(realFile(t, parts...)))
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// On real arrays of three anatomies, nlls agrees with a general optimiser to 1e-6 in every voxel
// that both can fit. Voxels below a twentieth of the brightest, where the residual is flat, and T2
// above ten times the last echo are omitted.
func TestRealArraysAgainstOracle(t *testing.T) {
	for _, c := range []struct {
		name   string
		te     []float64
		echoes func(*testing.T) [][]float32
		stride int // every how many voxels: the oracle takes about a millisecond each
	}{
		{"se6-npy", []float64{10, 25, 50, 90, 150, 250}, numpyEchoes, 91},
		{"prostate-nifti", echoTimes(26.4, 13.2, 10),
			func(t *testing.T) [][]float32 { return niftiEchoes(t, "prostate-nifti", "invivo_000198.nii.gz") }, 59},
		{"brain-nifti", echoTimes(12.8, 12.8, 30),
			func(t *testing.T) [][]float32 { return niftiEchoes(t, "brain-nifti", "data", "mono_t2.nii.gz") }, 31},
	} {
		t.Run(c.name, func(t *testing.T) {
			echoes := c.echoes(t)
			if len(echoes) != len(c.te) {
				t.Fatalf("%d echoes, want %d", len(echoes), len(c.te))
			}
			floor := brightest(echoes[0]) / 20
			last := c.te[len(c.te)-1]
			compared, worst := 0, 0.0
			for _, skip := range []int{NoSkip, 1} {
				te := c.te[max(skip, 0):]
				for v := 0; v < len(echoes[0]); v += c.stride {
					y := make([]float64, len(c.te))
					for e := range y {
						y[e] = float64(echoes[e][v])
					}
					if y[0] < floor {
						continue
					}
					got, err := Curve(c.te, y, Options{SkipEchoes: skip, T2Range: [2]float64{0, 10 * last}})
					if err != nil {
						t.Fatal(err)
					}
					if got.Status != volume.Fitted {
						continue
					}
					t2, s0 := oracle(te, y[max(skip, 0):])
					compared++
					deviation := math.Max(math.Abs(got.T2/t2-1), math.Abs(got.S0/s0-1))
					worst = math.Max(worst, deviation)
					if deviation > 1e-6 {
						t.Errorf(
							"voxel %d, skip %d: T2 %.9g ms, S0 %.9g; oracle %.9g, %.9g", v, skip, got.T2, got.S0, t2,
							s0,
						)
					}
				}
			}
			if compared < 300 {
				t.Errorf("%d voxels were compared, too few to say anything", compared)
			}
			t.Logf("%d voxels, largest difference %.1e", compared, worst)
		})
	}
}

func brightest(echo []float32) float64 {
	most := float32(0)
	for _, v := range echo {
		most = max(most, v)
	}
	return float64(most)
}
