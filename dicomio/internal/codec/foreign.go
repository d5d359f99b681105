package codec

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/t2map/t2map/sandbox"
)

// foreignDecoders has the module's function for each syntax. The module also has OpenJPH
// for HTJ2K, which tolerates damaged codestreams, clamps signed values of 8 bits at 0 and
// builds tables for a tenth of a second; OpenJPEG decodes the same frames without these
// disadvantages.
var foreignDecoders = map[string]string{
	jpegBaseline:      "DecodeJpeg",
	jpegExtended:      "DecodeJpeg",
	jpegLSLossless:    "DecodeJpegLs",
	jpegLSNear:        "DecodeJpegLs",
	jpeg2000Lossless:  "DecodeJpeg2000",
	jpeg2000:          "DecodeJpeg2000",
	htj2kLossless:     "DecodeJpeg2000",
	htj2kLosslessRPCL: "DecodeJpeg2000",
	htj2k:             "DecodeJpeg2000",
}

// The limits of a decoder's loop iterations. Real frames take up to 20 per sample, as
// OpenJPEG does at 16 bits of noise, and 300000 for tables. The limit for an image of 256 ×
// 256 is reached after a second.
const (
	turnsToStart   = 1 << 28 // 10⁷ are necessary
	turnsBeside    = 1 << 24
	turnsPerSample = 1 << 10
)

// The limits of a decoder's memory: for each sample 4 bytes for a coefficient of the image
// and of its tile, which OpenJPEG holds at the same time, and the same again while it
// grows; a few times the size of the data; and tables.
const (
	memoryPerSample = 24
	memoryPerByte   = 4
	memoryBeside    = 32 << 20
)

// job is a frame for the module, with the coding according to its codestream.
type job struct {
	function string
	frame    Frame
	coding   coding
	data     []byte
}

// decodeForeign decodes a frame in the module. Colours are refused: the module converts
// them differently for every codec and depth, and no measured image has them.
func decodeForeign(f Frame, syntax string, data, dst []byte) error {
	if f.Samples != 1 {
		return fmt.Errorf("%d samples per pixel: %w", f.Samples, errors.ErrUnsupported)
	}
	j := job{function: foreignDecoders[syntax], frame: f, data: data}
	switch syntax {
	case jpegBaseline, jpegExtended, jpegLSLossless, jpegLSNear:
		h, err := readJPEGFrame(f, syntax, data)
		if err != nil {
			return err
		}
		j.coding = h.coding(Lossy(syntax, data))
		if !h.ended {
			// The decoder of lossy JPEG fills missing parts with grey, and that of JPEG-LS
			// may search for them until its steps are used up.
			return fmt.Errorf("JPEG: no end of image: %w", errShort)
		}
	default:
		var err error
		if j.data, err = codestream(data); err != nil {
			return err
		}
		h, err := readJPEG2000Size(f, j.data)
		if err != nil {
			return err
		}
		parts, err := readJPEG2000Parts(j.data)
		if err != nil {
			return err
		}
		if len(parts.tiles) != h.tiles {
			return fmt.Errorf("JPEG 2000: %d of %d tiles: %w", len(parts.tiles), h.tiles, errShort)
		}
		if err := parts.checkPackets(); err != nil {
			return err
		}
		j.coding, j.coding.lossy = h.coding, parts.irreversible
	}
	if err := j.run(dst); err != nil {
		return fmt.Errorf("%s: %w", j.function, err)
	}
	return nil
}

// memory returns the memory limit of the job in bytes, a multiple of the page size.
func (j job) memory() uint64 {
	samples := j.frame.Rows * j.frame.Columns
	need := uint64(memoryBeside + memoryPerSample*samples + memoryPerByte*len(j.data))
	return min(need/sandbox.PageSize*sandbox.PageSize, maxMemory)
}

// turns returns the limit of loop iterations of the job.
func (j job) turns() uint64 {
	return turnsBeside + turnsPerSample*uint64(j.frame.Rows*j.frame.Columns+len(j.data))
}

// run decodes the frame into dst in an instance of the module, which is discarded after an
// error.
func (j job) run(dst []byte) (err error) {
	pool, err := foreign()
	if err != nil {
		return err
	}
	i, err := pool.Take()
	if err != nil {
		return err
	}
	sound := false // not after an error or a panic
	defer func() {
		if sound {
			pool.Put(i)
		} else {
			i.Close()
		}
	}()
	i.Allow(j.turns(), j.memory())
	values, err := j.decode(context.Background(), i)
	if err != nil {
		return err
	}
	sound = true
	return j.store(dst, values)
}

// decode runs the decoder and returns the samples in the instance's memory.
func (j job) decode(ctx context.Context, i *sandbox.Instance) ([]byte, error) {
	c, err := call(ctx, i, "CreateCodecsContext")
	if err != nil {
		return nil, err
	}
	p, err := call(ctx, i, "CreateDecoderParameters") // the defaults do not convert colours
	if err != nil {
		return nil, err
	}
	for _, a := range j.attributes() {
		if _, err := call(ctx, i, a.set, uint64(c), uint64(a.value)); err != nil {
			return nil, err
		}
	}
	address, err := call(ctx, i, "GetEncodedBuffer", uint64(c))
	if err != nil {
		return nil, err
	}
	if address == 0 || !i.Write(address, j.data) {
		return nil, fmt.Errorf("no memory for %d bytes of data", len(j.data))
	}
	if _, err := call(ctx, i, j.function, uint64(c), uint64(p)); err != nil {
		return nil, err
	}
	if address, err = call(ctx, i, "GetDecodedBuffer", uint64(c)); err != nil {
		return nil, err
	}
	size, err := call(ctx, i, "GetDecodedBufferSize", uint64(c))
	if err != nil {
		return nil, err
	}
	return i.Read(address, size)
}

// attribute is an attribute of a frame with the module's function that sets it.
type attribute struct {
	set   string
	value int
}

// monochrome2 is the module's number for MONOCHROME2.
const monochrome2 = 1

func (j job) attributes() []attribute {
	signed := 0
	if j.coding.signed {
		signed = 1
	}
	return []attribute{
		{"SetColumns", j.frame.Columns},
		{"SetRows", j.frame.Rows},
		{"SetBitsAllocated", 8 * j.width()},
		{"SetBitsStored", j.coding.precision},
		{"SetSamplesPerPixel", 1},
		{"SetPixelRepresentation", signed},
		{"SetPlanarConfiguration", 0},
		{"SetPhotometricInterpretation", monochrome2},
		{"SetEncodedBufferSize", len(j.data)},
	}
}

// width returns the bytes of a sample in the module.
func (j job) width() int { return (j.coding.precision + 7) / 8 }

// store converts the module's samples into dst.
func (j job) store(dst, values []byte) error {
	row := j.frame.Columns
	if want := j.frame.Rows * row * j.width(); len(values) < want {
		return fmt.Errorf("%d bytes, want %d", len(values), want)
	}
	line := make([]uint16, row)
	for r := range j.frame.Rows {
		source := values[r*row*j.width():]
		for k := range line {
			switch {
			case j.width() == 2:
				line[k] = binary.LittleEndian.Uint16(source[2*k:])
			case j.coding.signed:
				line[k] = uint16(int8(source[k]))
			default:
				line[k] = uint16(source[k])
			}
		}
		if err := j.coding.words(j.frame, dst[r*row*j.frame.width():], line); err != nil {
			return fmt.Errorf("row %d: %w", r, err)
		}
	}
	return nil
}
