package nrrd

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/t2map/t2map/samples"
	"github.com/t2map/t2map/volume"
)

// file holds the values of a header that this package uses.
type file struct {
	geometry volume.Geometry
	array    samples.Array
	// layerAxis is the axis without a direction, −1 if there is none.
	layerAxis int
	encoding  encoding
	lineSkip  int
	byteSkip  int64 // −1 means that the data are at the end of the file
	store     samples.Store
	segments  []segmentOf
}

type encoding int

const (
	raw encoding = iota
	gzipped
	bzipped
	ascii
)

// encodings are those of the definition, except hex.
var encodings = map[string]encoding{
	"raw": raw, "gzip": gzipped, "gz": gzipped, "bzip2": bzipped, "bz2": bzipped,
	"txt": ascii, "text": ascii, "ascii": ascii,
}

// mostAxes is Teem's NRRD_DIM_MAX.
const mostAxes = 16

// kinds maps the names of types.
var kinds = func() map[string]samples.Kind {
	m := map[string]samples.Kind{}
	for names, kind := range map[string]samples.Kind{
		"signed char,int8,int8_t":                                                              samples.Int8,
		"uchar,unsigned char,uint8,uint8_t":                                                    samples.Uint8,
		"short,short int,signed short,signed short int,int16,int16_t":                          samples.Int16,
		"ushort,unsigned short,unsigned short int,uint16,uint16_t":                             samples.Uint16,
		"int,signed int,int32,int32_t":                                                         samples.Int32,
		"uint,unsigned int,uint32,uint32_t":                                                    samples.Uint32,
		"longlong,long long,long long int,signed long long,signed long long int,int64,int64_t": samples.Int64,
		"ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t":                  samples.Uint64,
		"float":  samples.Float32,
		"double": samples.Float64,
	} {
		for name := range strings.SplitSeq(names, ",") {
			m[name] = kind
		}
	}
	return m
}()

