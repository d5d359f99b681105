package reader

import (
	"math"
	"net/http"
	"strconv"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
)

// voxel answers with the decay of a voxel.
func (s *Server) voxel(r *http.Request) (answer, error) {
	_, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	place, err := v.voxelOf(r)
	if err != nil {
		return answer{}, err
	}
	return answer{value: v.describe(place, []int{place}, v.VoxelDecay(place))}, nil
}

// voxelOf returns the voxel that a request names.
func (v *view) voxelOf(r *http.Request) (int, error) {
	place, err := strconv.Atoi(r.URL.Query().Get("v"))
	if err != nil || place < 0 || place >= v.Series.Voxels() {
		return 0, failure(http.StatusBadRequest, "there is no voxel of this number")
	}
	return place, nil
}

// mostBrushMM is the largest radius of a brush in mm.
const mostBrushMM = 100

// brush answers with the decay of the mean of the voxels whose centres are within a radius of a voxel's, in its slice.
func (s *Server) brush(r *http.Request) (answer, error) {
	_, v, err := s.look(r)
	if err != nil {
		return answer{}, err
	}
	place, err := v.voxelOf(r)
	if err != nil {
		return answer{}, err
	}
	radius, err := strconv.ParseFloat(r.URL.Query().Get("mm"), 64)
	if err != nil || !(radius >= 0 && radius <= mostBrushMM) {
		return answer{}, failure(http.StatusBadRequest, "the radius is not a number of mm from 0 to %d", mostBrushMM)
	}
	voxels := v.disc(place, radius)
	return answer{value: v.describe(place, voxels, v.Decay(v.Signal(voxels), v.Series.Index(place)[2]))}, nil
}

// disc returns the voxels of a slice whose centres are within a radius in mm of that of a voxel.
func (v *view) disc(place int, radius float64) (voxels []int) {
	g := v.Series.Geometry
	middle, spacing := g.Index(place), g.Spacing()
	reach := func(c int) (low, high int) {
		n := int(radius / spacing[c])
		return max(0, middle[c]-n), min(g.Size[c]-1, middle[c]+n)
	}
	left, right := reach(0)
	top, bottom := reach(1)
	for j := top; j <= bottom; j++ {
		for i := left; i <= right; i++ {
			x, y := float64(i-middle[0])*spacing[0], float64(j-middle[1])*spacing[1]
			if math.Hypot(x, y) <= radius {
				voxels = append(voxels, i+g.Size[0]*(j+g.Size[1]*middle[2]))
			}
		}
	}
	return voxels
}

// describe describes a decay. place is the voxel that was asked for, and voxels are those of the mean.
func (v *view) describe(place int, voxels []int, readings []pipeline.Reading) Voxel {
	index := v.Series.Index(place)
	out := Voxel{Index: index, Position: v.Series.Position(float64(index[0]), float64(index[1]), float64(index[2])),
		Voxels: len(voxels), Signal: numbers(v.Signal(voxels)), Fits: []Fit{}}
	for _, one := range readings {
		f := Fit{Method: string(one.Method), T2: number.Float(one.T2), SE: number.Float(one.SE), S0: number.Float(one.S0),
			R2: number.Float(one.R2), Status: stateText(one.Status), CurveTE: numbers(one.TE), Curve: numbers(one.Curve),
			Residuals: numbers(one.Residuals)}
		if one.Problem != nil {
			f = Fit{Method: f.Method, Problem: printable.Line(one.Problem.Error()), T2: nan, SE: nan, S0: nan, R2: nan,
				CurveTE: []number.Float{}, Curve: []number.Float{}, Residuals: []number.Float{}}
		}
		out.Fits = append(out.Fits, f)
	}
	return out
}

var nan = number.Float(math.NaN())
