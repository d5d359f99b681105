// Package texture measures how T2 varies from voxel to voxel inside a region, by grey-level
// co-occurrence (Haralick et al. 1973, IEEE Transactions on Systems, Man, and Cybernetics
// 3:610–621).
//
// T2 is quantised with a fixed range and number of levels, never with those of a region, because T2
// is a calibrated quantity: equal values must remain equal between regions, visits and subjects
// (Zwanenburg et al. 2020, Radiology 295:328–338, for quantities in absolute units). A pair
// consists of two fitted voxels of the region in one slice, at a fixed distance along a row, a
// column or one of the diagonals. There are no pairs across slices, which are too far apart. The
// pairs of all slices and of the four directions are counted in one matrix, each in both orders,
// and the matrix is divided by its sum: P(i, j).
//
// Both voxels of a pair lie in the region. At a distance of 2 or more, the voxels between them need
// not.
package texture

import (
	"fmt"
	"math"

	"github.com/t2map/t2map/volume"
)

// Options are the quantisation of T2 and the distance of pairs. The zero value is the default.
type Options struct {
	// RangeMS is the range of T2 in ms that is divided into levels. If both are 0, it is 0 to 100, which
	// holds the T2 of cartilage. T2 outside the range gets the lowest or highest level.
	RangeMS [2]float64
	// Levels is the number of equal levels, at most 256. 0 means 32: in 0 to 100 ms, a level is 3.1 ms
	// wide, about a tenth of the T2 of cartilage (33 to 40 ms at 3 T, PMC7016502). Textures with
	// different ranges or levels cannot be compared.
	Levels int
	// Distance is the distance in voxels between the voxels of a pair, along rows, columns or both. 0
	// means 1.
	Distance int
}

// The defaults, and the largest number of levels: with more, nearly every pair is unique.
const (
	rangeMS    = 100
	levels     = 32
	mostLevels = 256
)

// FewestPairs is the least number of pairs from which a texture is computed. With 100 pairs, the
// relative standard error of the contrast is 14 % if differences are normal (√(2/n)).
const FewestPairs = 100

// defaults returns the options with defaults for zero values, or an error that names an invalid value.
func (o Options) defaults() (Options, error) {
	if o.RangeMS == [2]float64{} {
		o.RangeMS = [2]float64{0, rangeMS}
	}
	if o.Levels == 0 {
		o.Levels = levels
	}
	if o.Distance == 0 {
		o.Distance = 1
	}
	switch width := o.RangeMS[1] - o.RangeMS[0]; {
	case !(width > 0) || math.IsInf(width, 0):
		return o, fmt.Errorf("range of T2 is %g to %g ms", o.RangeMS[0], o.RangeMS[1])
	case o.Levels < 2 || o.Levels > mostLevels:
		return o, fmt.Errorf("%d levels, want 2 to %d", o.Levels, mostLevels)
	case o.Distance < 1:
		return o, fmt.Errorf("distance is %d voxels, want 1 or more", o.Distance)
	}
	return o, nil
}

// Missing is the reason why values of a texture are NaN.
type Missing uint8

// The reasons.
const (
	NotMissing Missing = iota
	TooFewPairs
	OneLevel // all T2 has one level; the correlation does not exist
)

// String returns the reason as text; "" for NotMissing.
func (m Missing) String() string {
	switch m {
	case TooFewPairs:
		return fmt.Sprintf("fewer than %d pairs of voxels", FewestPairs)
	case OneLevel:
		return "all T2 is of one level"
	}
	return ""
}

// Texture is the texture of a region. Sums are over all levels i and j, which count from 0. Values that
// do not exist are NaN, with the reason in Missing.
type Texture struct {
	// Voxels is the number of fitted voxels of the region, OutOfRange the number of those whose T2 is
	// outside the range, and Pairs the number of pairs.
	Voxels, OutOfRange, Pairs int
	Contrast                  float64 // Σ P·(i − j)²
	Dissimilarity             float64 // Σ P·|i − j|
	Homogeneity               float64 // Σ P/(1 + (i − j)²), the inverse difference moment
	ASM                       float64 // Σ P², the angular second moment
	Energy                    float64 // √ASM
	Correlation               float64 // Σ P·(i − µ)(j − µ)/σ²; NaN where σ is 0
	Entropy                   float64 // −Σ P·ln P
	Missing                   Missing
}

