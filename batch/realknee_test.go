package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/nrrd"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// This file makes T2 studies of the real knee of ../shared/data/knee-dess-seg: a test paints
// every region of the mask and what lies around it with a T2, and the echoes are the sums of
// the decays in each voxel of a series with thick slices in another plane.

// realMaskFile is the mask; tests skip where it is not.
var realMaskFile = filepath.Join("..", "..", "shared", "data", "knee-dess-seg", "labels.nrrd")

// realKnee is the mask and what each of its voxels is painted with.
type realKnee struct {
	labels volume.Labels
	// paint is a region of the anatomy, or one of the paints below.
	paint  []uint8
	box    [2][3]int // the first and the last voxel of cartilage along each axis
	scheme segment.Scheme
}

// Values for voxels outside the regions. The femoral cartilage lies against fluid or
// soft tissue on one side and against a plate of dark bone, then marrow, on the other.
const (
	softTissue = 100 + iota
	fluid      // a film of it, and soft tissue
	boneplate
	marrow
)

var readRealKnee = sync.OnceValues(func() (*realKnee, error) {
	f, err := os.Open(realMaskFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := nrrd.Read(f, nrrd.Options{})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join("..", "testdata", "tissues-scheme.yaml"))
	if err != nil {
		return nil, err
	}
	k := &realKnee{labels: m.Labels}
	if k.scheme, err = segment.ParseScheme(text); err != nil {
		return nil, err
	}
	return k, k.painted()
})

// theRealKnee returns the real knee, which no test may change.
func theRealKnee(t testing.TB) *realKnee {
	t.Helper()
	k, err := readRealKnee()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("../shared/data/knee-dess-seg is not here")
	} else if err != nil {
		t.Fatal(err)
	}
	return k
}

// painted finds the paint of each voxel: the regions, of the tibia and the patella within what
// the reader drew; a film of fluid over cartilage, one voxel of 0.36 mm; a bone plate below it,
// two voxels, which also stand for calcified cartilage; and marrow or soft tissue elsewhere.
func (k *realKnee) painted() error {
	marks, err := k.scheme.Interpret(k.labels)
	if err != nil {
		return err
	}
	d, err := anatomy.Divide(context.Background(), marks.Tissues(), anatomy.Right)
	if err != nil {
		return err
	}
	k.paint = make([]uint8, len(d.Data))
	isRegion := func(p uint8) bool { return p > 0 && p < softTissue }
	k.box[0] = k.labels.Size
	for v, r := range d.Data {
		k.paint[v] = uint8(r)
		if r == anatomy.NoRegion {
			continue
		}
		for c, index := range [3]int{v % d.Size[0], v / d.Size[0] % d.Size[1], v / d.SliceVoxels()} {
			k.box[0][c], k.box[1][c] = min(k.box[0][c], index), max(k.box[1][c], index)
		}
	}
	for _, tissue := range [...]uint8{fluid, boneplate} {
		before := bytes.Clone(k.paint)
		for v, p := range before {
			if isRegion(p) && p < uint8(anatomy.RegionMedialMeniscus) || p == boneplate {
				k.spread(v, tissue == fluid)
			}
		}
	}
	for v, p := range k.paint {
		if p == 0 {
			k.paint[v] = softTissue
			if isBone(k.labels.Data[v]) {
				k.paint[v] = marrow
			}
		}
	}
	return nil
}

func isBone(label uint16) bool { return label >= 5 && label <= 8 }

// spread paints bone beside voxel v in its slice as a bone plate, and what is not bone as fluid.
func (k *realKnee) spread(v int, wet bool) {
	stride := k.labels.Size[0]
	for _, w := range [...]int{v - 1, v + 1, v - stride, v + stride} {
		switch {
		case w < 0 || w >= len(k.paint) || k.paint[w] != 0:
		case isBone(k.labels.Data[w]):
			k.paint[w] = boneplate
		case wet:
			k.paint[w] = fluid
		}
	}
}

// matter is what a part of a voxel gives: S0 in units of cartilage, and T2 in ms. The parts of
// a voxel add up.
type matter struct{ s0, t2 float64 }

// colours are the matter of each paint.
type colours map[uint8][]matter

// palette returns the colours of a knee with the given T2 of each region and a film of fluid
// of that thickness in mm over its cartilage, 0.36 at most. Around cartilage they are those at
// 3 T of Gold et al. 2004 (AJR 183:343–351): T2 of fluid 767 ms, muscle 32 ms, marrow 133 ms; S0
// as their T1 of 3.62, 1.42, 0.37 and 1.24 s for cartilage leave it at a TR of 2.7 s, and proton
// densities of 1, 0.75, 0.9 and 0.7. Fat is not suppressed. Cortical bone is dark.
func palette(cartilage map[anatomy.Region]float64, film float64) colours {
	relaxed := func(density, t1 float64) float64 {
		return density * (1 - math.Exp(-2.7/t1)) / (0.7 * (1 - math.Exp(-2.7/1.24)))
	}
	const voxel = 0.364583
	soft, wet := relaxed(0.75, 1.42), film/voxel
	p := colours{
		softTissue: {{soft, 32}}, fluid: {{relaxed(1, 3.62) * wet, 767}, {soft * (1 - wet), 32}}, marrow: {{relaxed(0.9,
			0.37), 133}},
		uint8(anatomy.RegionMedialMeniscus): {{0.5, 12}}, uint8(anatomy.RegionLateralMeniscus): {{0.5, 12}},
	}
	for r, t2 := range cartilage {
		p[uint8(r)] = []matter{{1, t2}}
	}
	return p
}

