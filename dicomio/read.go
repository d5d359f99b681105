package dicomio

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/digest"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/volume"
)

// File names an input and the SHA-256 of its bytes in hexadecimal.
type File struct {
	Path, SHA256 string
	// Lossy says that an image of the train in it is coded with loss. It is more than
	// Train.Lossy can know, for which only the first frame of each file is looked at.
	Lossy bool
}

// Read decodes the train: one array of magnitudes per echo, rescaled image by
// image, on the train's geometry. It returns the files with their hashes, echo by
// echo and slice by slice, each once. Workers is the number of files, or of frames,
// read at a time; 0 means one per processor.
//
// It is an error when the train has a problem, when a file cannot be read or
// decoded, when it is no longer what Find saw, or when an image holds no data of its own:
// see checkContent.
func Read(ctx context.Context, t Train, workers int) (volume.MultiEcho, []File, error) {
	if t.Problem != nil {
		return volume.MultiEcho{}, nil, t.Problem
	}
	d, files, err := t.decode(ctx, workers)
	if err == nil {
		err = d.checkContent()
	}
	if err != nil {
		return volume.MultiEcho{}, nil, err
	}
	return volume.MultiEcho{Geometry: t.Geometry, TE: t.TE, Echo: d.echo, Ceiling: d.ceilings()}, files, nil
}

// decode is Read without a check of what the pixels hold.
func (t Train) decode(ctx context.Context, workers int) (decoded, []File, error) {
	d := newDecoded(t)
	all := d.files()
	defer closeAll(all)
	shelves := sync.Pool{New: func() any { return new(shelf) }}
	work := portions(all)
	err := each(ctx, len(work), workers, func(n int) error {
		on := shelves.Get().(*shelf)
		defer shelves.Put(on)
		return work[n](on)
	})
	if err != nil {
		return decoded{}, nil, err
	}
	named := make([]File, len(all))
	for n, f := range all {
		named[n] = File{Path: f.name, SHA256: f.sum, Lossy: f.lossy.Load()}
	}
	return d, named, nil
}

// FirstEcho returns the first echo of the train, or of a series that is none, as a
// train of one echo for Read. Its Problem says why it cannot be read; which quantity the
// series measures does not matter.
func (t Train) FirstEcho() Train {
	t = t.AsT2()
	if t.Problem = cmp.Or(t.Problem, t.unread); t.Problem != nil {
		return t
	}
	t.TE, t.grid = t.TE[:1], t.grid[:1]
	t.images = t.grid[0]
	t.Images = len(t.images)
	return t
}

// SharesFrame reports whether both trains say that they are in one frame of
// reference, so that positions in them are of one space.
func (t Train) SharesFrame(with Train) bool {
	frame := t.images[0].frame
	return frame != "" && frame == with.images[0].frame
}

// trainFile is a file of a train, with the images in it that the train needs.
type trainFile struct {
	*header // of one of them
	planes  []plane
	sum     string
	lossy   atomic.Bool // as is found when its frames are decoded

	// One that is read in portions is open from the first of them to the last: what
	// is packed is unpacked once.
	mu      sync.Mutex
	waiting int // portions that are still to be read
	file    *files.File
	pixels  io.ReaderAt
}

// use opens the file, which must be what Find saw, and returns what the places of its
// pixels refer to.
func (f *trainFile) use() (io.ReaderAt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pixels != nil {
		return f.pixels, nil
	}
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	if f.file = file; !f.unchanged(file) {
		return nil, f.changed()
	}
	f.pixels, err = f.body(file)
	return f.pixels, err
}

// used closes the file after the last portion. It is an error if the file has changed
// since it was opened.
func (f *trainFile) used() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting--; f.waiting == 0 && f.file != nil {
		err = f.ioError(f.file.Unchanged())
		f.file.Close()
		f.file, f.pixels = nil, nil
	}
	return err
}

// closeAll closes the files of which an error left portions unread.
func closeAll(all []*trainFile) {
	for _, f := range all {
		if f.file != nil {
			f.file.Close()
		}
	}
}

// plane is one image of a train and the place of its magnitudes.
type plane struct {
	*header
	dst  []float32
	seen *content
}

// take decodes the image's pixels and notes what they show.
func (p plane) take(raw []byte) {
	p.seen.peak = p.header.decode(p.dst, raw)
	p.seen.note(p.header, p.dst)
}

// files returns the train's files in the order of the first image of each, echo
// by echo and slice by slice.
func (d decoded) files() []*trainFile {
	var all []*trainFile
	byPath := map[string]*trainFile{}
	for e, images := range d.grid {
		for k, h := range images {
			f := byPath[h.path]
			if f == nil {
				f = &trainFile{header: h}
				byPath[h.path] = f
				all = append(all, f)
			}
			f.planes = append(f.planes, plane{h, d.image(e, k), &d.seen[e][k]})
		}
	}
	return all
}

// framesAtATime are decoded by one worker before it looks for other work.
const framesAtATime = 8

// portions divides the files into work. Files of one image are read whole, native
// ones so many at a time as are hashed together; the frames of larger objects are
// read one by one, and their files hashed beside that, so that none is ever in
// memory whole.
func portions(files []*trainFile) []func(on *shelf) error {
	var work []func(on *shelf) error
	var plain []*trainFile
	for _, f := range files {
		switch {
		case f.multiframe:
			work = append(work, func(*shelf) error { return f.hash() })
			for some := range slices.Chunk(f.planes, framesAtATime) {
				f.waiting++
				work = append(work, func(on *shelf) error { return f.readFrames(some, on) })
			}
			f.waiting++ // hash
		case f.encapsulated:
			work = append(work, func(on *shelf) error { return on.read([]*trainFile{f}) })
		default:
			plain = append(plain, f)
		}
	}
	for some := range slices.Chunk(plain, atATime(plain)) {
		work = append(work, func(on *shelf) error { return on.read(some) })
	}
	return work
}

