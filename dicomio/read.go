package dicomio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

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
		s.Echo[e] = make([]float32, t.Geometry.Voxels())
	}
	plane, slices := t.Geometry.SliceVoxels(), t.Geometry.Size[2]
	files := make([]File, len(t.TE)*slices)
	buffers := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	err := each(ctx, len(files), workers, func(i int) error {
		e, k := i/slices, i%slices
		buf := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buf)
		sum, err := t.grid[e][k].readPixels(s.Echo[e][k*plane:(k+1)*plane], buf)
		files[i] = File{Path: t.grid[e][k].name, SHA256: sum}
		return err
	})
	if err != nil {
		return volume.MultiEcho{}, nil, err
	}
	return s, files, nil
}

// readPixels reads the file into buf, decodes its pixels into dst and returns
// the hash of its bytes.
func (h *header) readPixels(dst []float32, buf *bytes.Buffer) (string, error) {
	f, err := os.Open(h.path)
	if err != nil {
		return "", h.ioError(err)
	}
	defer f.Close()
	buf.Reset()
	buf.Grow(int(h.size) + bytes.MinRead)
	// One byte more than Find saw is enough to notice growth.
	if _, err := buf.ReadFrom(io.LimitReader(f, h.size+1)); err != nil {
		return "", h.ioError(err)
	}
	now := &header{path: h.path, name: h.name, size: int64(buf.Len())}
	from, err := now.parse(bytes.NewReader(buf.Bytes()))
	switch {
	case errors.Is(err, errNotDICOM) || err == nil && (now.size != h.size || !now.same(h)):
		return "", h.invalid("has changed since it was found")
	case err != nil:
		return "", err
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(buf.Bytes()))
	if from == nil {
		from = buf.Bytes()
	}
	if err := now.checkPixels(); err != nil {
		return "", err
	}
	return sum, now.decode(dst, from[now.pixels.value:][:now.pixels.length])
}

// same reports whether two readings of a file agree in what decides its place
// and its values.
func (h *header) same(o *header) bool {
	return h.instance == o.instance && h.te == o.te && h.position == o.position &&
		h.rows == o.rows && h.columns == o.columns && h.allocated == o.allocated && h.stored == o.stored &&
		h.pixelsAre == o.pixelsAre && h.slope == o.slope && h.intercept == o.intercept
}
