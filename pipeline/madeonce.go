package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// madeOnce is the mask that a program makes of a study's series. The jobs to which it is carried share it, so that
// the program runs once and all of them have the same mask, even if the program is not deterministic.
type madeOnce struct {
	turn chan struct{} // holds a token while no job reads or makes the mask
	done bool
	mask madeMask
	hash [sha256.Size]byte // of the file
	err  error             // of the program
}

func newMadeOnce() *madeOnce {
	o := &madeOnce{turn: make(chan struct{}, 1)}
	o.turn <- struct{}{}
	return o
}

// segmentOnce returns the mask that the protocol's program makes for the job. The first job runs the program; the
// others wait for it and get the same bytes. They also get an error of the program, but no other error of the first
// job, such as a series that cannot be read.
func (j Job) segmentOnce(ctx context.Context, p protocol.Protocol) (maskRead, error) {
	if j.Input.made == nil {
		return j.segment(ctx, p)
	}
	select {
	case <-j.Input.made.turn:
	case <-ctx.Done():
		return maskRead{kind: KindProgram}, ctx.Err()
	}
	defer func() { j.Input.made.turn <- struct{}{} }()
	switch {
	case j.Input.made.err != nil:
		return maskRead{kind: KindProgram}, j.Input.made.err
	case j.Input.made.done:
		return j.readAgain()
	}
	m, err := j.segment(ctx, p)
	switch {
	case err == nil:
		j.Input.made.done, j.Input.made.mask, j.Input.made.hash = true, *m.made, sha256.Sum256(m.made.file)
		j.Input.made.mask.warnings = nil // they belong to the study for which the program ran
	case ctx.Err() == nil && errors.As(err, new(*protocol.ProgramError)):
		j.Input.made.err = err
	}
	return m, err
}

// readAgain reads the label map that the program made for another job.
func (j Job) readAgain() (maskRead, error) {
	made := j.Input.made.mask
	m := maskRead{kind: KindProgram, file: report.File{Path: report.SegmentationFile}, made: &made}
	if sha256.Sum256(made.file) != j.Input.made.hash {
		return m, errors.New("the label map of the program has changed in memory")
	}
	var err error
	if m.labels, err = nifti.ReadCheckedLabels(bytes.NewReader(made.file), j.checkMaskGrid); err != nil {
		return m, fmt.Errorf("%s: %w", m.file.Path, err)
	}
	return m, nil
}
