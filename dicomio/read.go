package dicomio

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/elements"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// File names an input file with the SHA-256 of its bytes in hexadecimal.
type File struct {
	Path, SHA256 string
	// Lossy says that an image of the train in this file is compressed with loss.
	// Train.Lossy only knows the first frame of each file.
	Lossy bool
}

// Read decodes the train: one array of magnitudes per echo, rescaled image by image, on the
// train's geometry. It returns the files with their hashes, each once, in the order of
// echoes and slices. Workers is the number of files or frames that are read concurrently; 0
// means one per processor.
//
// It is an error if the train has a Problem, if a file cannot be read or decoded, if it has
// changed since Find, or if an image contains no data of its own, see checkContent.
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

// decode is Read without the checks of the pixels' content.
func (t Train) decode(ctx context.Context, workers int) (decoded, []File, error) {
	d := newDecoded(t)
	sources := d.files()
	defer closeAll(sources)
	buffers := sync.Pool{New: func() any { return new(buffer) }}
	tasks := readTasks(sources)
	err := parallel.Each(ctx, len(tasks), workers, func(n int) error {
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		return tasks[n](b)
	})
	if err != nil {
		return decoded{}, nil, err
	}
	named := make([]File, len(sources))
	for n, f := range sources {
		named[n] = File{Path: f.name, SHA256: f.sum, Lossy: f.lossy.Load()}
	}
	return d, named, nil
}

// FirstEcho returns the first echo of the train, or of a series that is not a train, as a
// train of one echo for Read. Its Problem says why it cannot be read; the quantity that the
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

// SharesFrame reports whether both trains name the same frame of reference, so that their
// positions can be compared.
func (t Train) SharesFrame(other Train) bool {
	frame := t.images[0].frame
	return frame != "" && frame == other.images[0].frame
}

// trainFile is a file of a train, with the images in it that the train needs.
type trainFile struct {
	*header // of one of the images
	planes  []plane
	sum     string
	lossy   atomic.Bool // whether a decoded frame is compressed with loss

	// A multi-frame file is read in several tasks. It stays open from the first to the
	// last of them, so that a compressed file is inflated only once.
	mu      sync.Mutex
	waiting int // tasks that are not finished
	file    *files.File
	content io.ReaderAt
}

// acquire opens the file, which must be as Find saw it, and returns the reader that the
// offsets of its pixels refer to.
func (f *trainFile) acquire() (io.ReaderAt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.content != nil {
		return f.content, nil
	}
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	if f.file = file; !f.unchanged(file) {
		return nil, f.changed()
	}
	f.content, err = f.body(file)
	return f.content, err
}

// release closes the file after its last task. It is an error if the file has changed
// since it was opened.
func (f *trainFile) release() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting--; f.waiting == 0 && f.file != nil {
		err = f.ioError(f.file.Unchanged())
		f.file.Close()
		f.file, f.content = nil, nil
	}
	return err
}

// closeAll closes the files that an error left open.
func closeAll(sources []*trainFile) {
	for _, f := range sources {
		if f.file != nil {
			f.file.Close()
		}
	}
}

// plane is one image of a train with the destination of its magnitudes.
type plane struct {
	*header
	dst  []float32
	seen *content
}

// store decodes the image's pixels and records their properties.
func (p plane) store(raw []byte) {
	p.seen.peak = p.header.decode(p.dst, raw)
	p.seen.note(p.header, p.dst)
}

// files returns the train's files in the order of their first images, echo by echo and
// slice by slice.
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

// framesAtATime is the number of frames that one worker decodes before it looks for
// other work.
const framesAtATime = 8

// readTasks divides the reading of the files into tasks. Files of one image are read
// whole. Frames of larger objects are read one by one while their files are hashed, so
// that no such file is ever held in memory whole.
func readTasks(sources []*trainFile) []func(*buffer) error {
	var tasks []func(*buffer) error
	for _, f := range sources {
		if !f.multiframe {
			tasks = append(tasks, f.readImage)
			continue
		}
		tasks = append(tasks, func(*buffer) error { return f.hash() })
		f.waiting++
		for planes := range slices.Chunk(f.planes, framesAtATime) {
			tasks = append(tasks, func(b *buffer) error { return f.readFrames(planes, b) })
			f.waiting++
		}
	}
	return tasks
}

