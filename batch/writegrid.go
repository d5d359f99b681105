package batch

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/volume"
)

// GridFile is the name of the image that Inspect writes for each study.
const GridFile = "grid.nii.gz"

// writeGrids writes the first echo of each study that has a series, so that a mask can be drawn on the voxels that
// Run maps. The file is <subject>/<visit>/grid.nii.gz in the folder s.Grids, with the suffixes of results. The jobs
// are those of the studies. An image that cannot be read is a problem of its study.
func (s Settings) writeGrids(ctx context.Context, jobs []pipeline.Job, in *Inspection) error {
	var written []*study
	var index []int // of the study of each job in written
	for n, j := range jobs {
		sound := j.Train.Hash != "" && j.Train.Problem == nil && j.Train.CheckWritten() == nil
		if sound && in.Studies[n].Subject != "" && in.Studies[n].Verdict != Ignores {
			line := intake.LineOf(j, s.Workers)
			written, index = append(written, &study{Line: &line}), append(index, n)
		}
	}
	place(written, newLedger(s.Grids))
	for n, one := range written {
		path := filepath.Join(one.dir, GridFile)
		st := &in.Studies[index[n]]
		if err := writeGrid(ctx, jobs[index[n]], path, s.Workers); err != nil {
			if ctx.Err() != nil || outfile.Full(err) {
				return err
			}
			st.Problems = append(st.Problems, problem(fmt.Errorf("grid: %w", err)))
			continue
		}
		st.Grid = files.Below(s.Grids, path)
	}
	return nil
}

// writeGrid writes the first echo of the job's series as NIfTI. It replaces a file of that name.
func writeGrid(ctx context.Context, j pipeline.Job, path string, workers int) error {
	read, _, err := dicomio.Read(ctx, j.Train.FirstEcho(), workers)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	// The bytes are those of anatomy.nii.gz in results.
	if err := nifti.WriteImage(&b, volume.Map{Geometry: read.Geometry, Data: read.Echo[0]},
		"magnitude, see result.json, t2map "+pipeline.Version); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return outfile.Replace(path, b.Bytes())
}
