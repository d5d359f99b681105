package nifti

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// unitTolerance is the largest excess of b²+c²+d² over 1: rounding of three components to float32
// causes up to 4e-7; a larger value is not a rotation.
const unitTolerance = 1e-6

// halfTurn is the a² below which a rotation counts as one by 180°, a = 0, because rounding of b, c,
// d causes as much (nifti_quatern_to_mat44: 1e-7).
const halfTurn = 1e-7

// affine returns the map from voxel index to patient position, mm LPS, for a grid of the given
// size. If both codes are above 0, the two forms must agree, because readers differ in the form
// that they use: nibabel uses the sform, ITK may use the qform. An invalid qform is ignored if
// there is an sform.
func (p placement) affine(size [3]int) ([3][4]float64, error) {
	var none [3][4]float64
	if p.scode <= 0 && p.qcode <= 0 {
		return none, samples.Mark(
			samples.FaultPlace, fmt.Errorf("qform_code %d, sform_code %d: %w", p.qcode, p.scode, ErrNoGeometry),
		)
	}
	var s, q volume.Geometry
	var serr, qerr error
	if p.scode > 0 {
		s, serr = p.grid("sform", p.srow, size)
	}
	if p.qcode > 0 {
		var m [3][4]float64
		if m, qerr = p.qform(); qerr != nil {
			qerr = samples.Mark(samples.FaultAffine, fmt.Errorf("qform: %w", qerr))
		} else {
			q, qerr = p.grid("qform", m, size)
		}
	}
	switch {
	case p.scode <= 0:
		return q.Affine, qerr
	case serr != nil:
		return none, serr
	case p.qcode > 0 && qerr == nil:
		if d := s.Distance(q); d > s.Tolerance() {
			return none, samples.Mark(
				samples.FaultForms,
				fmt.Errorf("qform (code %d) and sform (code %d) place the voxels up to %.2f mm apart (allowed %.2f mm)",
					p.qcode, p.scode, d, s.Tolerance()),
			)
		}
	}
	return s.Affine, nil
}

// grid returns the geometry of an affine that is in the file's unit and RAS.
func (p placement) grid(name string, a [3][4]float64, size [3]int) (volume.Geometry, error) {
	for r := range a {
		for c := range a[r] {
			a[r][c] *= p.mm
		}
	}
	a = flipRASLPS(a)
	if !samples.SpansSpace(a) {
		return volume.Geometry{}, samples.Mark(
			samples.FaultAffine, fmt.Errorf("%s: the affine %v is not finite or has axes in one plane", name, a),
		)
	}
	return volume.Geometry{Size: size, Affine: a}, nil
}

// flipRASLPS converts an affine to RAS into one to LPS, and vice versa.
func flipRASLPS(a [3][4]float64) [3][4]float64 {
	for c := range 4 {
		// 0 − x and not −x, so that a zero stays +0 and prints as 0.
		a[0][c] = 0 - a[0][c]
		a[1][c] = 0 - a[1][c]
	}
	return a
}

// qform returns the affine of METHOD 2 in nifti1.h, RAS in the file's units:
// R(b,c,d)·diag(pixdim[1], pixdim[2], qfac·pixdim[3]) and qoffset.
func (p placement) qform() ([3][4]float64, error) {
	var m [3][4]float64
	for d := 1; d < 4; d++ {
		if v := p.pixdim[d]; !(v > 0) || !finite(v) {
			return m, fmt.Errorf("pixdim[%d]: %g, want a spacing above 0", d, v)
		}
	}
	q := p.quaternion
	sum := dot(q, q)
	if !(sum <= 1+unitTolerance) {
		return m, fmt.Errorf("quaternion (b, c, d) = %v: b²+c²+d² is %g, want at most 1", q, sum)
	}
	scale := [3]float64{p.pixdim[1], p.pixdim[2], p.pixdim[3]}
	if p.pixdim[0] < 0 { // qfac; 0 counts as +1 (nifti1.h)
		scale[2] = -scale[2]
	}
	r := rotation(q)
	for i := range 3 {
		for j := range 3 {
			m[i][j] = r[i][j] * scale[j]
		}
		m[i][3] = p.qoffset[i]
	}
	return m, nil
}

// rotation returns the matrix of the unit quaternion (a, b, c, d) with a ≥ 0
// (nifti_quatern_to_mat44 in nifti1_io.c).
func rotation(q [3]float64) [3][3]float64 {
	if sum := dot(q, q); 1-sum < halfTurn {
		n := math.Sqrt(sum)
		return matrix(0, [3]float64{q[0] / n, q[1] / n, q[2] / n})
	}
	return matrix(math.Sqrt(1-dot(q, q)), q)
}

