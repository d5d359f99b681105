package phantom

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// SKMTea holds the name of each label of the scheme `skm-tea`, which the mask of a DESS series
// uses; index 0 is not a label.
var SKMTea = [...]string{
	"", "patellar-cartilage", "femoral-cartilage", "medial-tibial-cartilage", "lateral-tibial-cartilage",
	"medial-meniscus", "lateral-meniscus",
}

// skmTea is the label of each tissue in the scheme `skm-tea`, 0 for bone.
var skmTea = [len(Tissues)]uint8{
	PatellarCartilage: 1, FemoralCartilage: 2, MedialTibialCartilage: 3, LateralTibialCartilage: 4, MedialMeniscus: 5,
	LateralMeniscus: 6,
}

// DESS is a morphological series of the knee, as used for segmentation: three-dimensional, with
// thin sagittal slices, bright fluid, grey cartilage and, because of water excitation, dark fat and
// bone.
type DESS struct {
	// Signal holds the stored magnitudes.
	Signal volume.Map
	// Tissues is the mask of the series in the scheme `skm-tea`: the tissue at the centre of each
	// voxel.
	Tissues volume.Labels
}

// The protocol of the DESS series is the OAI's, except for thicker slices and larger pixels:
// thirty-six series take 200 MB.
const (
	defaultDESSMatrix = 220
	defaultDESSSlices = 56
	dessSlab          = 78.4 // mm, a little wider than that of the T2 series
	dessTR            = 16.3 // ms
	dessTE            = 4.7  // ms
	dessFlipAngle     = 25   // degrees
	dessBandwidth     = 185  // Hz
	// dessNoise is the standard deviation of a channel, relative to the signal of cartilage, over
	// that of the T2 series: a voxel has a ninth of the volume, and the sequence is faster.
	dessNoise = 6.0
)

// dessSignal is the magnitude of each tissue, chosen by eye and rounded, so that the series looks
// like a scan. The value of cartilage is for a T2 of 36 ms.
var dessSignal = [tissues]float64{
	skin: 300, subcutaneous: 170, fat: 150, fascia: 120, muscle: 420, marrow: 130, scar: 200, cortex: 50,
	cartilage: 640, meniscus: 170, ligament: 190, tendon: 110, fluid: 1500, synovium: 560, artery: 260, vein: 480,
	nerve: 340,
}

// dessVolume is a DESS series without noise, with its mask. signal is nil until it is requested.
type dessVolume struct {
	volume.Geometry
	signal []float32
	label  []uint8
}

// dessGrid is the grid of the DESS series of a knee before it moved.
func dessGrid(k *Knee, o Options) volume.Geometry {
	pixel := fieldOfView / float64(o.DESSMatrix)
	return k.gridOver([3]float64{pixel, pixel, dessSlab / float64(o.DESSSlices)},
		[3]float64{fieldOfView, fieldOfView, dessSlab})
}

// newDESS is the knee of options whose defaults are filled in, after it has moved.
func newDESS(ctx context.Context, k *Knee, o Options) (*dessVolume, error) {
	g := dessGrid(k, o)
	n := g.Voxels()
	d := &dessVolume{Geometry: g, signal: make([]float32, n), label: make([]uint8, n)}
	return d, movedForDESS(k, o).fill(ctx, g, func(s *sampler, v int, u, p, h float64) {
		found := s.row(u, h).voxel(p)
		d.label[v] = skmTea[found.part]
		if found.tissue == air {
			return
		}
		signal := found.s0 / properties[found.tissue].s0 * dessSignal[found.tissue]
		if found.tissue == cartilage {
			signal *= found.t2 / 36 // the surface is brighter than the deep layer
		}
		d.signal[v] = float32(signal)
	}, func(slice int) {
		blur(d.signal[slice*g.SliceVoxels():(slice+1)*g.SliceVoxels()], g.Size[0])
	})
}

// movedForDESS returns the knee at its position in the DESS series.
func movedForDESS(k *Knee, o Options) *Knee {
	return k.Moved(compose(orIdentity(o.DESSMoved), orIdentity(o.Moved)))
}

// tissues returns the mask of the DESS series. If the series is not needed, it takes a tenth of the time of DESS.
func (s *Study) tissues(ctx context.Context) (volume.Labels, error) {
	if s.anatomy.dess == nil {
		g := dessGrid(s.anatomy.knee, s.Options)
		d := &dessVolume{Geometry: g, label: make([]uint8, g.Voxels())}
		k := movedForDESS(s.anatomy.knee, s.Options)
		if err := k.fill(ctx, g, func(place *sampler, v int, u, p, h float64) {
			if size := k.person.size; nearJoint(u/size, p/size, h/size) {
				d.label[v] = skmTea[place.section(u).structure(point{p / size, h / size}).part]
			}
		}, nil); err != nil {
			return volume.Labels{}, err
		}
		s.anatomy.dess = d
	}
	return s.anatomy.dess.mask(), nil
}

