package phantom

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// The labels of the scheme `compartments`.
const (
	Medial         = 1
	Lateral        = 2
	Patellofemoral = 3
)

// Compartments holds the name of each label; index 0 is not a compartment.
var Compartments = [...]string{"", "medial", "lateral", "patellofemoral"}

// Options describe a study. The zero value is a right knee with all defaults.
type Options struct {
	// Subject and Visit are written to the clinical-trial attributes and
	// enter the UIDs. Default: "S01", "baseline".
	Subject, Visit string
	// Side is "R" or "L". Default: "R".
	Side string
	// Matrix is the number of rows and of columns over a field of view of
	// 132 mm. Default: 144, or 0.917 mm per pixel.
	Matrix int
	// Slices is the number of slices over 72 mm from side to side. Default: 12, with a thickness of
	// 5.4 mm and a gap of 0.6 mm.
	Slices int
	// Echoes is the number of echoes. Default: 7.
	Echoes int
	// EchoSpacing is the first echo time and the distance between echoes, ms.
	// Default: 10.
	EchoSpacing float64
	// SNR is the ratio of 1250, the signal of cartilage at TE = 0, to the
	// standard deviation of the noise in each of the two channels. 0 is the
	// default, 150; +Inf means no noise.
	SNR float64
	// Seed determines the person and the noise.
	Seed uint64
	// Shift is added to the T2 of the medial, lateral and patellofemoral
	// cartilage, ms.
	Shift [3]float64
	// DESSMatrix is the number of rows and of columns of the DESS series, over the same field of
	// view. Default: 220, or 0.6 mm per pixel. DESSSlices is the number of its slices over 78.4 mm.
	// Default: 56, or 1.4 mm per slice. They have no effect if the series is not made.
	DESSMatrix, DESSSlices int
	// Software is the version of the scanner's software. Default: "PHANTOM 1".
	Software string
	// Moved is the motion of the patient, and of the knee, since the slices of both series were
	// planned; the slices do not move. DESSMoved is the motion of the patient from the T2 series to
	// the DESS series: a point at x in the former is at DESSMoved.Apply(x) in the latter. The zero
	// value means no motion.
	Moved, DESSMoved volume.Rigid
}

// The defaults of Options.
const (
	defaultMatrix  = 144
	defaultSlices  = 12
	defaultEchoes  = 7  // the OAI's train
	defaultSpacing = 10 // ms, the same train
	defaultSNR     = 150

	defaultSoftware = "PHANTOM 1"
)

const (
	fieldOfView  = 132.0 // mm, square: from the skin in front to that behind in most legs
	slabWidth    = 72.0  // mm: the cartilage of both condyles
	sliceFilling = 0.9   // slice thickness over slice spacing, as 3 mm + 0.3 mm gap

	// cartilageS0 is the signal to which SNR refers; see properties.
	cartilageS0 = 1250

	// maxStored is the largest value of 12 bits, which scanners store.
	maxStored = 4095
)

// Study is one synthetic study with its true values.
type Study struct {
	// Options are the given options with all defaults filled in.
	Options Options
	// Echoes holds the magnitudes with noise, rounded to whole numbers, as they are stored in the
	// study's DICOM files.
	Echoes volume.MultiEcho
	// Labels is the mask, in the scheme `compartments`.
	Labels volume.Labels
	// T2 holds the true T2 in ms of every voxel, NaN in air.
	T2 volume.Map
	// S0 holds the true magnitude at TE = 0, 0 in air.
	S0 volume.Map
	// Sigma is the standard deviation of the noise in each channel.
	Sigma float64

	anatomy *anatomy
}

// Knee returns the knee at its position in the T2 series, with the visit's shift of T2. Its
// position in the DESS series is that of Knee().Moved(Options.DESSMoved).
func (s *Study) Knee() *Knee {
	k := s.anatomy.knee.Moved(orIdentity(s.Options.Moved))
	k.setShift(s.Options.Shift)
	return k
}

// New makes a study. The magnitude of a voxel at TE is
//
//	|S0·exp(−TE/T2) + n₁ + i·n₂|,  n₁, n₂ ~ N(0, σ²),  σ = 1250/SNR,
//
// rounded to a whole number. The same options give the same study on any number of processors.
// Errors are options out of range, and that of ctx.
func New(ctx context.Context, o Options) (*Study, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	a, err := newAnatomy(ctx, o)
	if err != nil {
		return nil, err
	}
	return a.study(ctx, o)
}

