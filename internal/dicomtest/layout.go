package dicomtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/phantom"
)

// Layout says how the echoes and slices of a study are distributed over DICOM objects.
// The magnitudes are the same in all of them, and so is T2.
type Layout string

// The layouts. Slices and echoes of the single-frame ones are MR images.
const (
	// LayoutClassic is the default: one series, instance numbers echo fastest.
	LayoutClassic Layout = "classic"
	// LayoutShuffled is the same, but only echo time and position tell the images apart:
	// the names of the files are shuffled, there are no echo numbers, and each instance
	// number belongs to one slice of all echoes, out of order, as in some series of
	// Siemens scanners.
	LayoutShuffled Layout = "shuffled"
	// LayoutSeriesPerEcho has a series for each echo, in one frame of reference.
	LayoutSeriesPerEcho Layout = "series-per-echo"
	// LayoutPhilips stores each echo with its own factor, which only the private Scale
	// Slope tells: the stored value divided by it is the magnitude times PhilipsScale for
	// all echoes, whereas neither stored nor rescaled values are on one scale.
	LayoutPhilips Layout = "philips"
	// LayoutEnhanced is one multi-frame object, its frames shuffled.
	LayoutEnhanced Layout = "enhanced"
	// LayoutEnhancedPerEcho is one multi-frame object for each echo, in one
	// series, its frames shuffled.
	LayoutEnhancedPerEcho Layout = "enhanced-per-echo"
	// LayoutPhilipsEnhanced is one multi-frame object with the factors of
	// LayoutPhilips, and a phase beside each magnitude.
	LayoutPhilipsEnhanced Layout = "philips-enhanced"
)

// Layouts are all of them.
var Layouts = []Layout{
	LayoutClassic, LayoutShuffled, LayoutSeriesPerEcho, LayoutPhilips,
	LayoutEnhanced, LayoutEnhancedPerEcho, LayoutPhilipsEnhanced,
}

// Form says how a study is written. The zero value is LayoutClassic with labels.nii.gz in
// the scheme `compartments`.
type Form struct {
	Layout Layout
	// Segmentation writes the mask as labels.dcm, a DICOM segmentation with one binary
	// segment for each compartment, of the slices that contain it.
	Segmentation bool
}

// PhilipsScale is the stored value divided by the Scale Slope, in units of the magnitude,
// in the layouts of Philips. Scale slopes of scanners are about as large; a power of two
// keeps every quotient exact.
const PhilipsScale = 128

// philipsManufacturer has the name by which readers recognise private attributes of Philips.
const philipsManufacturer = "T2MAP PHANTOM, AS PHILIPS"

const (
	// maxStored is the largest value of 12 bits, which scanners store.
	maxStored = 4095

	labelsName       = "labels.nii.gz"
	segmentationName = "labels.dcm"
)

// object is one DICOM file of a study, not yet encoded.
type object struct {
	name   string
	series string
	self   dicomwrite.Instance
	slice  int // −1 if there are several
	encode func(io.Writer) error
}

// Write writes the study into dir: DICOM files IM_0001.dcm, … and the mask. The same study
// in the same form gives the same bytes; two layouts of a study share its study UID but no
// series. Errors: an unknown layout, a segmentation of a study without a labelled voxel, and
// those of the file system, with the path.
func Write(ctx context.Context, s *phantom.Study, dir string, form Form) error {
	layout := cmp.Or(form.Layout, LayoutClassic)
	if !slices.Contains(Layouts, layout) {
		return fmt.Errorf("layout: got %q, want one of %q", layout, Layouts)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	k := knee{s}
	objects := k.objects(layout)
	if form.Segmentation {
		objects = append(objects, k.segmentation(objects))
	}
	for _, o := range objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, o.name), o.encode); err != nil {
			return err
		}
	}
	if form.Segmentation {
		return nil
	}
	labels := make([]uint8, len(s.Labels.Data))
	for v, l := range s.Labels.Data {
		labels[v] = uint8(l)
	}
	return writeFile(filepath.Join(dir, labelsName), func(w io.Writer) error {
		return nifti.WriteLabels(w, s.Labels.Geometry, labels, "t2map phantom, scheme compartments")
	})
}

func writeFile(path string, encode func(io.Writer) error) error {
	var file bytes.Buffer
	if err := encode(&file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o666)
}

// knee is a study to be written.
type knee struct{ *phantom.Study }

func (s knee) objects(layout Layout) []object {
	switch layout {
	case LayoutEnhanced, LayoutPhilipsEnhanced:
		var all []int
		for n := range s.Options.Slices * s.Options.Echoes {
			all = append(all, n)
		}
		return []object{s.enhancedObject(layout, all, 0)}
	case LayoutEnhancedPerEcho:
		objects := make([]object, s.Options.Echoes)
		for echo := range objects {
			var slices []int
			for slice := range s.Options.Slices {
				slices = append(slices, slice*s.Options.Echoes+echo)
			}
			objects[echo] = s.enhancedObject(layout, slices, echo)
		}
		return objects
	}
	return s.imageObjects(layout)
}

// shuffle returns the random numbers that decide the order of a layout.
func (s knee) shuffle(layout Layout, part int) *rand.Rand {
	sum := sha256.Sum256([]byte(string(layout) + "\x00" + strconv.Itoa(part)))
	return rand.New(rand.NewPCG(s.Options.Seed, binary.LittleEndian.Uint64(sum[:])))
}