// A healthy knee holds 4 mL of fluid at most, over some 280 cm² of synovium and cartilage
// (Knight and Levick 1983, J Physiol 340:333–344). With effusion it is several times as much.
const (
	healthyFilm  = 0.1 // mm
	effusionFilm = 0.36
)

// truth returns the mean T2 over all voxels of the mask that the compartment holds.
func (k *realKnee) truth(p colours, compartment string) float64 {
	var included [softTissue]bool
	for _, r := range anatomy.Regions() {
		included[r] = r.Compartment() == compartment || r.String() == compartment
	}
	sum, n := 0.0, 0
	for _, paint := range k.paint {
		if paint < softTissue && included[paint] {
			sum, n = sum+p[paint][0].t2, n+1
		}
	}
	return sum / float64(n)
}

// share is how much of a voxel has one paint.
type share struct {
	paint uint8
	part  float32
}

// mixture is what each voxel of a series holds.
type mixture struct {
	volume.Geometry
	start  []int32 // of each voxel in shares, and their number
	shares []share
}

// mix counts the paints at points of every voxel of a series with slices of that thickness.
func (k *realKnee) mix(g volume.Geometry, thickness float64) mixture {
	const inPlane, perSlice = 4, 10 // points: every 0.18 mm in plane and 0.3 mm through slices of 3 mm
	inverse, _ := k.labels.Inverse()
	voxelOf := func(p [3]float64) (out [3]float64) {
		for r := range 3 {
			out[r] = inverse[r][0]*p[0] + inverse[r][1]*p[1] + inverse[r][2]*p[2] + inverse[r][3]
		}
		return out
	}
	origin, gap := voxelOf(g.Position(0, 0, 0)), g.Spacing()[2]
	var step [3][3]float64
	for c, p := range [][3]float64{g.Position(1, 0, 0), g.Position(0, 1, 0), g.Position(0, 0, 1)} {
		for r, v := range voxelOf(p) {
			step[c][r] = v - origin[r]
		}
	}
	var points [][3]float64
	for i := range inPlane {
		for j := range inPlane {
			for l := range perSlice {
				a, b, c := (float64(i)+0.5)/inPlane-0.5, (float64(j)+0.5)/inPlane-0.5, ((float64(l)+0.5)/perSlice-0.5)*thickness/gap
				points = append(points, [3]float64{
					a*step[0][0] + b*step[1][0] + c*step[2][0], a*step[0][1] + b*step[1][1] +
						c*step[2][1], a*step[0][2] + b*step[1][2] + c*step[2][2]})
			}
		}
	}
	m := mixture{Geometry: g}
	var count [256]int
	for v := range g.Voxels() {
		i, j, l := float64(v%g.Size[0]), float64(v/g.Size[0]%g.Size[1]), float64(v/g.SliceVoxels())
		var c [3]float64
		for r := range 3 {
			c[r] = origin[r] + i*step[0][r] + j*step[1][r] + l*step[2][r] + 0.5
		}
		samples := points
		if !k.near(c) {
			samples = points[:1] // of no compartment
		}
		for _, p := range samples {
			count[k.paintAt(int(math.Floor(c[0]+p[0])), int(math.Floor(c[1]+p[1])), int(math.Floor(c[2]+p[2])))]++
		}
		m.start = append(m.start, int32(len(m.shares)))
		for paint, n := range count {
			if n > 0 {
				m.shares = append(m.shares, share{uint8(paint), float32(n) / float32(len(samples))})
				count[paint] = 0
			}
		}
	}
	m.start = append(m.start, int32(len(m.shares)))
	return m
}

// near reports whether a position in voxels lies in the box of the cartilage or near it.
func (k *realKnee) near(voxel [3]float64) bool {
	for c := range 3 {
		if voxel[c] < float64(k.box[0][c]-nearVoxels) || voxel[c] > float64(k.box[1][c]+nearVoxels) {
			return false
		}
	}
	return true
}

// nearVoxels is half the diagonal of a voxel of the series, 1.6 mm, in voxels of 0.365 mm.
const nearVoxels = 5

func (k *realKnee) paintAt(i, j, l int) uint8 {
	s := k.labels.Size
	if uint(i) >= uint(s[0]) || uint(j) >= uint(s[1]) || uint(l) >= uint(s[2]) {
		return softTissue
	}
	return k.paint[i+s[0]*(j+s[1]*l)]
}