// buffer is the memory of a worker, used for one file after another: fresh memory costs
// as much as copying a file into it.
type buffer struct {
	file   []byte
	frames frameReader
}

// readImage reads a file of one image, decodes its pixels and records its hash.
func (f *trainFile) readImage(b *buffer) (err error) {
	if b.file, err = f.readAll(b.file); err != nil {
		return err
	}
	if maphash.Bytes(headSeed, b.file[:f.headEnd()]) != f.head {
		return f.changed()
	}
	sum := sha256.Sum256(b.file)
	f.sum = hex.EncodeToString(sum[:])
	p := f.planes[0]
	if f.inPlace() {
		p.store(b.file[p.pixels.Value:][:p.pixels.Length])
		return nil
	}
	body, err := f.body(bytes.NewReader(b.file))
	if err != nil {
		return err
	}
	return f.decodePlanes(&b.frames, body, f.planes[:1])
}

// decodePlanes decodes frames of the file, and records whether any is compressed with loss.
func (f *trainFile) decodePlanes(r *frameReader, body io.ReaderAt, planes []plane) error {
	r.body, r.lossy = body, false
	for _, p := range planes {
		raw, err := r.read(p.header, p.index)
		if err != nil {
			return err
		}
		p.store(raw)
	}
	if r.lossy {
		f.lossy.Store(true)
	}
	return nil
}

// inPlace reports whether decode can use the pixels as they are stored in the file.
func (h *header) inPlace() bool {
	return h.syntax == uid.ExplicitVRLittleEndian || h.syntax == uid.ImplicitVRLittleEndian
}

// readFrames decodes some frames of the object.
func (f *trainFile) readFrames(planes []plane, b *buffer) (err error) {
	defer func() { err = cmp.Or(err, f.release()) }()
	body, err := f.acquire()
	if err != nil {
		return err
	}
	return f.decodePlanes(&b.frames, body, planes)
}

// hash hashes the file in pieces.
func (f *trainFile) hash() (err error) {
	defer func() { err = cmp.Or(err, f.release()) }()
	if _, err := f.acquire(); err != nil {
		return err
	}
	f.sum, err = hashFile(f.file)
	return f.ioError(err)
}

// hashFile returns the SHA-256 of the file in hexadecimal.
func hashFile(f *files.File) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size()))
	return hex.EncodeToString(h.Sum(nil)), err
}

// body returns the reader that the offsets of the pixels refer to: the file, or its
// inflated data set.
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

// noteHead records what Read compares to detect a change of the file: its size, its
// modification time, and a hash of the bytes from which the header was made, which are
// those before the pixels, or the whole file if it is deflated. Read need not parse an
// unchanged file again, which would take longer than decoding it.
func (h *header) noteHead(file *watched) {
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

// mostHashed limits the bytes that are hashed: a file with a longer header has contours
// that are refused for their length.
const mostHashed = elements.LongestContours

func (h *header) headEnd() int64 {
	if h.syntax == uid.DeflatedExplicitVRLittleEndian || !h.hasPixels() {
		return min(h.size, mostHashed)
	}
	return min(h.pixels.Value, mostHashed)
}

// unchanged reports whether the file is as Find saw it.
func (h *header) unchanged(file *files.File) bool {
	if !h.sameStamp(file) {
		return false
	}
	sum, err := h.hashHead(file)
	return err == nil && sum == h.head
}

// sameStamp reports whether size and modification time are as Find saw them.
func (h *header) sameStamp(file *files.File) bool {
	return file.Size() == h.size && file.Modified().UnixNano() == h.written
}

func (h *header) changed() error {
	return h.invalid("has changed since it was found").
		withHint("make sure that nothing writes to the study's files, and start again")
}
