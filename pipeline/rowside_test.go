package pipeline

import (
	"errors"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// rowMask is a mask of boxes 12 mm wide. The keys are their distances from the middle in mm, the values their labels.
func rowMask(boxes map[int]uint16) maskRead {
	g := volume.Geometry{Size: [3]int{240, 20, 20}, Affine: [3][4]float64{{1, 0, 0, -120}, {0, 1, 0, 0}, {0, 0, 1, 0}}}
	l := volume.Labels{Geometry: g, Data: make([]uint16, g.Voxels())}
	for v := range l.Data {
		for x, label := range boxes {
			if d := v%240 - 120 - x; d >= -6 && d < 6 {
				l.Data[v] = label
			}
		}
	}
	return maskRead{labels: l}
}

// A mask of rows, or of tissues that are not divided, is compared with the side of the images like a divided mask. It
// determines the side if no other source names it, and is separated if it marks two knees.
func TestSideOfRows(t *testing.T) {
	compartments, err := segment.Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	skm, err := segment.Named("skm-tea")
	if err != nil {
		t.Fatal(err)
	}
	right := Job{Train: dicomio.Train{Side: "R", Sides: []dicomio.SideClaim{{Attribute: "Laterality (0020,0060)",
		Side: "R"}}}}
	two := rowMask(map[int]uint16{-70: 1, -90: 2, 70: 2, 90: 1}) // a right and a left knee
	for name, c := range map[string]struct {
		job    Job
		scheme segment.Scheme
		method protocol.DivisionMethod
		mask   maskRead
		want   anatomy.Side
		fails  bool
		voxels int
	}{
		"agrees": {right, compartments, "", rowMask(map[int]uint16{17: 1, -17: 2}), anatomy.Right, false, 2},

		"exchanged":          {right, compartments, "", rowMask(map[int]uint16{-17: 1, 17: 2}), 0, true, 0},
		"undivided":          {right, skm, protocol.DivideNone, rowMask(map[int]uint16{-17: 3, 17: 4}), 0, true, 0},
		"menisci, undivided": {right, skm, protocol.DivideNone, rowMask(map[int]uint16{-17: 5, 17: 6}), 0, true, 0},
		"the mask alone":     {Job{}, compartments, "", rowMask(map[int]uint16{-17: 1, 17: 2}), anatomy.Left, false, 2},
		"undecided":          {Job{}, compartments, "", rowMask(map[int]uint16{17: 1}), anatomy.UnknownSide, false, 1},
		"two knees":          {right, compartments, "", two, anatomy.Right, false, 2},
		"two, side unknown":  {Job{}, compartments, "", two, 0, true, 0},
	} {
		p := protocol.Protocol{Scheme: c.scheme}
		p.Division.Method = c.method
		marks, err := c.mask.interpret(p.MaskScheme())
		if err != nil {
			t.Fatal(err)
		}
		k, err := c.job.divideMask(t.Context(), c.mask, marks, p, 1)
		if (err != nil) != c.fails || k.side != c.want && !c.fails {
			t.Errorf("%s: side %v, %v; want %v", name, k.side, err, c.want)
			continue
		}
		if c.fails {
			if !errors.As(err, new(*anatomy.SideError)) && !errors.As(err, new(*anatomy.Error)) ||
				hint.Find(err) == "" {
				t.Errorf("%s: %v, without a hint or of another kind", name, err)
			}
			continue
		}
		n := 0
		for _, part := range k.parts.Data {
			if part != 0 {
				n++
			}
		}
		if n != c.voxels*12*400 {
			t.Errorf("%s: %d voxels, want %d", name, n, c.voxels*12*400)
		}
	}
}

// A mask that lies outside the series is an error with its distance. A mask that touches the series, marks nothing or
// will be aligned is not.
func TestCheckPlace(t *testing.T) {
	m := rowMask(map[int]uint16{0: 1}) // from −6 to 5 along x
	series := func(x float64) volume.Geometry {
		return volume.Geometry{Size: [3]int{10, 10, 10}, Affine: [3][4]float64{{2, 0, 0, x}, {0, 2, 0, 0},
			{0, 0, 2, 0}}}
	}
	for name, c := range map[string]struct {
		job  Job
		mask maskRead
		want string
	}{
		"inside": {Job{Train: dicomio.Train{Geometry: series(-6)}}, m, ""},
		// The labels lie outside; resample.Onto returns an error for them.
		"on the grid": {Job{Train: dicomio.Train{Geometry: series(60)}}, m, ""},
		"far": {Job{Train: dicomio.Train{Geometry: series(160)}}, m, "mask lies outside the series: its nearest " +
			"voxel is 154.0 mm from the field of view"},
		"beyond": {Job{Train: dicomio.Train{Geometry: series(1e22)}}, m, "mask lies outside the series: its " +
			"nearest voxel is more than 10 m from the field of view"},
		"empty":         {Job{Train: dicomio.Train{Geometry: series(160)}}, rowMask(nil), ""},
		"to be aligned": {Job{Train: dicomio.Train{Geometry: series(160)}, Moving: &dicomio.Train{}}, m, ""},
	} {
		text := ""
		if err := c.job.checkPlace(c.mask); err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}
