package volume

// Rigid is a rigid transform of patient space: p ↦ Rotation·p + Shift, in mm LPS.
// The zero value is not a transform; see Identity. Products are rounded before they are
// added, so that all machines compute the same.
type Rigid struct {
	Rotation [3][3]float64
	Shift    [3]float64
}

// Identity returns the identity transform.
func Identity() Rigid {
	return Rigid{Rotation: [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}
}

// Apply returns the position to which p is moved.
func (t Rigid) Apply(p [3]float64) [3]float64 {
	out := t.Shift
	for r, row := range t.Rotation {
		out[r] += float64(row[0]*p[0]) + float64(row[1]*p[1]) + float64(row[2]*p[2])
	}
	return out
}

// Inverse returns the transform that undoes t. The rotation must be orthonormal.
func (t Rigid) Inverse() Rigid {
	var inv Rigid
	for r := range 3 {
		for c := range 3 {
			inv.Rotation[r][c] = t.Rotation[c][r]
			inv.Shift[r] -= float64(t.Rotation[c][r] * t.Shift[c])
		}
	}
	return inv
}

// Moved returns the grid g after t: a voxel at p moves to t.Apply(p).
func (g Geometry) Moved(t Rigid) Geometry {
	out, a := g, g.Affine
	origin := t.Apply([3]float64{a[0][3], a[1][3], a[2][3]})
	for r, row := range t.Rotation {
		for c := range 3 {
			out.Affine[r][c] = float64(row[0]*a[0][c]) + float64(row[1]*a[1][c]) + float64(row[2]*a[2][c])
		}
		out.Affine[r][3] = origin[r]
	}
	return out
}

// Then returns the transform that applies t first and next second.
func (t Rigid) Then(next Rigid) Rigid {
	var out Rigid
	for r := range 3 {
		for c := range 3 {
			for k := range 3 {
				out.Rotation[r][c] += float64(next.Rotation[r][k] * t.Rotation[k][c])
			}
		}
	}
	out.Shift = next.Apply(t.Shift)
	return out
}
