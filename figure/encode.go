package figure

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"runtime"

	"github.com/klauspost/compress/zlib"

	"github.com/t2map/t2map/internal/spare"
)

// EncodePNG writes a picture of at most 256 colours as a PNG with 8 bits per pixel. It uses no filters,
// which help only if indices are intensities. Most of the time of a picture goes into compression:
// github.com/klauspost/compress takes two thirds of the time of compress/zlib, which image/png uses.
func EncodePNG(w io.Writer, img *image.Paletted) error {
	const paletted = 3 // colour type (PNG specification, 11.2.2)
	p := pngWriter{w: w}
	p.write([]byte("\x89PNG\r\n\x1a\n"))
	size := img.Rect.Size()
	header := binary.BigEndian.AppendUint32(nil, uint32(size.X))
	header = binary.BigEndian.AppendUint32(header, uint32(size.Y))
	p.chunk("IHDR", append(header, 8, paletted, 0, 0, 0))
	var colours []byte
	for _, c := range img.Palette {
		rgb := color.RGBAModel.Convert(c).(color.RGBA)
		colours = append(colours, rgb.R, rgb.G, rgb.B)
	}
	p.chunk("PLTE", colours)
	c := compressors.Take()
	defer compressors.Give(c)
	c.data.Reset(&pngData{p: &p})
	c.z.Reset(c.data)
	for y := range size.Y {
		c.z.Write([]byte{0}) // no filter; an error is that of p
		c.z.Write(img.Pix[y*img.Stride:][:size.X])
	}
	c.z.Close()
	c.data.Flush()
	p.chunk("IEND", nil)
	return p.err
}

// compressor compresses the pixels of one picture after another. A new one for each picture would take 1 MB.
type compressor struct {
	z    *zlib.Writer
	data *bufio.Writer
}

var compressors = spare.NewList(runtime.GOMAXPROCS(0), func() *compressor {
	z, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		panic(err) // the level is not valid
	}
	return &compressor{z, bufio.NewWriterSize(nil, 1<<16)}
})

// pngWriter writes chunks until the first error.
type pngWriter struct {
	w   io.Writer
	err error
}

func (p *pngWriter) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

func (p *pngWriter) chunk(kind string, data []byte) {
	p.write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
	p.write([]byte(kind))
	p.write(data)
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, data)
	p.write(binary.BigEndian.AppendUint32(nil, sum))
}

// pngData writes each block of compressed pixels as a chunk.
type pngData struct{ p *pngWriter }

func (d *pngData) Write(b []byte) (int, error) {
	d.p.chunk("IDAT", b)
	return len(b), d.p.err
}