// oblique is a grid of 30 slices of 192² pixels of 0.7 mm, 3 mm apart, about the middle of the
// cartilage: sagittal, turned by 15° about the patient's long axis and tilted by 6°.
func oblique() volume.Geometry {
	g := volume.Geometry{Size: [3]int{192, 192, 30}}
	const pixel, gap = 0.7, 3.0
	s, c := math.Sincos(15 * math.Pi / 180)
	sTilt, cTilt := math.Sincos(6 * math.Pi / 180)
	i := [3]float64{s, c, 0}                       // to posterior
	j := [3]float64{sTilt * c, -sTilt * s, -cTilt} // to the feet
	k := [3]float64{i[1]*j[2] - i[2]*j[1], i[2]*j[0] - i[0]*j[2], i[0]*j[1] - i[1]*j[0]}
	middle := [3]float64{-75, -18, 5}
	for r := range 3 {
		i[r], j[r], k[r] = pixel*i[r], pixel*j[r], gap*k[r]
		g.Affine[r] = [4]float64{i[r], j[r], k[r], middle[r] - 95.5*(i[r]+j[r]) - 14.5*k[r]}
	}
	return g
}

var realMixture = sync.OnceValues(func() (mixture, error) {
	k, err := readRealKnee()
	if err != nil {
		return mixture{}, err
	}
	return k.mix(oblique(), 3), nil
})

// t2Series says how a series of a mixture is written.
type t2Series struct {
	mirrored bool // from left to right: a left knee
	change   func(*dicomwrite.Image)
}

// writeT2 writes the echoes of a mixture as DICOM, noise-free: 10 to 50 ms.
func writeT2(t testing.TB, dir string, m mixture, p colours, s t2Series) {
	t.Helper()
	g := m.Geometry
	if s.mirrored {
		g = mirrored(g)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for e := range 5 {
		te := 10 * float64(e+1)
		var signal [256]float32
		for paint, parts := range p {
			for _, share := range parts {
				signal[paint] += float32(4000 * share.s0 * math.Exp(-te/share.t2))
			}
		}
		for k := range g.Size[2] {
			pixels := make([]int32, g.SliceVoxels())
			for v := range pixels {
				n := v + k*g.SliceVoxels()
				sum := float32(0.5)
				for _, share := range m.shares[m.start[n]:m.start[n+1]] {
					sum += share.part * signal[share.paint]
				}
				pixels[v] = int32(sum)
			}
			writeSlice(t, dir, g, k, e, te, pixels, s.change)
		}
	}
}

// writeSlice writes one slice of one echo.
func writeSlice(
	t testing.TB, dir string, g volume.Geometry, k, e int, te float64, pixels []int32, change func(*dicomwrite.Image),
) {
	t.Helper()
	spacing := g.Spacing()
	im := dicomwrite.Image{
		Series: dicomwrite.Series{
			StudyUID: "2.25.700.1", SeriesUID: "2.25.700.2", FrameOfReferenceUID: "2.25.700.4",
			PatientID: "REAL", SeriesDescription: "T2 MAP", SeriesNumber: 5,
		},
		Grid: dicomwrite.Grid{
			Rows: g.Size[1], Columns: g.Size[0], PixelSpacing: [2]float64{spacing[1], spacing[0]},
			SliceThickness: spacing[2],
		},
		InstanceUID: fmt.Sprintf("2.25.700.3.%d.%d", e+1, k+1), TE: te, TR: 2700,
		Position: g.Position(0, 0, float64(k)), Pixels: pixels,
	}
	for r := range 3 {
		im.Orientation[r], im.Orientation[3+r] = g.Affine[r][0]/spacing[0], g.Affine[r][1]/spacing[1]
	}
	if change != nil {
		change(&im)
	}
	var b bytes.Buffer
	if err := dicomwrite.WriteImage(&b, im); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("IM_%02d_%03d.dcm", e+1, k+1)), b.Bytes(),
		0o644); err != nil {
		t.Fatal(err)
	}
}

// mirrored returns the grid with left and right exchanged in space: x becomes −x.
func mirrored(g volume.Geometry) volume.Geometry {
	for c := range g.Affine[0] {
		g.Affine[0][c] = -g.Affine[0][c]
	}
	return g
}

// paintedStudy writes a study of the real knee with its mask and returns its settings and folder.
func paintedStudy(t testing.TB, p colours, s t2Series) (Settings, string) {
	t.Helper()
	k := theRealKnee(t)
	m, err := realMixture()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	study := filepath.Join(dir, "studies", "a")
	writeT2(t, study, m, p, s)
	copyFile(t, realMaskFile, filepath.Join(study, "labels.nrrd"))
	return Settings{Roots: []string{filepath.Join(dir, "studies")}, Out: filepath.Join(dir, "results"),
		Protocol: protocol.Protocol{Scheme: k.scheme}}, study
}
