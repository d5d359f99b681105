package dicomio

import (
	"fmt"
	"math"
	"slices"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// stack is the place of a frame according to the object's dimensions. It is only checked
// against the position of the plane, which is more informative.
type stack struct {
	id       string
	position int // InStackPositionNumber, 0 if missing
	indices  []float64
}

// mostFrames limits the frames of an object, each of which takes some kB: ten times the
// number of large series.
const mostFrames = 1 << 17

// leastPerFrame is a lower bound for the bytes of a frame in its file: with PlanePosition
// only, one pixel and the item headers, it takes 76 bytes (PS3.5 7.5.1).
const leastPerFrame = 64

// expand returns a header for every frame of the object: the attributes of the object,
// those shared by all frames, and those of the frame.
func (h *header) expand(d elements.Dataset) ([]*header, error) {
	perFrame := d.Items(tag.PerFrameFunctionalGroupsSequence)
	switch {
	case len(h.faults) > 0:
		return nil, h.wrong(h.faults[0].tag, "%s", h.faults[0].problem)
	case h.frames < 1 || h.frames > mostFrames:
		return nil, h.wrong(tag.NumberOfFrames, "%d, want 1 to %d", h.frames, mostFrames)
	case int64(h.frames) > h.size/leastPerFrame && h.syntax != uid.DeflatedExplicitVRLittleEndian:
		return nil, h.wrong(tag.NumberOfFrames, "%d, too many for a file of %d bytes", h.frames, h.size)
	case len(perFrame) != h.frames:
		return nil, h.wrong(tag.PerFrameFunctionalGroupsSequence, "%d items for %d frames", len(perFrame), h.frames).
			withHint(copyAgain)
	}
	shared := h.copied()
	for _, groups := range d.Items(tag.SharedFunctionalGroupsSequence) {
		shared.takeGroups(groups)
	}
	shared.multiframe = true
	frames := make([]*header, len(perFrame))
	for n, groups := range perFrame {
		frame := shared.copied()
		frame.faults = slices.Clip(shared.faults)
		frame.index = n
		frame.takeGroups(groups)
		if frame.effectiveTE == frame.effectiveTE {
			frame.te, frame.effective = frame.effectiveTE, true
		}
		frames[n] = &frame
	}
	checkStacks(frames)
	return frames, nil
}

// copied returns a copy of the header that may be changed.
func (h *header) copied() header {
	c, own := *h, *h.texts
	c.texts = &own
	return c
}

// takeGroups takes the values of functional groups. Each wanted attribute has one
// meaning, whichever group holds it.
func (h *header) takeGroups(groups elements.Dataset) {
	for _, macro := range groups {
		for _, item := range elements.ItemsOf(macro) {
			for _, e := range item {
				switch {
				case e.Tag == tag.RealWorldValueMappingSequence:
					h.takeScales(e)
				case e.Tag == elements.PhilipsScaleSlope && !h.mayBePhilips():
					// Another vendor's private element of that number.
				default:
					h.take(e)
				}
			}
		}
	}
}

// checkStacks records contradictions between the object's dimensions and its frames: two
// frames of one kind must not have the same indices, and frames at one position of a stack
// must lie in one plane.
func checkStacks(frames []*header) {
	type plane struct {
		stack    string
		position int
	}
	type echoImage struct {
		indices string
		te      float64 // in steps of sameTE: equal echo times are in one step or in neighbouring ones
	}
	images, planes := map[echoImage]*header{}, map[plane]*header{}
	for _, h := range frames {
		if len(h.stack.indices) > 0 {
			key := echoImage{fmt.Sprint(h.stack.indices, h.imageType, h.component), math.Floor(h.te / sameTE)}
			for _, step := range []float64{-1, 0, 1} {
				other := images[echoImage{key.indices, key.te + step}]
				if other != nil && within(h.te, other.te, sameTE) {
					h.faults = append(h.faults, fault{tag.DimensionIndexValues,
						fmt.Sprintf("%v, as frame %d has: the object contradicts itself", h.stack.indices,
							other.index+1)})
					break
				}
			}
			images[key] = h
		}
		if h.stack.position == 0 {
			continue
		}
		p := plane{h.stack.id, h.stack.position}
		switch other := planes[p]; {
		case other == nil:
			planes[p] = h
		case !samePlace(h, other):
			h.faults = append(h.faults, fault{tag.InStackPositionNumber,
				fmt.Sprintf("%d, as frame %d has, which lies %.2f mm away: the object contradicts itself", p.position,
					other.index+1, distance(h, other))})
		}
	}
}
