package protocol

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/yamlfile"
)

// protocolFile holds the keys of a protocol in YAML.
type protocolFile struct {
	Name       string       `yaml:"name"`
	Method     string       `yaml:"method"`
	SkipEchoes *int         `yaml:"skip_echoes"`
	T2Range    []float64    `yaml:"t2_range_ms"`
	MinR2      float64      `yaml:"min_r2"`
	MinSignal  float64      `yaml:"min_signal"`
	Sigma      string       `yaml:"sigma"`
	EchoFloor  float64      `yaml:"echo_floor"`
	T1         *float64     `yaml:"t1_ms"`
	B1Range    []float64    `yaml:"b1_range"`
	Profile    []float64    `yaml:"refocusing_profile"`
	Scheme     string       `yaml:"scheme"`
	Mask       string       `yaml:"mask"`
	Threshold  *float64     `yaml:"mask_threshold"`
	Fraction   *float64     `yaml:"mask_fraction"`
	Division   string       `yaml:"division"`
	Layers     *int         `yaml:"layers"`
	Erode      float64      `yaml:"erode_mm"`
	Fluid      float64      `yaml:"fluid_ms"`
	FluidEdge  float64      `yaml:"fluid_edge_ms"`
	Foreign    bool         `yaml:"allow_foreign_mask"`
	Accept     bool         `yaml:"accept_patient_id"`
	Layout     string       `yaml:"layout"`
	Maps       string       `yaml:"maps"`
	Philips    string       `yaml:"philips_scaling"`
	Series     SeriesRule   `yaml:"series"`
	Anatomy    SeriesRule   `yaml:"anatomy"`
	Segment    *segmentFile `yaml:"segment"`
	Register   Register     `yaml:"register"`
	Masks      Masks        `yaml:"masks"`
	Reads      readsFile    `yaml:"reads"`

	Acquisition Acquisition `yaml:"acquisition"`
	Quality     Quality     `yaml:"quality"`
}

// ReadProtocol reads a protocol from a YAML file. An unknown key is an error, so that a misspelt setting is not taken
// for the default. The path of a scheme file is relative to the folder of the protocol.
func ReadProtocol(path string) (Protocol, error) {
	text, err := readText(path)
	if err != nil {
		return Protocol{}, fmt.Errorf("protocol: %w", err)
	}
	var f protocolFile
	err = yamlfile.Decode(text, &f)
	if errors.Is(err, yamlfile.ErrEmpty) || err == nil && reflect.ValueOf(f).IsZero() {
		return Protocol{}, hint.Errorf("write at least one key, such as method: nlls, or omit --protocol; "+
			"docs/protocol.md lists the keys", "protocol %s holds no settings", path)
	}
	if err != nil {
		return Protocol{}, placed(path, err)
	}
	p, err := f.settle(filepath.Dir(path))
	if err != nil {
		if key := f.culprit(filepath.Dir(path), err); key != nil {
			if line, column := yamlfile.Position(text, key...); line > 0 {
				return Protocol{}, fmt.Errorf("protocol %s, line %d, column %d: %w", path, line, column, err)
			}
		}
		return Protocol{}, fmt.Errorf("protocol %s: %w", path, err)
	}
	return p, nil
}

// settle returns the protocol of the keys. folder is that of the file.
func (f protocolFile) settle(folder string) (p Protocol, err error) {
	p = Protocol{Name: f.Name, Register: f.Register, Masks: f.Masks, Mask: f.Mask, Layout: f.Layout, Series: f.Series,
		Anatomy: f.Anatomy, Maps: Maps(f.Maps), PhilipsScaling: dicomio.PhilipsScaling(f.Philips),
		AllowForeignMask: f.Foreign, AcceptPatientID: f.Accept, Acquisition: f.Acquisition, Quality: f.Quality}
	if f.Threshold != nil {
		if p.MaskThreshold, err = MaskThreshold(*f.Threshold); err != nil {
			return p, err
		}
	}
	if p.Division, err = f.division(); err != nil {
		return p, err
	}
	if p.Fit, err = f.fit(); err != nil {
		return p, err
	}
	if f.Scheme != "" {
		if p.Scheme, err = ReadScheme(f.Scheme, folder); err != nil {
			return p, err
		}
	}
	if p.Segment, err = f.Segment.segmenter(folder); err != nil {
		return p, err
	}
	if p.Reads, err = f.Reads.reads(); err != nil {
		return p, err
	}
	return p, p.Check()
}

