package resample

import (
	"context"
	"math"
	"slices"

	"github.com/t2map/t2map/volume"
)

// block is the size of the blocks of the mask whose labels are surveyed: a row of eight labels is
// read at once, and a plate of cartilage is a few blocks thick.
var block = [3]int{8, 8, 4}

// survey is what is known of a mask before any voxel of the series is looked at.
type survey struct {
	labels   []uint16
	coverage []Coverage // in the order of labels
	// class of a label is its index in labels plus 1; 0 for the background.
	class []uint16
	// blocks are the numbers of blocks. low and high are the least and the largest label in
	// reach of a voxel of the series whose centre is in the block; beyond the mask is background.
	blocks    [3]int
	low, high []uint16
	// from and to bound the labelled blocks, in voxels of the mask, to exclusive.
	from, to [3]int
}

// surveyed counts the labels of the mask and finds where they are.
func surveyed(ctx context.Context, mask volume.Labels, p placement, workers int) (*survey, error) {
	s := &survey{from: mask.Size}
	for a, n := range mask.Size {
		s.blocks[a] = (n + block[a] - 1) / block[a]
	}
	n := s.blocks[0] * s.blocks[1] * s.blocks[2]
	s.low, s.high = make([]uint16, n), make([]uint16, n)
	layers := make([]layer, s.blocks[2])
	scan := scanner{mask: mask, view: p.view(), survey: s}
	err := parallel(ctx, len(layers), workers, func(k int) { layers[k] = scan.layer(k) })
	if err != nil {
		return nil, err
	}
	s.collect(layers)
	for a := range 3 {
		s.bound(a, mask.Size)
		s.dilate(a, int(math.Ceil(math.Ceil(p.half[a])/float64(block[a]))))
	}
	return s, nil
}

// collect joins the labels of all layers of blocks.
func (s *survey) collect(layers []layer) {
	found := map[uint16]*Coverage{}
	for _, l := range layers {
		for _, c := range l {
			if found[c.Label] == nil {
				found[c.Label] = &Coverage{Label: c.Label}
				s.labels = append(s.labels, c.Label)
			}
			found[c.Label].join(c)
		}
	}
	slices.Sort(s.labels)
	s.class = make([]uint16, 1<<16)
	for n, label := range s.labels {
		s.coverage = append(s.coverage, *found[label])
		s.class[label] = uint16(n + 1)
	}
}

// layer is what one layer of blocks holds of each label.
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
	held := make([]int8, plane) // whether a block is in the field of view: 1 yes, −1 no
	for z := first; z < last; z++ {
		for y := range ny {
			row := s.mask.Data[nx*(y+ny*z):][:nx]
			for bx := range s.blocks[0] {
				b := bx + s.blocks[0]*(y/block[1])
				part := row[bx*block[0] : min((bx+1)*block[0], nx)]
				if len(part) == 8 && part[0]|part[1]|part[2]|part[3]|part[4]|part[5]|part[6]|part[7] == 0 {
					low[b] = 0
					continue
				}
				if held[b] == 0 {
					held[b] = s.holds(bx, y/block[1], k)
				}
				for x, label := range part {
					low[b], high[b] = min(low[b], label), max(high[b], label)
					if label != 0 {
						d := 0.0
						if held[b] < 0 {
							d = s.view.outside(float64(bx*block[0]+x), float64(y), float64(z))
						}
						out.of(label).tally(d)
					}
				}
			}
		}
	}
	return out
}

// holds reports whether a block lies in the field of view: 1 yes, −1 not all of it.
func (s scanner) holds(bx, by, bz int) int8 {
	from := [3]int{bx * block[0], by * block[1], bz * block[2]}
	to := from
	for a := range to {
		to[a] += block[a] - 1
	}
	if s.view.holds(from, to) {
		return 1
	}
	return -1
}

// of returns the count of a label. Labels are few, and neighbours mostly have the same: the
// last one asked for is kept in front.
func (l *layer) of(label uint16) *Coverage {
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

// bound finds the labelled blocks along an axis, before they are dilated there.
func (s *survey) bound(a int, size [3]int) {
	stride := [3]int{1, s.blocks[0], s.blocks[0] * s.blocks[1]}[a]
	for b, high := range s.high {
		if high > 0 {
			n := b / stride % s.blocks[a]
			s.from[a] = min(s.from[a], n*block[a])
			s.to[a] = max(s.to[a], min((n+1)*block[a], size[a]))
		}
	}
}

// dilate gives each block the least and the largest label of those up to r blocks away along
// an axis, of which those beyond the mask, or partly beyond it, hold background.
func (s *survey) dilate(a, r int) {
	stride, n := [3]int{1, s.blocks[0], s.blocks[0] * s.blocks[1]}[a], s.blocks[a]
	low, high := make([]uint16, len(s.low)), make([]uint16, len(s.high))
	for b := range low {
		at := b / stride % n
		l, h := s.low[b], s.high[b]
		if at-r < 0 || at+r >= n-1 {
			l = 0
		}
		for c := max(at-r, 0); c <= min(at+r, n-1); c++ {
			l, h = min(l, s.low[b+(c-at)*stride]), max(h, s.high[b+(c-at)*stride])
		}
		low[b], high[b] = l, h
	}
	s.low, s.high = low, high
}
