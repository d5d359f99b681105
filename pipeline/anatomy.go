package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/volume"
)

// Anatomy is the series that a study's maps are shown over, if settings or the protocol name one. Otherwise they are
// shown over the first echo of the mapped series.
type Anatomy struct {
	// Named says that settings or the protocol name a series.
	Named bool
	// Train is the first echo of the named series.
	Train dicomio.Train
	// Problem is the reason why the series cannot be used, or nil. It does not prevent the mapping of the study.
	Problem error
}

// warning says why the maps are shown without anatomy.
func (a Anatomy) warning() string {
	return fmt.Sprintf("anatomy: %v; maps are shown without anatomy", a.Problem)
}

// memory is the number of bytes that its voxels take.
func (a Anatomy) memory() int64 {
	if !a.Named || a.Problem != nil {
		return 0
	}
	return 4 * int64(a.Train.Geometry.Voxels())
}

// addAnatomy reads the named series. It is called when the echoes are no longer needed, to save memory. A fault of
// the images is a warning of the study; the only error is that of ctx.
func (j Job) addAnatomy(ctx context.Context, s *report.Study, workers int) error {
	a := j.Anatomy
	if !a.Named || !s.WriteMaps {
		return nil
	}
	var read volume.MultiEcho
	var images []dicomio.File
	if a.Problem == nil {
		read, images, a.Problem = dicomio.Read(ctx, a.Train, workers)
	}
	switch {
	case ctx.Err() != nil && errors.Is(a.Problem, ctx.Err()):
		return a.Problem
	case a.Problem != nil:
		s.Result.Warnings = append(s.Result.Warnings, a.warning())
		return nil
	}
	lossy := a.Train.Lossy
	for _, f := range images {
		lossy = lossy || f.Lossy
		// One object may hold frames of both series.
		if file := (report.File{Path: f.Path, SHA256: f.SHA256}); !slices.Contains(s.Result.Inputs, file) {
			s.Result.Inputs = append(s.Result.Inputs, file)
		}
	}
	s.Anatomy = volume.Map{Geometry: read.Geometry, Data: read.Echo[0]}
	s.Result.Anatomy = describeAnatomy(a.Train, lossy)
	return nil
}

func describeAnatomy(t dicomio.Train, lossy bool) *report.Anatomy {
	return &report.Anatomy{Series: t.Hash, TE: readable(t.TE[0]), Size: t.Geometry.Size, Spacing: t.Geometry.Spacing(),
		LossyImages: lossy}
}