// shelf holds as many files as are hashed at a time, to be used for others after
// them: fresh memory costs as much as copying a file into it.
type shelf struct {
	files  [digest.Width][]byte
	frames frameReader
}

// read reads files of one image each, decodes their pixels and notes their hashes.
func (on *shelf) read(files []*trainFile) error {
	for n, f := range files {
		var err error
		if on.files[n], err = f.readAll(on.files[n]); err != nil {
			return err
		}
		if data := on.files[n]; maphash.Bytes(headSeed, data[:f.headEnd()]) != f.head {
			return f.changed()
		}
	}
	for n, sum := range digest.Of(on.files[:len(files)]...) {
		files[n].sum = sum
	}
	for n, f := range files {
		on.frames.lossy = false
		if err := on.decode(f.planes[0], on.files[n]); err != nil {
			return err
		}
		f.noteLoss(&on.frames)
	}
	return nil
}

// decode decodes the one image of a file that was read whole.
func (on *shelf) decode(p plane, data []byte) error {
	if p.inPlace() {
		p.take(data[p.pixels.Value:][:p.pixels.Length])
		return nil
	}
	body, err := p.body(bytes.NewReader(data))
	if err != nil {
		return err
	}
	on.frames.body = body
	raw, err := on.frames.read(p.header, 0)
	if err == nil {
		p.take(raw)
	}
	return err
}

// inPlace reports whether the pixels stand in the file in the form that decode
// takes.
func (h *header) inPlace() bool {
	return h.syntax == uid.ExplicitVRLittleEndian || h.syntax == uid.ImplicitVRLittleEndian
}

// readFrames decodes some frames of the object.
func (f *trainFile) readFrames(planes []plane, on *shelf) (err error) {
	defer func() { err = cmp.Or(err, f.used()) }()
	if on.frames.body, err = f.use(); err != nil {
		return err
	}
	on.frames.lossy = false
	for _, p := range planes {
		raw, err := on.frames.read(p.header, p.index)
		if err != nil {
			return err
		}
		p.take(raw)
	}
	f.noteLoss(&on.frames)
	return nil
}

// noteLoss takes over what was found out about frames of the file.
func (f *trainFile) noteLoss(r *frameReader) {
	if r.lossy {
		f.lossy.Store(true)
	}
}

// hash hashes the file piece by piece.
func (f *trainFile) hash() (err error) {
	defer func() { err = cmp.Or(err, f.used()) }()
	if _, err := f.use(); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f.file, 0, f.file.Size())); err != nil {
		return f.ioError(err)
	}
	f.sum = fmt.Sprintf("%x", h.Sum(nil))
	return nil
}

// body returns what the places of pixels refer to: the file, or what is inflated of
// it.
func (h *header) body(file io.ReaderAt) (io.ReaderAt, error) {
	if h.syntax != uid.DeflatedExplicitVRLittleEndian {
		return file, nil
	}
	out, err := elements.Guard(file, h.size, nil)
	if err != nil {
		return nil, h.broken(err)
	}
	return out.Body, nil
}

// readAll reads the file into buf, which grows as needed.
func (h *header) readAll(buf []byte) ([]byte, error) {
	f, err := h.open()
	switch {
	case errors.Is(err, elements.ErrNotDICOM):
		return buf, h.changed()
	case err != nil:
		return buf, err
	}
	defer f.Close()
	if !h.sameStamp(f) {
		return buf, h.changed()
	}
	if buf, err = f.Bytes(buf); err == nil {
		err = f.Unchanged()
	}
	return buf, h.ioError(err)
}

// headSeed makes the hashes of headers comparable within one run.
var headSeed = maphash.MakeSeed()

// noteHead notes what shows at Read whether the file is still what Find saw: its size,
// its modification time and a hash of all that the header was made from, which is the bytes
// before its pixels, or all of a file that is deflated. Read need not parse a file
// again of which nothing has changed, which takes longer than decoding it.
func (h *header) noteHead(file *files.File) {
	h.written = file.Modified().UnixNano()
	h.head, _ = h.hashHead(file)
}

func (h *header) hashHead(file io.ReaderAt) (uint64, error) {
	var sum maphash.Hash
	sum.SetSeed(headSeed)
	buf := headBuffers.Get().(*[64 << 10]byte)
	defer headBuffers.Put(buf)
	_, err := io.CopyBuffer(&sum, io.NewSectionReader(file, 0, h.headEnd()), buf[:])
	return sum.Sum64(), err
}

var headBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// mostHashed bounds the bytes that are hashed: a file whose header is longer holds contours
// that are refused for their length.
const mostHashed = elements.LongestContours

func (h *header) headEnd() int64 {
	if h.syntax == uid.DeflatedExplicitVRLittleEndian || !h.hasPixels() {
		return min(h.size, mostHashed)
	}
	return min(h.pixels.Value, mostHashed)
}

// unchanged reports whether the file is what Find saw.
func (h *header) unchanged(file *files.File) bool {
	if !h.sameStamp(file) {
		return false
	}
	sum, err := h.hashHead(file)
	return err == nil && sum == h.head
}

// sameStamp reports whether size and modification time are those that Find saw.
func (h *header) sameStamp(file *files.File) bool {
	return file.Size() == h.size && file.Modified().UnixNano() == h.written
}

func (h *header) changed() error {
	e := h.invalid("has changed since it was found")
	e.Hint = "let nobody write to the study's files, and start again"
	return e
}
