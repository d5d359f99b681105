package figure

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// The bytes of a picture do not depend on the pictures that were written before.
func TestEncodePNGAgain(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var first [][]byte
	for round := range 3 {
		for n, size := range []int{700, 3, 300} {
			img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
			for i := range img.Pix {
				img.Pix[i] = uint8(i / (n + 2) % 2)
			}
			img.Pix[0] = uint8(n % 2)
			var b bytes.Buffer
			if err := EncodePNG(&b, img); err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				first = append(first, b.Bytes())
			} else if !bytes.Equal(first[n], b.Bytes()) {
				t.Errorf("round %d, picture %d: other bytes", round, n)
			}
			noise := image.NewPaletted(image.Rect(0, 0, 257, 129), img.Palette)
			for i := range noise.Pix {
				noise.Pix[i] = uint8(random.IntN(2))
			}
			if err := EncodePNG(&b, noise); err != nil {
				t.Fatal(err)
			}
		}
	}
}