// parse interprets the fields and checks all that does not need the data.
func (h *header) parse() (*file, error) {
	f := &file{layerAxis: -1}
	for _, step := range []func(*header) error{
		f.setType, f.setSizes, f.setPlace, f.setSegments, f.setLayers, f.setData,
	} {
		if err := step(h); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// setType interprets type, encoding and endian.
func (f *file) setType(h *header) error {
	name := strings.ToLower(h.fields["type"])
	kind, ok := kinds[name]
	switch {
	case name == "block":
		return samples.Mark(
			samples.FaultDatatype, fmt.Errorf("type: block: %w (want a real number)", samples.ErrUnsupported),
		)
	case !ok:
		return fmt.Errorf("type: %.40q is not a type", name)
	}
	f.array.Kind = kind
	name = strings.ToLower(h.fields["encoding"])
	if f.encoding, ok = encodings[name]; !ok {
		if name == "hex" {
			return samples.Mark(
				samples.FaultEncoding, fmt.Errorf("encoding: hex: %w (want raw or gzip)", samples.ErrUnsupported),
			)
		}
		return samples.Mark(samples.FaultEncoding, fmt.Errorf("encoding: %.40q is not an encoding", name))
	}
	f.array.Text = f.encoding == ascii
	switch endian := strings.ToLower(h.fields["endian"]); {
	case endian == "big":
		f.array.BigEndian = true
	case endian == "little", endian == "" && (kind.Size() == 1 || f.array.Text):
	case endian == "":
		return errors.New("endian: missing, though values have several bytes")
	default:
		return fmt.Errorf("endian: %.40q is neither little nor big", endian)
	}
	return nil
}

// setSizes interprets dimension and sizes.
func (f *file) setSizes(h *header) error {
	axes, err := strconv.Atoi(h.fields["dimension"])
	if err != nil || axes < 1 || axes > mostAxes {
		return fmt.Errorf("dimension: %.40q, want 1 to %d", h.fields["dimension"], mostAxes)
	}
	words := strings.Fields(h.fields["sizes"])
	if len(words) != axes {
		return fmt.Errorf("sizes: %d numbers for %d axes", len(words), axes)
	}
	total := int64(1)
	for d, word := range words {
		n, err := strconv.ParseInt(word, 10, 32)
		if err != nil || n < 1 {
			return fmt.Errorf("sizes: axis %d: %.20q, want a number of voxels", d+1, word)
		}
		if total *= n; total > math.MaxInt/8 || total < 0 || total > samples.MostVoxels {
			return fmt.Errorf("sizes: %s: more voxels than a mask has", strings.Join(words, "×"))
		}
		f.array.Size = append(f.array.Size, int(n))
	}
	return nil
}

// spaces are the signs that convert the axes of a space to LPS. The other spaces of the definition,
// such as scanner-xyz, are not anatomical.
var spaces = map[string][3]float64{
	"left-posterior-superior": {1, 1, 1}, "lps": {1, 1, 1},
	"right-anterior-superior": {-1, -1, 1}, "ras": {-1, -1, 1},
	"left-anterior-superior": {1, -1, 1}, "las": {1, -1, 1},
}

// units are the units of length in mm, by name.
var units = map[string]float64{
	"": 1, "mm": 1, "millimeter": 1, "millimeters": 1, "cm": 10, "m": 1000,
	"um": 0.001, "µm": 0.001, "micron": 0.001, "microns": 0.001,
}

func noPlace(format string, a ...any) error {
	return samples.Mark(samples.FaultPlace, fmt.Errorf(format, a...))
}

// setPlace interprets space, space directions, space origin and space units.
func (f *file) setPlace(h *header) error {
	space, there := h.fields["space"]
	sign, known := spaces[strings.ToLower(space)]
	switch {
	case !there:
		return noPlace("space: missing: the position of the voxels in the patient is unknown")
	case !known:
		return noPlace(
			"space: %.40q does not give the position of the voxels in the patient "+
				"(want left-posterior-superior, right-anterior-superior or left-anterior-superior)",
			space,
		)
	case h.fields["space directions"] == "":
		return noPlace("space directions: missing: the position of the voxels in the patient is unknown")
	case h.fields["space origin"] == "":
		return noPlace("space origin: missing: the position of the voxels in the patient is unknown")
	}
	scale, err := spaceUnits(h.fields["space units"])
	if err != nil {
		return err
	}
	directions, err := vectors(h.fields["space directions"])
	if err != nil || len(directions) != len(f.array.Size) {
		return fmt.Errorf(
			"space directions: %.80q, want a vector of three numbers or none for each of %d axes",
			h.fields["space directions"], len(f.array.Size),
		)
	}
	origin, err := vectors(h.fields["space origin"])
	if err != nil || len(origin) != 1 || origin[0] == nil {
		return fmt.Errorf("space origin: %.80q, want a vector of three numbers", h.fields["space origin"])
	}
	for r := range scale {
		scale[r] *= sign[r]
	}
	return f.setAffine(directions, *origin[0], scale)
}

// setAffine sets the grid from the directions of the axes, nil for none, and the origin. scale converts
// each coordinate to LPS in mm.
func (f *file) setAffine(directions []*[3]float64, origin, scale [3]float64) error {
	g := &f.geometry
	column := 0
	for d, v := range directions {
		switch {
		case v == nil && f.layerAxis >= 0 && f.array.Size[d] == 1: // an axis without effect
			continue
		case v == nil && f.layerAxis >= 0 && f.array.Size[f.layerAxis] > 1:
			return frames("space directions: several axes have none: %w", samples.ErrUnsupported)
		case v == nil:
			f.layerAxis = d
			continue
		case column == 3:
			return frames("space directions: more than three axes: %w", samples.ErrUnsupported)
		}
		g.Size[column] = f.array.Size[d]
		for r := range 3 {
			g.Affine[r][column] = scale[r] * v[r]
		}
		column++
	}
	if column < 3 {
		return frames("space directions: %d axes have one, a mask has three", column)
	}
	for r := range 3 {
		g.Affine[r][3] = scale[r] * origin[r]
		for c := range g.Affine[r] {
			g.Affine[r][c] += 0 // turns −0 into 0
		}
	}
	if !samples.SpansSpace(g.Affine) {
		return samples.Mark(
			samples.FaultAffine,
			fmt.Errorf(
				"space directions, space origin: the affine %v is not finite, or its axes lie in one plane", g.Affine,
			),
		)
	}
	return nil
}

func frames(format string, a ...any) error {
	return samples.Mark(samples.FaultFrames, fmt.Errorf(format, a...))
}

// vector matches the first (x,y,z) or none of a list of vectors.
var vector = regexp.MustCompile(`^\s*(?:\(([^()]*)\)|(none|NONE|None))\s*`)

// vectors parses a list of vectors of three numbers. The vector "none", or one of three NaN, is
// nil.
func vectors(text string) ([]*[3]float64, error) {
	var out []*[3]float64
	for strings.TrimSpace(text) != "" {
		m := vector.FindStringSubmatch(text)
		if m == nil {
			return nil, errors.New("not a list of vectors")
		}
		text = text[len(m[0]):]
		if m[2] != "" {
			out = append(out, nil)
			continue
		}
		words := strings.Split(m[1], ",")
		if len(words) != 3 {
			return nil, errors.New("not a vector of three numbers")
		}
		v, empty := new([3]float64), 0
		for d, word := range words {
			var err error
			if v[d], err = strconv.ParseFloat(strings.TrimSpace(word), 64); err != nil {
				return nil, err
			}
			if math.IsNaN(v[d]) {
				empty++
			}
		}
		if empty == 3 {
			v = nil
		}
		out = append(out, v)
	}
	return out, nil
}

// quotedWord matches a unit in quotes.
var quotedWord = regexp.MustCompile(`"([^"]*)"`)

// spaceUnits returns the length in mm of the unit along each axis of the space. Without space units
// the unit is mm, as other readers assume.
func spaceUnits(text string) ([3]float64, error) {
	scale := [3]float64{1, 1, 1}
	if text == "" {
		return scale, nil
	}
	matches := quotedWord.FindAllStringSubmatch(text, -1)
	if len(matches) != 3 {
		return scale, fmt.Errorf("space units: %.60q, want three in quotes", text)
	}
	for r, m := range matches {
		mm, ok := units[strings.ToLower(strings.TrimSpace(m[1]))]
		if !ok {
			return scale, fmt.Errorf("space units: %.20q is not a unit of length", m[1])
		}
		scale[r] = mm
	}
	return scale, nil
}

// setLayers checks the axis without a direction against the segments.
func (f *file) setLayers(*header) error {
	layers := f.layers()
	if len(f.segments) == 0 && layers > 1 {
		return frames("sizes: %d frames or channels, a label map has one", layers)
	}
	if layers > max(1, len(f.segments)) { // a layer exists only for a segment
		return samples.Mark(
			samples.FaultSegments, fmt.Errorf("sizes: %d layers for %d segments", layers, len(f.segments)),
		)
	}
	if len(f.segments) > 0 && int64(f.geometry.Voxels()) > math.MaxUint32 {
		return errors.New("sizes: more voxels than a segmentation has")
	}
	return nil
}

// layers returns the number of values of each voxel.
func (f *file) layers() int {
	if f.layerAxis < 0 {
		return 1
	}
	return f.array.Size[f.layerAxis]
}

// sizes prints sizes as 4×3×2.
func sizes(n []int) string {
	parts := make([]string, len(n))
	for d, s := range n {
		parts[d] = strconv.Itoa(s)
	}
	return strings.Join(parts, "×")
}
