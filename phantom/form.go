package phantom

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/parallel"
)

// Mask is the form in which the label map is written.
type Mask string

// The kinds of mask.
const (
	// MaskNIfTI is the default: labels.nii.gz in the scheme `compartments`.
	MaskNIfTI Mask = "nifti"
	// MaskTissues is labels.nii.gz on the grid of the DESS series, in the scheme
	// `skm-tea`, as a segmenter might have drawn it; see DESS.
	MaskTissues Mask = "tissues"
	// MaskTissuesAlone is the same mask without the DESS series, which takes most of the files and time.
	MaskTissuesAlone Mask = "tissues alone"
)

var masks = []Mask{MaskNIfTI, MaskTissues, MaskTissuesAlone}

// Form describes how a study is written. The zero value is the T2 series with MaskNIfTI.
type Form struct {
	Mask Mask
	// DESS reports that the DESS series is written in addition to the T2 series, which MaskTissues
	// implies.
	DESS bool
}

func (f *Form) fill() error {
	setDefault(&f.Mask, MaskNIfTI)
	if !slices.Contains(masks, f.Mask) {
		return fmt.Errorf("mask: got %q, want one of %q", f.Mask, masks)
	}
	f.DESS = f.DESS || f.Mask == MaskTissues
	return nil
}

// object is one DICOM file of a study, not yet encoded.
type object struct {
	name  string
	image func() dicomwrite.Image
}

// Write writes the study into dir, which is created if necessary: one DICOM file per slice and echo
// (IM_0001.dcm and so on; the echo varies fastest), and the mask labels.nii.gz in the scheme
// `compartments`. The same study gives the same bytes. Errors are those of the file system, with
// the path, and of ctx.
func (s *Study) Write(ctx context.Context, dir string) error { return s.WriteAs(ctx, dir, Form{}) }

// WriteAs writes the study into dir as Write does, in the given form. The files of its DESS series
// are DESS_0001.dcm and so on. The same study in the same form gives the same bytes. Errors are an
// unknown mask, those of the file system, with the path, and that of ctx.
func (s *Study) WriteAs(ctx context.Context, dir string, form Form) error {
	if err := form.fill(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	objects := s.objects()
	mask, scheme := s.Labels, "compartments"
	if form.DESS {
		d, err := s.DESS(ctx)
		if err != nil {
			return err
		}
		objects = append(objects, s.dessObjects(&d)...)
		if form.Mask == MaskTissues {
			mask, scheme = d.Tissues, "skm-tea"
		}
	}
	if form.Mask == MaskTissuesAlone {
		var err error
		if mask, err = s.tissues(ctx); err != nil {
			return err
		}
		scheme = "skm-tea"
	}
	if err := parallel.Each(ctx, len(objects), 0, func(n int) error { return objects[n].write(dir) }); err != nil {
		return err
	}
	return writeLabels(filepath.Join(dir, labelsName), mask, scheme)
}

func (o *object) write(dir string) error {
	var file bytes.Buffer
	path := filepath.Join(dir, o.name)
	if err := dicomwrite.WriteImage(&file, o.image()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file.Bytes(), 0o666)
}

// objects are the files of the T2 series.
func (s *Study) objects() []object {
	objects := make([]object, s.Options.Slices*s.Options.Echoes)
	for n := range objects {
		objects[n] = object{
			name:  fmt.Sprintf("IM_%04d.dcm", n+1),
			image: func() dicomwrite.Image { return s.Image(n) },
		}
	}
	return objects
}
