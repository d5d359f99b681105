package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/volume"
)

// ReferenceS0 is the magnitude at TE = 0 of the reference object. Its size has no meaning; a
// thousand is typical of a scan.
const ReferenceS0 = 1000

// referenceT1 is the T1 of the reference object in ms: that of cartilage at 3 T,
// and the value that EPG fits of cartilage assume (docs/accuracy.md).
const referenceT1 = 1200

// Train is a multi-echo spin-echo sequence with evenly spaced echoes.
type Train struct {
	Echoes int
	// Spacing is the first echo time and the distance between echoes, ms.
	Spacing float64
}

// TE returns the echo times in ms.
func (t Train) TE() []float64 {
	te := make([]float64, t.Echoes)
	for e := range te {
		te[e] = t.Spacing * float64(e+1)
	}
	return te
}

// String returns a text such as 7 × 10 ms.
func (t Train) String() string { return fmt.Sprintf("%d × %g ms", t.Echoes, t.Spacing) }

// Signal returns the magnitude at each echo of a tissue with an S0 of 1 and the given T2 in ms, if
// the angle of the refocusing pulses is b1·180° instead of 180°.
//
// It solves the Bloch equations for isochromats and does not use extended phase graphs, so that it
// is an independent reference for fits with them. After an excitation along the axis of the
// refocusing pulses (CPMG), every isochromat rotates about the field by its own angle in each half
// of the echo spacing, while it relaxes. The pulses are instantaneous, and the echo is the mean
// over the isochromats. The excitation is assumed to be perfect: a loss due to B1 or the slice
// profile is the same factor for all echoes, which S0 absorbs.
//
// The angles are spread evenly over a full turn. For a voxel that is fully dephased between pulses
// this is exact, not an approximation: the signal as a function of the angle φ is a sum of
// harmonics exp(ikφ) with |k| ≤ 2·Echoes, one order for each half spacing. The voxel keeps only k =
// 0, and the mean over 2·Echoes + 1 evenly spaced angles is exactly 0 for all other orders.
func (t Train) Signal(t2, b1 float64) []float64 {
	n := 2*t.Echoes + 1
	e1, e2 := math.Exp(-t.Spacing/2/referenceT1), math.Exp(-t.Spacing/2/t2)
	sinPulse, cosPulse := math.Sincos(math.Pi * b1)
	signal := make([]float64, t.Echoes)
	for k := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(n))
		half := func(x, y, z float64) (float64, float64, float64) {
			return e2 * (x*cos - y*sin), e2 * (x*sin + y*cos), 1 + e1*(z-1)
		}
		x, y, z := 0.0, 1.0, 0.0 // just excited; the pulses turn about y
		for e := range signal {
			x, y, z = half(x, y, z)
			x, z = x*cosPulse+z*sinPulse, z*cosPulse-x*sinPulse
			x, y, z = half(x, y, z)
			signal[e] += y / float64(n)
		}
	}
	return signal
}

// ReferenceOptions describe a reference object. No field has a default.
type ReferenceOptions struct {
	Train Train
	// T2 holds the T2 of each row, ms.
	T2 []float64
	// SNR is S0/σ, where σ is the standard deviation of the noise in each of the two channels; +Inf
	// means no noise.
	SNR float64
	// B1 is the angle of the refocusing pulses over 180°.
	B1 float64
	// Draws is the number of columns, each with its own noise.
	Draws int
	Seed  uint64
}

// Sigma returns the standard deviation of the noise in each channel.
func (o ReferenceOptions) Sigma() float64 { return ReferenceS0 / o.SNR }

// Reference makes the digital reference object: one slice whose row j is T2[j]
// and whose columns are draws of the noise,
//
//	|S + n₁ + i·n₂|,  S = ReferenceS0·Train.Signal(T2, B1),  n₁, n₂ ~ N(0, σ²),
//
// in voxels of 1 mm. A slice has one SNR and several T2, like a slice of a knee. A row depends only
// on its own T2, the train, the SNR, B1 and the seed, and not on the other rows. Its first draws do
// not depend on the number of draws.
func Reference(o ReferenceOptions) (volume.MultiEcho, error) {
	if err := o.check(); err != nil {
		return volume.MultiEcho{}, err
	}
	s := volume.MultiEcho{TE: o.Train.TE(), Echo: make([][]float32, o.Train.Echoes)}
	s.Size = [3]int{o.Draws, len(o.T2), 1}
	for r := range s.Affine {
		s.Affine[r][r] = 1
	}
	for e := range s.Echo {
		s.Echo[e] = make([]float32, s.Voxels())
	}
	for row, t2 := range o.T2 {
		cell := hash64(fmt.Sprint(o.Train.Echoes, o.Train.Spacing, t2, o.SNR, o.B1))
		rng := rand.New(rand.NewPCG(o.Seed, cell))
		signal := o.Train.Signal(t2, o.B1)
		for v := row * o.Draws; v < (row+1)*o.Draws; v++ {
			for e, echo := range s.Echo {
				re := ReferenceS0*signal[e] + o.Sigma()*rng.NormFloat64()
				im := o.Sigma() * rng.NormFloat64()
				echo[v] = float32(math.Sqrt(re*re + im*im))
			}
		}
	}
	return s, nil
}

func (o ReferenceOptions) check() error {
	switch {
	case o.Train.Echoes < 1 || !(o.Train.Spacing > 0):
		return fmt.Errorf("reference: train of %v", o.Train)
	case !(o.SNR > 0):
		return fmt.Errorf("reference: SNR: got %v, want a positive number", o.SNR)
	case !(o.B1 > 0):
		return fmt.Errorf("reference: B1: got %v, want a positive number", o.B1)
	case o.Draws < 1:
		return fmt.Errorf("reference: draws: got %d, want at least 1", o.Draws)
	}
	for _, t2 := range o.T2 {
		if !(t2 > 0) {
			return fmt.Errorf("reference: T2: got %v ms, want a positive number", t2)
		}
	}
	return nil
}
