package dicomio

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/t2map/t2map/digest"
	"github.com/t2map/t2map/volume"
)

// File names an input and the SHA-256 of its bytes in hexadecimal.
type File struct{ Path, SHA256 string }

// Read decodes the train: one array of magnitudes per echo, rescaled file by
// file, on the train's geometry. It returns the files with their hashes, echo by
// echo and slice by slice. Workers is the number of files read at a time; 0 means
// one per processor.
//
// It is an error when the train has a problem, when a file cannot be read or
// decoded, or when it is no longer what Find saw.
func Read(ctx context.Context, t Train, workers int) (volume.MultiEcho, []File, error) {
	if t.Problem != nil {
		return volume.MultiEcho{}, nil, t.Problem
	}
	s := volume.MultiEcho{Geometry: t.Geometry, TE: t.TE, Echo: make([][]float32, len(t.TE))}
	for e := range s.Echo {
		s.Echo[e] = volume.Floats(t.Geometry.Voxels())
	}
	planes := t.planes(s.Echo)
	files := make([]File, len(planes))
	shelves := sync.Pool{New: func() any { return new(shelf) }}
	err := each(ctx, (len(planes)+digest.Width-1)/digest.Width, workers, func(g int) error {
		on := shelves.Get().(*shelf)
		defer shelves.Put(on)
		from, to := g*digest.Width, min((g+1)*digest.Width, len(planes))
		return on.read(files[from:to], planes[from:to])
	})
	if err != nil {
		return volume.MultiEcho{}, nil, err
	}
	return s, files, nil
}

// plane is one image of a train and the place of its magnitudes.
type plane struct {
	*header
	dst []float32
}

// planes returns the train's images, echo by echo and slice by slice.
func (t Train) planes(echo [][]float32) []plane {
	var planes []plane
	voxels := t.Geometry.SliceVoxels()
	for e, images := range t.grid {
		for k, h := range images {
			planes = append(planes, plane{h, echo[e][k*voxels:][:voxels]})
		}
	}
	return planes
}

// shelf holds as many files as are hashed at a time, to be used for others after
// them: fresh memory costs as much as copying a file into it.
type shelf [digest.Width][]byte

// read reads the files of some planes, decodes their pixels and notes their names
// and hashes.
func (on *shelf) read(files []File, planes []plane) error {
	images := make([]image, len(planes))
	for n, p := range planes {
		var err error
		if on[n], err = p.readAll(on[n]); err != nil {
			return err
		}
		if images[n], err = p.again(on[n]); err != nil {
			return err
		}
	}
	sums := digest.Of(on[:len(planes)]...) // before decode, which may change the bytes
	for n, p := range planes {
		if err := images[n].decode(p.dst, images[n].raw); err != nil {
			return err
		}
		files[n] = File{Path: p.name, SHA256: sums[n]}
	}
	return nil
}

// readAll reads the file into buf, which grows as needed.
func (h *header) readAll(buf []byte) ([]byte, error) {
	f, err := os.Open(h.path)
	if err != nil {
		return buf, h.ioError(err)
	}
	defer f.Close()
	// One byte more than Find saw is enough to notice growth.
	buf = slices.Grow(buf[:0], int(h.size)+1)[:h.size+1]
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return buf, h.ioError(err)
	}
	return buf[:n], nil
}

// image is a file that has been read again.
type image struct {
	header
	raw []byte // the value of PixelData
}

// again returns the image in the bytes of the file, which must be what Find saw.
func (h *header) again(data []byte) (image, error) {
	if h.sameHead(data) {
		return image{*h, data[h.pixels.value:][:h.pixels.length]}, nil
	}
	now := header{path: h.path, name: h.name, size: int64(len(data))}
	from, err := now.parse(bytes.NewReader(data))
	switch {
	case errors.Is(err, errNotDICOM) || err == nil && (now.size != h.size || !now.same(h)):
		return image{}, h.invalid("has changed since it was found")
	case err != nil:
		return image{}, err
	}
	if from == nil {
		from = data
	}
	if err := now.checkPixels(); err != nil {
		return image{}, err
	}
	return image{now, from[now.pixels.value:][:now.pixels.length]}, nil
}

// headSeed makes the hashes of headers comparable within one run.
var headSeed = maphash.MakeSeed()

// longestHead bounds the headers that are compared as bytes: far above any that
// was met.
const longestHead = 1 << 20

// noteHead takes a hash of all bytes of the file before its pixels. A header is
// made of nothing else but these and the file's size, so that Read need not parse
// it a second time, which takes longer than decoding the pixels.
func (h *header) noteHead(file io.ReaderAt) {
	if h.pixels.vr == "" || h.encapsulated || h.pixels.value > longestHead {
		return
	}
	head := make([]byte, h.pixels.value)
	if n, _ := file.ReadAt(head, 0); n == len(head) {
		h.head = maphash.Bytes(headSeed, head)
	}
}

// sameHead reports whether the bytes of the file begin and are as many as Find
// saw.
func (h *header) sameHead(data []byte) bool {
	return h.head != 0 && int64(len(data)) == h.size && maphash.Bytes(headSeed, data[:h.pixels.value]) == h.head
}

// same reports whether two readings of a file agree in what decides its place
// and its values.
func (h *header) same(o *header) bool {
	return h.instance == o.instance && h.te == o.te && h.position == o.position &&
		h.rows == o.rows && h.columns == o.columns && h.allocated == o.allocated && h.stored == o.stored &&
		h.pixelsAre == o.pixelsAre && h.slope == o.slope && h.intercept == o.intercept
}