// nearJoint reports whether cartilage or menisci may lie at a place of a knee of size 1. They lie 3 mm or more within
// these limits.
func nearJoint(u, p, h float64) bool {
	return math.Abs(u) < 40 && -54 < p && p < 34 && -9 < h && h < 55
}

func (d *dessVolume) mask() volume.Labels {
	mask := volume.Labels{Geometry: d.Geometry, Data: make([]uint16, len(d.label))}
	for v, label := range d.label {
		mask.Data[v] = uint16(label)
	}
	return mask
}

// DESS returns the study's DESS series with its mask. The same study always gives the same series.
// The only error is that of ctx.
func (s *Study) DESS(ctx context.Context) (DESS, error) {
	if s.anatomy.dess == nil || s.anatomy.dess.signal == nil {
		d, err := newDESS(ctx, s.anatomy.knee, s.Options)
		if err != nil {
			return DESS{}, err
		}
		s.anatomy.dess = d
	}
	still := s.anatomy.dess
	d := DESS{
		Signal:  volume.Map{Geometry: still.Geometry, Data: make([]float32, still.Voxels())},
		Tissues: still.mask(),
	}
	sigma := dessNoise * dessSignal[cartilage] / s.Options.SNR
	visit := hash64(s.Options.Subject, s.Options.Visit, "DESS")
	return d, parallel.Each(ctx, still.Size[2], 0, func(slice int) error {
		rng := rand.New(rand.NewPCG(s.Options.Seed^visit, uint64(slice)))
		for v := slice * still.SliceVoxels(); v < (slice+1)*still.SliceVoxels(); v++ {
			re := float64(still.signal[v]) + sigma*rng.NormFloat64()
			im := sigma * rng.NormFloat64()
			d.Signal.Data[v] = stored(math.Sqrt(float64(re*re) + float64(im*im)))
		}
		return nil
	})
}

// dessObjects are the files of the DESS series, one for each slice.
func (s *Study) dessObjects(d *DESS) []object {
	series := s.dessSeries(d.Signal.Geometry)
	objects := make([]object, d.Signal.Size[2])
	for slice := range objects {
		objects[slice].name = fmt.Sprintf("DESS_%04d.dcm", slice+1)
		objects[slice].image = func() dicomwrite.Image {
			im := series
			im.InstanceUID, im.InstanceNumber = s.dessUID("image", strconv.Itoa(slice)), slice+1
			im.Position = d.Signal.Position(0, 0, float64(slice))
			im.Pixels = make([]int32, d.Signal.SliceVoxels())
			for v := range im.Pixels {
				im.Pixels[v] = int32(d.Signal.Data[slice*len(im.Pixels)+v])
			}
			return im
		}
	}
	return objects
}

// dessSeries returns the attributes that all images of the DESS series share. They lie in
// the frame of reference of the T2 series.
func (s *Study) dessSeries(g volume.Geometry) dicomwrite.Image {
	im := s.Series()
	spacing := g.Spacing()
	im.SeriesUID, im.SeriesDescription, im.SeriesNumber = s.dessUID("series"), "SAG 3D DESS", 2
	im.ScanningSequence, im.SequenceVariant, im.AcquisitionType = "GR", []string{"SS", "SP"}, "3D"
	im.ImageType, im.SequenceName = []string{"ORIGINAL", "PRIMARY", "M", "ND"}, "*de3d1"
	im.TrialModule = true
	im.EchoNumber, im.EchoTrainLength, im.TE, im.TR = 1, 1, dessTE, dessTR
	im.FlipAngle, im.PixelBandwidth = dessFlipAngle, dessBandwidth
	im.Rows, im.Columns, im.PixelSpacing = g.Size[1], g.Size[0], [2]float64{spacing[1], spacing[0]}
	im.SliceThickness, im.SpacingBetweenSlices = spacing[2], spacing[2]
	for r, a := range g.Affine {
		im.Orientation[r], im.Orientation[3+r] = a[0]/spacing[0], a[1]/spacing[1]
	}
	return im
}

// dessUID derives the UID of an object of the DESS series.
func (s *Study) dessUID(name ...string) string {
	o := s.Options
	return s.UID(append(name, "DESS", fmt.Sprint(o.DESSMatrix, o.DESSSlices, orIdentity(o.DESSMoved)))...)
}