// Compute returns one texture per row. A row is a list of labels, such as the parts of a compartment. A
// label may be in several rows or in none. Only voxels with the status Fitted count. Compute panics if the
// maps and the labels differ in size, and returns an error if an option is invalid.
func Compute(m volume.Maps, l volume.Labels, rows [][]uint16, o Options) ([]Texture, error) {
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if m.Size != l.Size || len(l.Data) != l.Voxels() || len(m.T2) != len(l.Data) || len(m.Status) != len(l.Data) {
		panic("texture: the maps and the labels have different grids")
	}
	out := make([]Texture, len(rows))
	c := counter{l: l, rowsOf: rowsOf(rows), levels: o.Levels, counts: make([][]int, len(rows))}
	for r := range c.counts {
		c.counts[r] = make([]int, o.Levels*o.Levels)
	}
	c.level = make([]int16, len(l.Data))
	for v, label := range l.Data {
		c.level[v] = -1
		if label == 0 || int(label) >= len(c.rowsOf) || m.Status[v] != volume.Fitted {
			continue
		}
		level, outside := o.quantise(float64(m.T2[v]))
		c.level[v] = int16(level)
		c.voxels = append(c.voxels, uint32(v))
		for _, r := range c.rowsOf[label] {
			out[r].Voxels++
			if outside {
				out[r].OutOfRange++
			}
		}
	}
	d := o.Distance
	for _, step := range [][2]int{{d, 0}, {0, d}, {d, d}, {-d, d}} {
		c.count(step[0], step[1])
	}
	for r := range out {
		out[r].fill(c.counts[r], o.Levels)
	}
	return out, nil
}

// rowsOf returns the rows of each label in increasing order, indexed by label.
func rowsOf(rows [][]uint16) [][]int {
	var out [][]int
	for r, labels := range rows {
		for _, label := range labels {
			for int(label) >= len(out) {
				out = append(out, nil)
			}
			if own := out[label]; len(own) == 0 || own[len(own)-1] != r { // listed once
				out[label] = append(own, r)
			}
		}
	}
	return out
}

// quantise returns the level of a T2, and whether it is outside the range.
func (o Options) quantise(t2 float64) (level int, outside bool) {
	x := (t2 - o.RangeMS[0]) / (o.RangeMS[1] - o.RangeMS[0])
	return int(min(max(math.Floor(x*float64(o.Levels)), 0), float64(o.Levels-1))), x < 0 || x > 1
}

// counter counts the pairs of each row.
type counter struct {
	l      volume.Labels
	rowsOf [][]int
	level  []int16  // of each voxel; −1 if it does not count
	voxels []uint32 // that count
	levels int
	counts [][]int // of each row, by the levels of a pair
}

// count counts the pairs of each voxel with the voxel di columns and dj rows farther.
func (c *counter) count(di, dj int) {
	nx, ny := c.l.Size[0], c.l.Size[1]
	for _, voxel := range c.voxels {
		v := int(voxel)
		i, j := v%nx+di, v/nx%ny+dj
		if i < 0 || i >= nx || j >= ny {
			continue
		}
		w := v + di + nx*dj
		second := c.level[w]
		if second < 0 {
			continue
		}
		a, b := c.rowsOf[c.l.Data[v]], c.rowsOf[c.l.Data[w]]
		for len(a) > 0 && len(b) > 0 { // the rows that contain both
			switch {
			case a[0] < b[0]:
				a = a[1:]
			case a[0] > b[0]:
				b = b[1:]
			default:
				c.counts[a[0]][int(c.level[v])*c.levels+int(second)]++
				a, b = a[1:], b[1:]
			}
		}
	}
}

// fill computes the values from the counts of pairs. counts holds each pair in one order.
func (t *Texture) fill(counts []int, levels int) {
	for _, n := range counts {
		t.Pairs += n
	}
	if t.Pairs < FewestPairs {
		nan := math.NaN()
		t.Contrast, t.Dissimilarity, t.Homogeneity = nan, nan, nan
		t.ASM, t.Energy, t.Correlation, t.Entropy = nan, nan, nan, nan
		t.Missing = TooFewPairs
		return
	}
	var mean, square, product float64
	for i := range levels {
		for j := range levels {
			n := counts[i*levels+j] + counts[j*levels+i] // in both orders
			if n == 0 {
				continue
			}
			p := float64(n) / float64(2*t.Pairs)
			x, y := float64(i), float64(j)
			d := x - y
			t.Contrast += float64(p * d * d)
			t.Dissimilarity += float64(p * math.Abs(d))
			t.Homogeneity += p / (1 + d*d)
			t.ASM += float64(p * p)
			t.Entropy -= float64(p * math.Log(p))
			mean += float64(p * x)
			square += float64(p * x * x)
			product += float64(p * x * y)
		}
	}
	t.Energy = math.Sqrt(t.ASM)
	variance := square - float64(mean*mean)
	t.Correlation = (product - float64(mean*mean)) / variance
	if t.ASM == 1 || !(variance > 0) {
		t.Correlation, t.Missing = math.NaN(), OneLevel
		t.Entropy = 0 // rather than −0
	}
}
