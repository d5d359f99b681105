package dicomio

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/hint"
)

// nearlyEmpty sets the pixels of an image to values of 0 to 2.
func nearlyEmpty(im *dicomwrite.Image) {
	for v := range im.Pixels {
		im.Pixels[v] = int32((v + v/sceneColumns) % 3)
	}
}

// tenth divides the values of an image by ten.
func tenth(im *dicomwrite.Image) {
	for v := range im.Pixels {
		im.Pixels[v] /= 10
	}
}

// An echo of noise, or on another scale, is found at both ends of the train, and next to
// another such echo.
func TestFaintEchoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		noise  bool
		change change
		want   string
	}{
		{"noise in two neighbours", true, combined(single(2, -1, noiseAlone),
			single(3, -1, func(im *dicomwrite.Image) { noiseAlone(im); im.Pixels[0]++ })),
			"IM_0002: PixelData (7FE0,0010): the signal is 0.0"},
		{"three neighbours of one slice at a tenth", true,
			combined(single(1, 2, tenth), single(2, 2, tenth), single(3, 2, tenth)),
			"IM_0011: PixelData (7FE0,0010): the signal is 0.1"},
		{"the first echo", true, single(0, -1, noiseAlone), "IM_0000: PixelData (7FE0,0010): the signal is 0.0"},
		{"the last echo", true, single(4, -1, noiseAlone), "IM_0004: PixelData (7FE0,0010): the signal is 0.0"},
		{"the last echo of a slice", true, single(4, 1, noiseAlone),
			"IM_0009: PixelData (7FE0,0010): the signal is 0.0"},
		{"a last echo of next to nothing, without noise", false, single(4, 3, nearlyEmpty),
			"IM_0019: PixelData (7FE0,0010): the signal is 0.00"},
		{"the last two", true, combined(single(3, 1, nearlyEmpty), single(4, 1, noiseAlone)),
			"IM_0008: PixelData (7FE0,0010): the signal is 0.0"},
		{"the last echo of a uniform slice", false, combined(single(-1, 1, func(im *dicomwrite.Image) {
			v := int32(2000 * math.Exp(-im.TE/40))
			block([2]int{0, sceneColumns}, [2]int{0, sceneRows}, v)(im)
			im.Pixels[30]++
		}), single(4, 1, noiseAlone)), "IM_0009: PixelData (7FE0,0010): the signal is 0.0"},
		{"a tenth from the third on", true, combined(single(2, -1, tenth), single(3, -1, tenth), single(4, -1, tenth)),
			"IM_0002: PixelData (7FE0,0010): the signal is 0.1"},
	} {
		_, err := readScene(t, sceneImages(c.noise, c.change))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || hint.Find(err) == "" {
			t.Errorf("%s:\ngot  %v\nwant %s…", c.name, err, c.want)
		}
	}
}

// Signals that vanish for a reason are accepted, as are slices of a phantom that become
// equal.
func TestFaintButSound(t *testing.T) {
	decay := func(t2 float64, s0 float64) change {
		return func(e, k int, im *dicomwrite.Image) {
			for v := range im.Pixels {
				im.Pixels[v] = int32(math.Round(s0 * math.Exp(-10*float64(e+1)/t2)))
			}
			im.Pixels[0]++
		}
	}
	for _, c := range []struct {
		name   string
		noise  bool
		change change
	}{
		{"to noise at once", true, func(e, k int, im *dicomwrite.Image) {
			rng := rand.New(rand.NewPCG(uint64(e), uint64(k)))
			for v := range im.Pixels {
				s := 5000 * math.Exp(-10*float64(e+1)/5)
				im.Pixels[v] = int32(math.Round(math.Hypot(s+sceneNoise*rng.NormFloat64(),
					sceneNoise*rng.NormFloat64())))
			}
		}},
		{"to zero by rounding", false, decay(3, 60000)},
		{"clipped, then a short T2", false, combined(stored(16, 12, false), func(e, k int, im *dicomwrite.Image) {
			decay(4, 8e5)(e, k, im)
			for v := range im.Pixels {
				im.Pixels[v] = min(im.Pixels[v], 4095)
			}
		})},
		{"uneven echo times", false, func(e, k int, im *dicomwrite.Image) {
			if e > 1 {
				im.TE += 60
			}
			for v := range im.Pixels {
				im.Pixels[v] = int32(math.Round(60000 * math.Exp(-im.TE/30)))
			}
			im.Pixels[0]++
		}},
		{"slices that differ in a short T2", false, func(e, k int, im *dicomwrite.Image) {
			im.Pixels = scene(e, 0, false)
			if k > 1 {
				block([2]int{18, 22}, [2]int{14, 18}, int32(16000*math.Exp(-10*float64(e+1)/1.9)))(im)
			} else {
				block([2]int{18, 22}, [2]int{14, 18}, 0)(im)
			}
		}},
	} {
		if _, err := readScene(t, sceneImages(c.noise, c.change)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
