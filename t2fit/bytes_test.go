package t2fit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/t2map/t2map/volume"
)

// wholeSeries returns a series of whole numbers: decays by ratios of whole numbers with noise, and
// noise alone. It does not use package math, because some of its functions differ in the last bit
// between machines.
func wholeSeries(te []float64) volume.MultiEcho {
	const n = 5000
	rng := rand.New(rand.NewPCG(21, 22))
	s := volume.MultiEcho{Geometry: volume.Geometry{Size: [3]int{n, 1, 1}}, TE: te}
	for range te {
		s.Echo = append(s.Echo, make([]float32, n))
	}
	for v := range n {
		signal, percent := rng.IntN(2000), 40+rng.IntN(60)
		for e := range te {
			s.Echo[e][v] = float32(signal + rng.IntN(40))
			signal = signal * percent / 100
		}
	}
	return s
}

// The maps have the same bytes on every machine and with every set of instructions. The hashes were
// computed on amd64 with AVX2; CI compares them without AVX2 and on arm64.
func TestSameBytesEverywhere(t *testing.T) {
	even, uneven := echoTimes(10, 10, 7), []float64{10, 20, 31, 40, 55, 60, 70}
	for _, c := range []struct {
		method Method
		te     []float64
		want   string
	}{
		{NLLS, even, "da280dbde1e0be08"},
		{NLLS, uneven, "dc6bb19dd678dfba"},
		{LogLinear, even, "08ac9af0b633bac1"},
		{LogLinear, uneven, "345881e469b79343"},
		{LogLinearUnweighted, even, "1a3b9b36bf25ff85"},
		{ARLO, even, "c406ebe34b7abffd"},
		{NLLSOffset, even, "5574b9b8ce84d967"},
		{NLLSOffset, uneven, "f8743a4eed301e5c"},
		{Rician, even, "c2f15f88fb4c72d6"},
		{Rician, uneven, "d37039c618830d96"},
		{EPG, even, "cd8f244c56450f2a"},
	} {
		m, err := Fit(context.Background(), wholeSeries(c.te), volume.Labels{}, Options{Method: c.method, Sigma: 10})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for _, data := range [][]float32{m.T2, m.S0, m.R2, m.SE} {
			for v, x := range data {
				if x != x { // every NaN alike, as in a written map
					data[v] = -1
				}
			}
			binary.Write(sum, binary.LittleEndian, data)
		}
		if got := hex.EncodeToString(sum.Sum(nil)[:8]); got != c.want {
			t.Errorf("%s, TE %v: %s, want %s", c.method, c.te, got, c.want)
		}
	}
}
