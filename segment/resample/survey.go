package resample

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/segment/internal/words"
	"github.com/t2map/t2map/volume"
)

// block is the size of the blocks in which the labels of the mask are surveyed. A row of eight labels is
// read at once, and a plate of cartilage is a few blocks thick.
var block = [3]int{8, 8, 4}

// runLength is the number of voxels in a row of the series that are skipped together if no label is near.
const runLength = 8

// survey is the summary of a mask that is made before voxels of the series are sampled.
type survey struct {
	labels       []uint16
	coverage     []Coverage // in the order of labels
	size, blocks [3]int     // of the mask, in voxels and in blocks
	// low and high are the smallest and the largest label in each block.
	low, high []uint16
	// reached reports whether a label is within margin, in voxels of the mask, of a run of voxels whose
	// middle is in the block.
	reached []bool
	margin  [3]int
	// start and end bound the labelled blocks, in voxels of the mask; end is exclusive.
	start, end [3]int
}

// surveyed counts the labels of the mask and finds their blocks.
func surveyed(ctx context.Context, mask volume.Labels, p placement, workers int) (*survey, error) {
	s := &survey{size: mask.Size, start: mask.Size}
	for a, n := range mask.Size {
		s.blocks[a] = (n + block[a] - 1) / block[a]
	}
	n := s.blocks[0] * s.blocks[1] * s.blocks[2]
	s.low, s.high = make([]uint16, n), make([]uint16, n)
	layers := make([]layer, s.blocks[2])
	scan := scanner{mask: mask, view: p.view(), survey: s}
	err := parallel.Each(ctx, len(layers), workers, func(k int) error {
		layers[k] = scan.layer(k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.collect(layers)
	s.reached = make([]bool, n)
	for b, high := range s.high {
		s.reached[b] = high > 0
	}
	for a := range 3 {
		s.bound(a)
		s.margin[a] = int(math.Ceil(p.half[a] + math.Abs(p.toMask[a][0])*(runLength-1)/2 + slack))
		s.dilate(a, (s.margin[a]+block[a]-1)/block[a])
	}
	return s, nil
}

// collect combines the labels of all layers of blocks.
func (s *survey) collect(layers []layer) {
	byLabel := map[uint16]*Coverage{}
	for _, l := range layers {
		for _, c := range l {
			if byLabel[c.Label] == nil {
				byLabel[c.Label] = &Coverage{Label: c.Label}
				s.labels = append(s.labels, c.Label)
			}
			byLabel[c.Label].join(c)
		}
	}
	slices.Sort(s.labels)
	for _, label := range s.labels {
		s.coverage = append(s.coverage, *byLabel[label])
	}
}

// layer holds the voxels of each label in one layer of blocks.
type layer []Coverage

// scanner reads a mask layer by layer.
type scanner struct {
	mask volume.Labels
	view view
	*survey
}

// layer surveys layer k of blocks.
func (s scanner) layer(k int) layer {
	var out layer
	nx, ny := s.mask.Size[0], s.mask.Size[1]
	plane := s.blocks[0] * s.blocks[1]
	low, high := s.low[k*plane:][:plane], s.high[k*plane:][:plane]
	for b := range low {
		low[b] = math.MaxUint16
	}
	first := k * block[2]
	last := min(first+block[2], s.mask.Size[2])
	inView := make([]int8, plane) // whether each block is in the field of view: 1 yes, −1 no, 0 unknown
	for z := first; z < last; z++ {
		for y := range ny {
			row := s.mask.Data[nx*(y+ny*z):][:nx]
			for bx := range s.blocks[0] {
				b := bx + s.blocks[0]*(y/block[1])
				part := row[bx*block[0] : min((bx+1)*block[0], nx)]
				if len(part) == 8 && words.Four(part)|words.Four(part[4:]) == 0 {
					low[b] = 0
					continue
				}
				if inView[b] == 0 {
					inView[b] = s.holds(bx, y/block[1], k)
				}
				for x, label := range part {
					low[b], high[b] = min(low[b], label), max(high[b], label)
					if label != 0 {
						d := 0.0
						if inView[b] < 0 {
							d = s.view.outside(float64(bx*block[0]+x), float64(y), float64(z))
						}
						out.count(label).tally(d)
					}
				}
			}
		}
	}
	return out
}

// holds returns 1 if the whole block lies in the field of view, and −1 otherwise.
func (s scanner) holds(bx, by, bz int) int8 {
	first := [3]int{bx * block[0], by * block[1], bz * block[2]}
	last := first
	for a := range last {
		last[a] += block[a] - 1
	}
	if s.view.holds(first, last) {
		return 1
	}
	return -1
}

// count returns the entry of a label. Labels are few, and neighbouring voxels mostly have the same one:
// the last entry that was requested is kept first.
func (l *layer) count(label uint16) *Coverage {
	for n := range *l {
		if (*l)[n].Label == label {
			if n > 0 {
				(*l)[0], (*l)[n] = (*l)[n], (*l)[0]
			}
			return &(*l)[0]
		}
	}
	*l = append(*l, Coverage{Label: label})
	last := len(*l) - 1
	(*l)[0], (*l)[last] = (*l)[last], (*l)[0]
	return &(*l)[0]
}

// bound finds the range of labelled blocks along an axis.
func (s *survey) bound(a int) {
	stride := [3]int{1, s.blocks[0], s.blocks[0] * s.blocks[1]}[a]
	for b, high := range s.high {
		if high > 0 {
			n := b / stride % s.blocks[a]
			s.start[a] = min(s.start[a], n*block[a])
			s.end[a] = max(s.end[a], min((n+1)*block[a], s.size[a]))
		}
	}
}

// dilate extends the reached blocks by r blocks along an axis.
func (s *survey) dilate(a, r int) {
	stride, n := [3]int{1, s.blocks[0], s.blocks[0] * s.blocks[1]}[a], s.blocks[a]
	out := make([]bool, len(s.reached))
	for b, reached := range s.reached {
		if !reached {
			continue
		}
		place := b / stride % n
		for c := max(place-r, 0); c <= min(place+r, n-1); c++ {
			out[b+(c-place)*stride] = true
		}
	}
	s.reached = out
}

// near reports whether a label may be near a run of voxels whose middle is at x. A middle outside the mask
// counts as in the nearest block.
func (s *survey) near(x [3]float64) bool {
	b := 0
	for a := 2; a >= 0; a-- {
		n, margin := s.size[a], float64(s.margin[a]+1)
		// A NaN fails this comparison.
		if !(x[a] > -margin && x[a] < float64(n)+margin) {
			return false
		}
		b = b*s.blocks[a] + min(max(int(x[a]+0.5), 0), n-1)/block[a]
	}
	return s.reached[b]
}

// labelRange returns the smallest and the largest label in the blocks that contain a box of voxels.
// Outside the mask is background.
func (s *survey) labelRange(corner, extent [3]int) (low, high uint16) {
	var start, end [3]int
	low = math.MaxUint16
	for a := range corner {
		first, last := corner[a], corner[a]+extent[a]-1
		if first < 0 || last >= s.size[a] {
			low = 0
			first, last = max(first, 0), min(last, s.size[a]-1)
		}
		if last < first {
			return 0, 0
		}
		start[a], end[a] = first/block[a], last/block[a]
	}
	for z := start[2]; z <= end[2]; z++ {
		for y := start[1]; y <= end[1]; y++ {
			row := s.blocks[0] * (y + s.blocks[1]*z)
			for b := row + start[0]; b <= row+end[0]; b++ {
				low, high = min(low, s.low[b]), max(high, s.high[b])
			}
		}
	}
	return low, high
}
