package dicomio

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// smallFiles are the seeds: one file in every syntax that is written, crafted files, and
// real ones if they are present.
func smallFiles(tb testing.TB) [][]byte {
	var all [][]byte
	for _, s := range writtenSyntaxes {
		im := obliqueImage()
		im.Syntax = s.uid
		var b bytes.Buffer
		if err := dicomwrite.WriteImage(&b, im); err != nil {
			tb.Fatal(err)
		}
		all = append(all, b.Bytes())
	}
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "pydicom", "*.dcm"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		if len(data) < 12<<10 {
			all = append(all, data)
		}
	}
	return all
}

// FuzzParse parses any file, and reads the pixels that it declares: both end, with an error
// or without.
func FuzzParse(f *testing.F) {
	for _, data := range smallFiles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := &header{texts: &texts{}, name: "fuzz", size: int64(len(data))}
		images, err := h.parse(bytes.NewReader(data))
		if err != nil {
			return
		}
		body, err := h.body(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range images[:min(len(images), 4)] {
			if im.checkPixels() != nil || im.pixelBytes() > 1<<20 {
				return
			}
			raw, err := (&frameReader{body: body}).read(im, im.index)
			if err == nil {
				im.decode(make([]float32, im.rows*im.columns), raw)
			}
		}
	})
}