// matrix returns the rotation of the quaternion (a, b, c, d).
func matrix(a float64, q [3]float64) [3][3]float64 {
	b, c, d := q[0], q[1], q[2]
	return [3][3]float64{
		{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
		{2 * (b*c + a*d), a*a + c*c - b*b - d*d, 2 * (c*d - a*b)},
		{2 * (b*d - a*c), 2 * (c*d + a*b), a*a + d*d - b*b - c*c},
	}
}

// quaternion returns b, c, d of the rotation r with a ≥ 0 (nifti_mat44_to_quatern in nifti1_io.c).
// The divisor is never smaller than half of the largest component, so that no digits are lost.
func quaternion(r [3][3]float64) [3]float64 {
	x := 1 + r[0][0] - r[1][1] - r[2][2] // 4b²
	y := 1 + r[1][1] - r[0][0] - r[2][2] // 4c²
	z := 1 + r[2][2] - r[0][0] - r[1][1] // 4d²
	w := 1 + r[0][0] + r[1][1] + r[2][2] // 4a²
	var a float64
	var q [3]float64
	switch max(w, x, y, z) {
	case w:
		a = math.Sqrt(w) / 2
		q = [3]float64{(r[2][1] - r[1][2]) / (4 * a), (r[0][2] - r[2][0]) / (4 * a), (r[1][0] - r[0][1]) / (4 * a)}
	case x:
		b := math.Sqrt(x) / 2
		a = (r[2][1] - r[1][2]) / (4 * b)
		q = [3]float64{b, (r[0][1] + r[1][0]) / (4 * b), (r[0][2] + r[2][0]) / (4 * b)}
	case y:
		c := math.Sqrt(y) / 2
		a = (r[0][2] - r[2][0]) / (4 * c)
		q = [3]float64{(r[0][1] + r[1][0]) / (4 * c), c, (r[1][2] + r[2][1]) / (4 * c)}
	default:
		d := math.Sqrt(z) / 2
		a = (r[1][0] - r[0][1]) / (4 * d)
		q = [3]float64{(r[0][2] + r[2][0]) / (4 * d), (r[1][2] + r[2][1]) / (4 * d), d}
	}
	if a < 0 {
		q = [3]float64{-q[0], -q[1], -q[2]}
	}
	return q
}

// float32Quaternion returns b, c, d of r as float32. Readers compute a = √(1−b²−c²−d²), where near
// half turns (such as a plain coronal scan) the last bit of b, c and d becomes 2·10⁻⁴ of a, or 0.05
// mm at the edge of a knee; not every reader has the remedy of nifti1_io.c (halfTurn). Therefore
// each component is also tried one step up and down, and the result is the triple whose matrix is
// nearest to r.
func float32Quaternion(r [3][3]float64) [3]float32 {
	exact := quaternion(r)
	var best [3]float32
	least := math.Inf(1)
	for n := range 27 {
		var q [3]float32
		var wide [3]float64
		for d, step := range [3]int{n % 3, n / 3 % 3, n / 9} {
			q[d] = float32(exact[d])
			switch step {
			case 1:
				q[d] = math.Nextafter32(q[d], 2)
			case 2:
				q[d] = math.Nextafter32(q[d], -2)
			}
			wide[d] = float64(q[d])
		}
		m := matrix(math.Sqrt(max(0, 1-dot(wide, wide))), wide)
		worst := 0.0
		for i := range m {
			for j := range m[i] {
				worst = max(worst, math.Abs(m[i][j]-r[i][j]))
			}
		}
		if worst < least {
			best, least = q, worst
		}
	}
	return best
}

// nearestRotation returns the rotation and qfac for the axes of an affine in RAS: i is kept, j is
// made orthogonal to it, and k is their normal. A DICOM grid differs from the result only by
// rounding.
func nearestRotation(a [3][4]float64) (r [3][3]float64, qfac float64) {
	i := unit([3]float64{a[0][0], a[1][0], a[2][0]})
	j := [3]float64{a[0][1], a[1][1], a[2][1]}
	projection := dot(i, j)
	j = unit([3]float64{j[0] - projection*i[0], j[1] - projection*i[1], j[2] - projection*i[2]})
	k := [3]float64{i[1]*j[2] - i[2]*j[1], i[2]*j[0] - i[0]*j[2], i[0]*j[1] - i[1]*j[0]}
	qfac = 1
	if dot(k, [3]float64{a[0][2], a[1][2], a[2][2]}) < 0 {
		qfac = -1
	}
	for row := range 3 {
		r[row] = [3]float64{i[row], j[row], k[row]}
	}
	return r, qfac
}

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func unit(a [3]float64) [3]float64 {
	n := math.Sqrt(dot(a, a))
	return [3]float64{a[0] / n, a[1] / n, a[2] / n}
}
