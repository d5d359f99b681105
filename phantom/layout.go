package phantom

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/t2map/t2map/dicomio/dicomwrite"
)

// Layout is how the echoes and slices of a study are spread over DICOM objects.
// In each of them the magnitudes are the same, so that each gives the same T2.
type Layout string

// The layouts. Slices and echoes of the single-frame ones are MR images.
const (
	// LayoutClassic is the default: one series, instance numbers echo fastest.
	LayoutClassic Layout = "classic"
	// LayoutShuffled is the same with nothing to go by but echo time and
	// position: names of files are shuffled, there are no echo numbers, and an
	// instance number stands for a slice of any echo, out of order, as in some
	// series of Siemens scanners.
	LayoutShuffled Layout = "shuffled"
	// LayoutSeriesPerEcho has a series for each echo, in one frame of reference.
	LayoutSeriesPerEcho Layout = "series-per-echo"
	// LayoutPhilips stores each echo with its own factor; only the private scale
	// slope tells it: stored value over scale slope is the magnitude times one
	// number for all echoes (PhilipsScale), whereas neither stored nor rescaled
	// values fit together.
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

// Mask is how the label map is written.
type Mask string

// The kinds of mask.
const (
	// MaskNIfTI is the default: labels.nii.gz in the scheme `compartments`.
	MaskNIfTI Mask = "nifti"
	// MaskSegmentation is labels.dcm, a DICOM segmentation with one binary segment
	// for each compartment, of the slices that hold something of it.
	MaskSegmentation Mask = "segmentation"
	// MaskTissues is labels.nii.gz on the grid of the DESS series, in the scheme
	// `skm-tea`, as a segmenter might have drawn it; see DESS.
	MaskTissues Mask = "tissues"
)

// Masks are all of them.
var Masks = []Mask{MaskNIfTI, MaskSegmentation, MaskTissues}

// Form says how a study is written. The zero value is LayoutClassic with
// MaskNIfTI.
type Form struct {
	Layout Layout
	Mask   Mask
	// DESS says that the DESS series is written beside the T2 series; MaskTissues implies
	// it.
	DESS bool
}

func (f *Form) fill() error {
	setDefault(&f.Layout, LayoutClassic)
	setDefault(&f.Mask, MaskNIfTI)
	if !slices.Contains(Layouts, f.Layout) {
		return fmt.Errorf("layout: got %q, want one of %q", f.Layout, Layouts)
	}
	if !slices.Contains(Masks, f.Mask) {
		return fmt.Errorf("mask: got %q, want one of %q", f.Mask, Masks)
	}
	f.DESS = f.DESS || f.Mask == MaskTissues
	return nil
}

// PhilipsScale is what stored values over scale slope are in units of the
// magnitude, in the layouts of Philips. Scale slopes of scanners are about as
// large; a power of two keeps every quotient exact.
const PhilipsScale = 128

// philipsManufacturer has the name by which readers tell whose private
// attributes they see.
const philipsManufacturer = "T2MAP PHANTOM, AS PHILIPS"

// object is one DICOM file of a study, not yet encoded.
type object struct {
	name   string
	series string
	self   dicomwrite.Instance
	slice  int // −1 where there are several
	encode func(io.Writer) error
}

// WriteAs writes the study into dir as Write does, in the given form: its DICOM
// files are IM_0001.dcm, … and, slice by slice, those of its DESS series
// DESS_0001.dcm, …; its mask is labels.nii.gz or labels.dcm. The same study in the same form gives the same bytes; two layouts of a study share
// its study UID and nothing below. Errors: an unknown layout or mask, a
// segmentation of a study without a labelled voxel, those of the file system,
// with the path, and the context's.
func (s *Study) WriteAs(ctx context.Context, dir string, form Form) error {
	if err := form.fill(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	objects := s.objects(form.Layout)
	if form.DESS {
		d, err := s.DESS(ctx)
		if err != nil {
			return err
		}
		if err := s.writeDESS(ctx, dir, &d, form.Mask); err != nil {
			return err
		}
	}
	err := each(ctx, len(objects), func(n int) error { return objects[n].write(dir) })
	if err != nil {
		return err
	}
	switch form.Mask {
	case MaskSegmentation:
		return s.segmentation(objects).write(dir)
	case MaskNIfTI:
		return writeLabels(filepath.Join(dir, labelsName), s.Labels, "compartments")
	}
	return nil
}

// writeDESS writes the DESS series and, where the form is MaskTissues, its mask.
func (s *Study) writeDESS(ctx context.Context, dir string, d *DESS, mask Mask) error {
	objects := s.dessObjects(d)
	err := each(ctx, len(objects), func(n int) error { return objects[n].write(dir) })
	if err != nil || mask != MaskTissues {
		return err
	}
	return writeLabels(filepath.Join(dir, labelsName), d.Tissues, "skm-tea")
}

func (o *object) write(dir string) error {
	var file bytes.Buffer
	path := filepath.Join(dir, o.name)
	if err := o.encode(&file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o666)
}

func (s *Study) objects(layout Layout) []object {
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

// shuffle is the stream of random numbers that decides about the order of a
// layout.
func (s *Study) shuffle(layout Layout, part int) *rand.Rand {
	return rand.New(rand.NewPCG(s.Options.Seed, hash64(string(layout), strconv.Itoa(part))))
}

// imageObjects are the files of the single-frame layouts.
func (s *Study) imageObjects(layout Layout) []object {
	series := s.series()
	rng := s.shuffle(layout, 0)
	order, sliceOrder := rng.Perm(s.Options.Slices*s.Options.Echoes), rng.Perm(s.Options.Slices)
	objects := make([]object, len(order))
	for n := range objects {
		slice, echo := n/s.Options.Echoes, n%s.Options.Echoes
		change := func(im *dicomwrite.Image) {}
		o := &objects[n]
		o.name, o.slice = imageName(n), slice
		o.series = series.SeriesUID
		o.self = dicomwrite.Instance{Class: dicomwrite.MRImageStorage, UID: s.uid("image", strconv.Itoa(slice), strconv.Itoa(echo))}
		if layout != LayoutClassic {
			o.series = s.uid("series", string(layout))
			o.self.UID = s.uid("image", strconv.Itoa(slice), strconv.Itoa(echo), string(layout))
		}
		switch layout {
		case LayoutShuffled:
			o.name = imageName(order[n])
			change = func(im *dicomwrite.Image) { im.InstanceNumber, im.EchoNumber = sliceOrder[slice]+1, 0 }
		case LayoutSeriesPerEcho:
			o.series = s.uid("series", string(layout), strconv.Itoa(echo))
			change = func(im *dicomwrite.Image) { im.SeriesNumber, im.InstanceNumber = echo+1, slice+1 }
		case LayoutPhilips:
			change = func(im *dicomwrite.Image) {
				im.Manufacturer, im.BitsStored = philipsManufacturer, 16
				im.RescaleSlope, im.ScaleSlope = philipsSlopes(echo)
				philipsStore(im.Pixels, echo)
			}
		}
		o.encode = func(w io.Writer) error {
			im := s.image(series, n)
			im.SeriesUID, im.InstanceUID = o.series, o.self.UID
			change(&im)
			return dicomwrite.WriteImage(w, im)
		}
	}
	return objects
}

func imageName(n int) string { return fmt.Sprintf("IM_%04d.dcm", n+1) }

// enhancedObject is a multi-frame object of some of the study's images, given
// by their numbers, echo fastest.
func (s *Study) enhancedObject(layout Layout, images []int, part int) object {
	uid := s.uid("enhanced", string(layout), strconv.Itoa(part))
	series := s.series()
	series.SeriesUID = s.uid("series", string(layout))
	o := dicomwrite.Enhanced{
		Series: series.Series(), Grid: series.Grid(), InstanceUID: uid, InstanceNumber: part + 1,
		TR: series.TR, FieldStrength: series.FieldStrength, EchoTrainLength: series.EchoTrainLength,
		FlipAngle: series.FlipAngle, PixelBandwidth: series.PixelBandwidth,
		BitsAllocated: series.BitsAllocated, BitsStored: series.BitsStored,
		WindowCenter: series.WindowCenter, WindowWidth: series.WindowWidth,
	}
	return object{
		name: imageName(part), series: o.SeriesUID, self: o.Instance(), slice: -1,
		encode: func(w io.Writer) error {
			o := o // frames are made when they are written, and not kept
			for _, n := range images {
				im := s.image(series, n)
				f := dicomwrite.Frame{TE: im.TE, Position: im.Position, Pixels: im.Pixels}
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
			return dicomwrite.WriteEnhanced(w, o)
		},
	}
}

// philipsFactor is by how much an echo is stored larger than it is, a power of
// two so small that 4095 stays within 16 bits.
func philipsFactor(echo int) int32 { return 1 << (echo % 4) }

// philipsSlopes returns rescale and scale slope of an echo. The rescale slope
// goes round in three steps of 4, the factor in four of 2, so that no two
// neighbours can be compared by either stored or rescaled values.
func philipsSlopes(echo int) (rescale, scale float64) {
	return [...]float64{0.25, 1, 4}[echo%3], float64(philipsFactor(echo)) / PhilipsScale
}

func philipsStore(pixels []int32, echo int) {
	for v := range pixels {
		pixels[v] *= philipsFactor(echo)
	}
}

// philipsMagnitude is the frame as Philips might have stored it.
func philipsMagnitude(f dicomwrite.Frame, echo int) dicomwrite.Frame {
	f.Type = []string{"ORIGINAL", "PRIMARY", "T2", "M"}
	f.RescaleSlope, f.ScaleSlope = philipsSlopes(echo)
	philipsStore(f.Pixels, echo)
	return f
}

// phase is a phase image where f is: a ramp, in mrad from −3142 on as scanners
// of Philips write it.
func phase(f dicomwrite.Frame, n int) dicomwrite.Frame {
	pixels := make([]int32, len(f.Pixels))
	for v := range pixels {
		pixels[v] = int32((7*v + 300*n) % (maxStored + 1))
	}
	f.Pixels = pixels
	f.Type, f.Component = []string{"ORIGINAL", "PRIMARY", "T2", "P"}, "PHASE"
	f.RescaleSlope, f.RescaleIntercept, f.ScaleSlope = 2*3142.0/maxStored, -3142, 1
	return f
}