// imageObjects are the files of the single-frame layouts.
func (s knee) imageObjects(layout Layout) []object {
	series := s.Series()
	rng := s.shuffle(layout, 0)
	order, sliceOrder := rng.Perm(s.Options.Slices*s.Options.Echoes), rng.Perm(s.Options.Slices)
	objects := make([]object, len(order))
	for n := range objects {
		slice, echo := n/s.Options.Echoes, n%s.Options.Echoes
		change := func(im *dicomwrite.Image) {}
		o := &objects[n]
		o.name, o.slice = imageName(n), slice
		o.series = series.SeriesUID
		o.self = dicomwrite.Instance{Class: dicomwrite.MRImageStorage,
			UID: s.UID("image", strconv.Itoa(slice), strconv.Itoa(echo))}
		if layout != LayoutClassic {
			o.series = s.UID("series", string(layout))
			o.self.UID = s.UID("image", strconv.Itoa(slice), strconv.Itoa(echo), string(layout))
		}
		switch layout {
		case LayoutShuffled:
			o.name = imageName(order[n])
			change = func(im *dicomwrite.Image) { im.InstanceNumber, im.EchoNumber = sliceOrder[slice]+1, 0 }
		case LayoutSeriesPerEcho:
			o.series = s.UID("series", string(layout), strconv.Itoa(echo))
			change = func(im *dicomwrite.Image) { im.SeriesNumber, im.InstanceNumber = echo+1, slice+1 }
		case LayoutPhilips:
			change = func(im *dicomwrite.Image) {
				im.Manufacturer, im.BitsStored = philipsManufacturer, 16
				im.RescaleSlope, im.ScaleSlope = philipsSlopes(echo)
				philipsStore(im.Pixels, echo)
			}
		}
		o.encode = func(w io.Writer) error {
			im := s.Image(n)
			im.SeriesUID, im.InstanceUID = o.series, o.self.UID
			change(&im)
			return dicomwrite.WriteImage(w, im)
		}
	}
	return objects
}

func imageName(n int) string { return fmt.Sprintf("IM_%04d.dcm", n+1) }

// enhancedObject returns a multi-frame object of some of the study's images, given by their
// numbers, echo fastest.
func (s knee) enhancedObject(layout Layout, images []int, part int) object {
	uid := s.UID("enhanced", string(layout), strconv.Itoa(part))
	series := s.Series()
	series.SeriesUID = s.UID("series", string(layout))
	o := Enhanced{
		Series: series.Series, Grid: series.Grid, InstanceUID: uid, InstanceNumber: part + 1,
		TR: series.TR, FieldStrength: series.FieldStrength, EchoTrainLength: series.EchoTrainLength,
		FlipAngle: series.FlipAngle, PixelBandwidth: series.PixelBandwidth,
		BitsAllocated: series.BitsAllocated, BitsStored: series.BitsStored,
		WindowCenter: series.WindowCenter, WindowWidth: series.WindowWidth,
	}
	return object{
		name: imageName(part), series: o.SeriesUID, self: o.Instance(), slice: -1,
		encode: func(w io.Writer) error {
			o := o // frames are made when they are written, and are not kept
			for _, n := range images {
				im := s.Image(n)
				f := Frame{TE: im.TE, Position: im.Position, Pixels: im.Pixels}
				if layout != LayoutPhilipsEnhanced {
					o.Frames = append(o.Frames, f)
					continue
				}
				o.Manufacturer, o.BitsStored = philipsManufacturer, 16
				o.Frames = append(o.Frames, phase(f, n), philipsMagnitude(f, n%s.Options.Echoes))
			}
			s.shuffle(layout, part).Shuffle(len(o.Frames), func(i, j int) {
				o.Frames[i], o.Frames[j] = o.Frames[j], o.Frames[i]
			})
			return WriteEnhanced(w, o)
		},
	}
}

// philipsFactor is the factor by which an echo is stored larger, a power of two so small
// that 4095 stays within 16 bits.
func philipsFactor(echo int) int32 { return 1 << (echo % 4) }

// philipsSlopes returns rescale and scale slope of an echo. The rescale slope cycles
// through three steps of 4 and the factor through four of 2, so that neither stored nor
// rescaled values of two neighbours are comparable.
func philipsSlopes(echo int) (rescale, scale float64) {
	return [...]float64{0.25, 1, 4}[echo%3], float64(philipsFactor(echo)) / PhilipsScale
}

func philipsStore(pixels []int32, echo int) {
	for v := range pixels {
		pixels[v] *= philipsFactor(echo)
	}
}

// philipsMagnitude returns the frame as Philips might have stored it.
func philipsMagnitude(f Frame, echo int) Frame {
	f.Type = []string{"ORIGINAL", "PRIMARY", "T2", "M"}
	f.RescaleSlope, f.ScaleSlope = philipsSlopes(echo)
	philipsStore(f.Pixels, echo)
	return f
}

// phase returns a phase image at the place of f: a ramp in mrad from −3142 on, in the
// format of Philips scanners.
func phase(f Frame, n int) Frame {
	pixels := make([]int32, len(f.Pixels))
	for v := range pixels {
		pixels[v] = int32((7*v + 300*n) % (maxStored + 1))
	}
	f.Pixels = pixels
	f.Type, f.Component = []string{"ORIGINAL", "PRIMARY", "T2", "P"}, "PHASE"
	f.RescaleSlope, f.RescaleIntercept, f.ScaleSlope = 2*3142.0/maxStored, -3142, 1
	return f
}