// culprit returns the key, with the keys around it, to which an error of settle is due: the first one without which
// settle returns no error, or else another one. It is nil if there is none.
func (f protocolFile) culprit(folder string, problem error) []string {
	var search func(v reflect.Value, around []string) (sound, other []string)
	search = func(v reflect.Value, around []string) (sound, other []string) {
		for n := range v.NumField() {
			key, field := v.Type().Field(n).Tag.Get("yaml"), v.Field(n)
			if key == "" || field.IsZero() {
				continue
			}
			written := reflect.ValueOf(field.Interface())
			field.SetZero()
			_, err := f.settle(folder)
			field.Set(written)
			if err != nil && (other != nil || err.Error() == problem.Error()) {
				continue
			}
			path := append(slices.Clone(around), key)
			inner := field
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				if a, b := search(inner, path); a != nil {
					path = a
				} else if b != nil {
					path = b
				}
			}
			if err == nil {
				return path, nil
			}
			other = path
		}
		return nil, other
	}
	sound, other := search(reflect.ValueOf(&f).Elem(), nil)
	if sound != nil {
		return sound
	}
	return other
}

// readText reads the file of a protocol or a scheme, up to the size that yamlfile accepts.
func readText(path string) ([]byte, error) {
	const advice = "name the YAML file with its folder"
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, hint.Errorf(advice, "%w", &MissingError{path})
	} else if err == nil && info.IsDir() {
		return nil, hint.Errorf(advice, "%s is a folder", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, hint.Errorf("check the permissions of the file", "%w", err)
	}
	defer f.Close()
	text, err := yamlfile.ReadAll(f)
	if errors.Is(err, yamlfile.ErrTooLarge) {
		err = hint.Errorf("check that it is the right file", "%s: %w", path, err)
	}
	return text, err
}

// placed adds the path of a protocol and the place to an error of yamlfile, and a hint about an unknown key.
func placed(path string, err error) error {
	problem := new(yamlfile.Error)
	if !errors.As(err, &problem) || problem.Line == 0 {
		return hintText(fmt.Errorf("protocol %s: %w", path, err))
	}
	err = fmt.Errorf("protocol %s, line %d, column %d: %s", path, problem.Line, problem.Column, problem.Problem)
	if len(problem.Known) > 0 {
		return hint.Errorf(hint.Nearest(problem.Key, problem.Known), "%w", err)
	}
	return hint.Errorf("'t2map protocol init' writes a protocol with all keys", "%w", err)
}

// hintText adds a hint to an error in the text of a protocol or a scheme.
func hintText(err error) error {
	if errors.Is(err, yamlfile.ErrEncoding) {
		return hint.Errorf("save the file as UTF-8; in Windows Notepad: Save as, Encoding UTF-8", "%w", err)
	}
	return err
}

// fit returns the options of the fit.
func (f protocolFile) fit() (t2fit.Options, error) {
	o := t2fit.Options{
		Method: t2fit.Method(f.Method), MinR2: f.MinR2, MinSignal: f.MinSignal,
		EchoFloor: f.EchoFloor, RefocusingProfile: f.Profile,
	}
	if f.SkipEchoes != nil {
		var err error
		if o.SkipEchoes, err = SkipOption(*f.SkipEchoes); err != nil {
			return o, err
		}
	}
	if f.T1 != nil {
		if o.T1 = *f.T1; !(o.T1 > 0) {
			return o, fmt.Errorf("t1_ms: %g is not a time above 0", o.T1)
		}
	}
	if err := SetSigma(&o, f.Sigma); err != nil {
		return o, err
	}
	for _, r := range []struct {
		name    string
		written []float64
		option  *[2]float64
	}{{"t2_range_ms", f.T2Range, &o.T2Range}, {"b1_range", f.B1Range, &o.B1Range}} {
		if r.written == nil {
			continue
		}
		if len(r.written) != 2 {
			return o, fmt.Errorf("%s: %d numbers, want [low, high]", r.name, len(r.written))
		}
		var err error
		if *r.option, err = Range(r.written[0], r.written[1]); err != nil {
			return o, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return o, nil
}
