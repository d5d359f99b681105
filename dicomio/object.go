package dicomio

import (
	"cmp"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
)

// object is an open DICOM file that is not an image of a train, such as a segmentation.
type object struct {
	*header
	data   elements.Dataset // the wanted elements
	file   *files.File
	reader frameReader
}

// openObject opens the file, which must be as Find saw it, and parses the wanted elements.
// It checks that the pixels, if there are any, have the declared number.
func (h *header) openObject(want elements.Wish) (*object, error) {
	file, err := h.open()
	if err != nil {
		return nil, err
	}
	copied := h.copied()
	o := &object{header: &copied, file: file}
	if err := o.prepare(want); err != nil {
		file.Close()
		return nil, err
	}
	return o, nil
}

func (o *object) prepare(want elements.Wish) error {
	if !o.unchanged(o.file) {
		return o.changed()
	}
	out, err := elements.Guard(o.file, o.size, want)
	if err != nil {
		return o.broken(err)
	}
	switch {
	case len(out.TooLong) == 0:
	case out.TooLong[0] == tag.ContourData:
		return o.wrong(tag.ContourData, "the points of the contours take more than %d MiB in total",
			elements.LongestContours>>20)
	default:
		return o.wrong(out.TooLong[0], "longer than %d bytes", elements.LongestValue)
	}
	if o.data, err = out.Parse(); err != nil {
		return o.broken(err)
	}
	o.reader.body = out.Body
	if out.Pixels == nil {
		return nil
	}
	if o.encapsulated {
		if err := o.divide(&out); err != nil {
			return err
		}
	}
	return o.checkFrames()
}

// checkFrames checks that every frame can be read.
func (o *object) checkFrames() error {
	switch {
	case len(o.faults) > 0:
		return o.wrong(o.faults[0].tag, "%s", o.faults[0].problem)
	case !readable(o.syntax):
		return o.unsupportedSyntax()
	case o.rows < 1 || o.columns < 1:
		return o.wrong(tag.Rows, "%d rows, %d columns", o.rows, o.columns)
	case o.frames < 1:
		return o.wrong(tag.NumberOfFrames, "%d", o.frames)
	case o.allocated != 1 && o.allocated != 8 && o.allocated != 16:
		return o.unsupported(tag.BitsAllocated, "%d bits allocated", o.allocated)
	}
	if err := o.checkLength(); err != nil {
		return err
	}
	if all := o.pixelBytes() * int64(o.frames); all > leastDecoded && all > mostCompressed*o.size {
		return o.wrong(tag.PixelData, "a file of %d bytes cannot hold %d frames of %d bytes", o.size, o.frames,
			o.pixelBytes())
	}
	if !o.encapsulated {
		return nil
	}
	for n := range o.frames {
		if _, err := o.checkFragments(n); err != nil {
			return err
		}
	}
	return nil
}

// pixelFrame returns frame n, from 0, as stored: little endian, with one byte for each
// pixel of a single bit. It is valid until the next call.
func (o *object) pixelFrame(n int) ([]byte, error) { return o.reader.read(o.header, n) }

// sha256 returns the hash of the whole file in hexadecimal.
func (o *object) sha256() (string, error) {
	sum, err := hashFile(o.file)
	return sum, o.ioError(cmp.Or(err, o.file.Unchanged()))
}

// Close closes the file.
func (o *object) Close() error { return o.file.Close() }