func (o *Options) fill() error {
	setDefault(&o.Subject, "S01")
	setDefault(&o.Visit, "baseline")
	setDefault(&o.Side, "R")
	setDefault(&o.Matrix, defaultMatrix)
	setDefault(&o.Slices, defaultSlices)
	setDefault(&o.Echoes, defaultEchoes)
	setDefault(&o.EchoSpacing, defaultSpacing)
	setDefault(&o.SNR, defaultSNR)
	setDefault(&o.DESSMatrix, defaultDESSMatrix)
	setDefault(&o.DESSSlices, defaultDESSSlices)
	setDefault(&o.Software, defaultSoftware)
	switch {
	case o.Side != "L" && o.Side != "R":
		return fmt.Errorf("side: got %q, want L or R", o.Side)
	case o.Matrix < 16 || o.Matrix > 1024: // below, cartilage vanishes; above, memory does
		return fmt.Errorf("matrix: got %d, want 16 to 1024", o.Matrix)
	case o.Slices < 1 || o.Slices > 256:
		return fmt.Errorf("slices: got %d, want 1 to 256", o.Slices)
	case o.DESSMatrix < 16 || o.DESSMatrix > 1024:
		return fmt.Errorf("DESS matrix: got %d, want 16 to 1024", o.DESSMatrix)
	case o.DESSSlices < 1 || o.DESSSlices > 256:
		return fmt.Errorf("DESS slices: got %d, want 1 to 256", o.DESSSlices)
	case o.Echoes < 1 || o.Echoes > 64:
		return fmt.Errorf("echoes: got %d, want 1 to 64", o.Echoes)
	case !(o.EchoSpacing > 0) || math.IsInf(o.EchoSpacing, 0):
		return fmt.Errorf("echo spacing: got %v ms, want a positive number", o.EchoSpacing)
	case !(o.SNR > 0):
		return fmt.Errorf("SNR: got %v, want a positive number", o.SNR)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// anatomy is a knee on a grid, the same at every visit unless the patient moves.
type anatomy struct {
	volume.Geometry
	knee   *Knee // before the patient moved, without a visit's shift
	label  []uint8
	s0, t2 []float32
	dess   *dessVolume // nil until it is requested
}

func newAnatomy(ctx context.Context, o Options) (*anatomy, error) {
	k, g := makeKnee(o)
	k.setShift([3]float64{})
	if moved := orIdentity(o.Moved); moved != volume.Identity() {
		return movedAnatomy(ctx, k, moved, g)
	}
	n := g.Voxels()
	a := &anatomy{Geometry: g, knee: k, label: make([]uint8, n), s0: make([]float32, n), t2: make([]float32, n)}
	return a, parallel.Each(ctx, o.Slices, 0, func(slice int) error {
		a.fillSlice(k.person, o, slice)
		a.blurSlice(slice)
		return nil
	})
}

// movedAnatomy is the knee after the patient has moved, on the grid planned before.
func movedAnatomy(ctx context.Context, k *Knee, moved volume.Rigid, g volume.Geometry) (*anatomy, error) {
	seen, err := k.Moved(moved).Sample(ctx, g)
	if err != nil {
		return nil, err
	}
	a := &anatomy{Geometry: g, knee: k, label: seen.Compartment, s0: seen.S0, t2: seen.T2}
	for slice := range g.Size[2] {
		a.blurSlice(slice)
	}
	return a, nil
}

// blurSlice spreads S0 over the neighbours in its slice. Each voxel keeps one tissue's T2,
// so its decay stays a single exponential.
func (a *anatomy) blurSlice(slice int) {
	n := a.SliceVoxels()
	blur(a.s0[slice*n:(slice+1)*n], a.Size[0])
}

// blur spreads the values of a slice with rows of nx over neighbouring voxels with the
// weights 1 2 1 in both directions, as the point-spread of a scan does, so that edges look
// as they do in a scan. Air stays empty.
func blur(s0 []float32, nx int) {
	ny := len(s0) / nx
	rows := make([]float32, len(s0))
	for v := range rows {
		i := v % nx
		rows[v] = (s0[v-min(i, 1)] + 2*s0[v] + s0[v+min(nx-1-i, 1)]) / 4
	}
	for v := range s0 {
		if s0[v] != 0 {
			j := v / nx
			s0[v] = (rows[v-nx*min(j, 1)] + 2*rows[v] + rows[v+nx*min(ny-1-j, 1)]) / 4
		}
	}
}

// newKnee draws a person. The spreads are a guess at adults'.
func newKnee(rng *rand.Rand) *knee {
	k := &knee{
		size:          1 + 0.03*clamp(rng.NormFloat64(), -2, 2),
		cartilage:     2.5 + 0.2*clamp(rng.NormFloat64(), -2, 2),
		subcutaneous:  7 + 2*clamp(rng.NormFloat64(), -2, 2),
		effusion:      1.6 + 2.5*rng.Float64(),
		patellaHeight: 31 + 1.5*clamp(rng.NormFloat64(), -2, 2),
		t2:            1.5 * clamp(rng.NormFloat64(), -2, 2),
		seed:          rng.Uint64(),
	}
	k.division = divide(k)
	return k
}

// fillSlice asks the anatomy about the centre of each voxel of a slice.
func (a *anatomy) fillSlice(k *knee, o Options, slice int) {
	position := sliceOffset(o, slice)
	s := newSection(k, position)
	pixel := fieldOfView / float64(o.Matrix)
	v := slice * a.SliceVoxels()
	for j := range o.Matrix {
		r := s.row(kneeTop - (float64(j)+0.5)*pixel)
		for i := range o.Matrix {
			voxel := r.voxel(kneeFront + (float64(i)+0.5)*pixel)
			a.label[v], a.s0[v], a.t2[v] = voxel.label, float32(voxel.s0), float32(voxel.t2)
			v++
		}
	}
}

// study adds the visit's shift and the noise.
func (a *anatomy) study(ctx context.Context, o Options) (*Study, error) {
	n := a.Voxels()
	s := &Study{
		Options: o,
		Echoes:  volume.MultiEcho{Geometry: a.Geometry},
		Labels:  volume.Labels{Geometry: a.Geometry, Data: make([]uint16, n)},
		T2:      volume.Map{Geometry: a.Geometry, Data: make([]float32, n)},
		S0:      volume.Map{Geometry: a.Geometry, Data: a.s0},
		Sigma:   cartilageS0 / o.SNR,
		anatomy: a,
	}
	for e := range o.Echoes {
		s.Echoes.TE = append(s.Echoes.TE, o.EchoSpacing*float64(e+1))
		s.Echoes.Echo = append(s.Echoes.Echo, make([]float32, n))
	}
	return s, parallel.Each(ctx, o.Slices, 0, func(slice int) error {
		a.shiftSlice(s, slice)
		s.acquire(slice)
		return nil
	})
}

func (a *anatomy) shiftSlice(s *Study, slice int) {
	shift := [4]float32{}
	for c, ms := range s.Options.Shift {
		shift[c+1] = float32(ms)
	}
	for v := slice * a.SliceVoxels(); v < (slice+1)*a.SliceVoxels(); v++ {
		s.Labels.Data[v] = uint16(a.label[v])
		s.T2.Data[v] = a.t2[v] + shift[a.label[v]]
	}
}

// acquire fills one slice of every echo. Each echo of each slice has its own
// stream of random numbers, so that slices can be made in any order.
func (s *Study) acquire(slice int) {
	n := s.Echoes.SliceVoxels()
	first := slice * n
	decay := make([]float64, n)  // exp(−ΔTE/T2), 0 in air
	signal := make([]float64, n) // at the echo before
	for v := range n {
		signal[v] = float64(s.S0.Data[first+v])
		if t2 := float64(s.T2.Data[first+v]); !math.IsNaN(t2) {
			decay[v] = math.Exp(-s.Options.EchoSpacing / t2)
		}
	}
	visit := hash64(s.Options.Subject, s.Options.Visit)
	for e, echo := range s.Echoes.Echo {
		rng := rand.New(rand.NewPCG(s.Options.Seed^visit, uint64(e)<<32|uint64(slice)))
		magnitudes := echo[first : first+n]
		for v := range magnitudes {
			if signal[v] == 0 {
				// Both channels are noise: its magnitude squared is exponential.
				magnitudes[v] = stored(s.Sigma * math.Sqrt(2*rng.ExpFloat64()))
				continue
			}
			signal[v] *= decay[v]
			re := signal[v] + s.Sigma*rng.NormFloat64()
			im := s.Sigma * rng.NormFloat64()
			magnitudes[v] = stored(math.Sqrt(re*re + im*im))
		}
	}
}

// stored is a magnitude as the file holds it.
func stored(x float64) float32 { return float32(min(int32(x+0.5), maxStored)) }

// Compartment holds the true values of one compartment of a study.
type Compartment struct {
	// Name is medial, lateral or patellofemoral.
	Name string
	// Voxels is the number of voxels with its label.
	Voxels int
	// MeanT2 is the mean of their true T2 in ms, NaN if there are none.
	MeanT2 float64
}

// Truth returns the true values of each compartment, in the order of the labels.
func (s *Study) Truth() [3]Compartment {
	var sum [4]float64
	var n [4]int
	for v, l := range s.Labels.Data {
		if l != 0 {
			sum[l] += float64(s.T2.Data[v])
			n[l]++
		}
	}
	var truth [3]Compartment
	for c := range truth {
		truth[c] = Compartment{Name: Compartments[c+1], Voxels: n[c+1], MeanT2: sum[c+1] / float64(n[c+1])}
	}
	return truth
}
