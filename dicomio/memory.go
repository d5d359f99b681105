package dicomio

import (
	"math"
	"runtime"
	"sync"

	"github.com/t2map/t2map/dicomio/internal/codec"
	"github.com/t2map/t2map/digest"
)

// texts holds each text of the headers once. The files of a study say the same in
// all but a few of their attributes, and a cohort has some hundred thousand files.
type texts struct {
	mu   sync.Mutex
	held map[string]string
}

func newTexts() *texts { return &texts{held: map[string]string{}} }

// share replaces the header's texts by those that are held. The texts that are each
// file's own, such as its SOPInstanceUID, are left alone.
func (t *texts) share(h *header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, text := range []*string{
		&h.syntax, &h.sopClass, &h.study, &h.series, &h.frame, &h.patientID, &h.trialSubject, &h.trialVisit,
		&h.laterality, &h.manufacturer, &h.model, &h.description, &h.serial, &h.software, &h.sequenceName,
		&h.imageType, &h.component, &h.photometric, &h.label,
	} {
		if *text == "" {
			continue
		}
		held, ok := t.held[*text]
		if !ok {
			held = *text
			t.held[held] = held
		}
		*text = held
	}
}

// Release lets go of the headers of the study's series: what is known of the study and
// of each series stays, but the series cannot be read any more. Trains that were copied
// out of the study before can.
func (s *Study) Release() {
	for _, trains := range [][]Train{s.Trains, s.Suspects, s.Others} {
		for i := range trains {
			trains[i].images, trains[i].grid = nil, nil
		}
	}
	s.instances = nil
}

// mostAtATime bounds the bytes of plain files that one worker holds at a time: those of
// eight images of 2048 × 2048 pixels, four times as many in each direction as a
// multi-echo series has.
const mostAtATime = 64 << 20

// atATime returns how many of the files, which are read whole, a worker takes at a time:
// as many as are hashed side by side, or fewer where they are large.
func atATime(files []*trainFile) int {
	var largest int64 = 1
	for _, f := range files {
		largest = max(largest, f.size)
	}
	return int(min(digest.Width, max(1, mostAtATime/largest)))
}

// ReadMemory returns how many bytes Read takes at most beside the echoes that it
// returns: the files, or the frames, that the workers hold at a time, compressed and
// decoded, and what the decoders need. Workers is that of Read.
func (t Train) ReadMemory(workers int) int64 {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var plain, single, frame int64 // the most that one worker holds
	var files, images int64
	for _, echo := range t.grid {
		for _, h := range echo {
			images++
			switch {
			case h.multiframe:
				frame = max(frame, h.pixelBytes()+h.decodeMemory())
			case h.encapsulated:
				single = max(single, h.size+h.pixelBytes()+h.decodeMemory())
			default:
				files++
				plain = max(plain, h.size)
			}
		}
	}
	width := min(digest.Width, max(1, mostAtATime/max(1, plain)))
	busy := min(int64(workers), (files+width-1)/width+images-files) // no more workers than there is work
	return busy * max(min(width, files)*plain, single, frame)
}

// decodeMemory returns what decoding the image takes beside its file and its pixels.
func (h *header) decodeMemory() int64 {
	if !h.encapsulated || h.index >= len(h.parts) {
		return 0
	}
	var held int64
	for _, f := range h.compressed(h.index) {
		held += f.Length
	}
	return held + codec.Memory(h.syntax, codec.Frame{Rows: h.rows, Columns: h.columns}, held)
}

// bytesPerContourByte is what a structure set takes for each byte of its file while it
// is read: the text of a contour as it stands, split into numbers (a string header of 16 bytes for
// 8 characters or so) and as float64.
const bytesPerContourByte = 5

// ReadMemory returns how many bytes ReadMask takes beside the voxels of the segments,
// which depend on what is drawn.
func (m MaskObject) ReadMemory() int64 {
	h := m.header
	switch {
	case h == nil:
		return 0
	case m.Kind == MaskRTSTRUCT:
		return bytesPerContourByte * h.size
	}
	if h.rows < 1 || h.columns < 1 || max(h.rows, h.columns) > math.MaxUint16 || h.allocated > 16 {
		return 0 // ReadMask refuses it
	}
	return 2*h.pixelBytes() + h.decodeMemory()
}
