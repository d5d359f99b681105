package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/gzip"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/segmenter"
	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// KindProgram is the kind of a mask that a program made.
const KindProgram = "program"

// Input is the series from which a program makes the mask of a study.
type Input struct {
	// Named says that a program makes the mask.
	Named bool
	// Train is the first echo of the series.
	Train dicomio.Train
	// made is the mask, which the program makes once for all jobs that use it.
	made *madeOnce
}

// NewInput returns the series as an input of the program.
func NewInput(t dicomio.Train) Input { return Input{Named: true, Train: t, made: newMadeOnce()} }

// memory is the number of bytes that the series and its labels take. The memory of the program is not known.
func (in Input) memory(workers int) int64 {
	if !in.Named {
		return 0
	}
	const image, labels = 4, 2 * 2
	return (image+labels)*int64(in.Train.Geometry.Voxels()) + in.Train.ReadMemory(workers)
}

// madeMask is a mask that a program made, with its origin.
type madeMask struct {
	facts    report.ProgramMask
	file     []byte        // the label map, in gzip
	images   []report.File // the files of the input series
	warnings []string
}

// EmptyMaskError says that a program marked no voxel.
type EmptyMaskError struct{}

// Error says so.
func (e *EmptyMaskError) Error() string { return "its label map marks no voxel" }

// segment runs the protocol's program on the job's input and reads its label map. The machine may cause an error of
// the program, so that the error is a *SettingError, which keeps an earlier result of the study.
func (j Job) segment(ctx context.Context, p protocol.Protocol) (m maskRead, err error) {
	m = maskRead{kind: KindProgram, file: report.File{Path: report.SegmentationFile}, made: new(madeMask)}
	m.made.facts.Series = j.Input.Train.Hash
	scratch, err := segmenter.NewScratch()
	if err != nil {
		return m, Because(report.ReasonDisk, hint.Errorf("TMPDIR names the folder for temporary files; it needs room for "+
			"the images", "scratch folder: %w", err))
	}
	defer func() {
		if failed := scratch.Remove(); failed != nil {
			m.made.warnings = append(m.made.warnings, fmt.Sprintf("images of the study remain in the scratch folder "+
				"%s, which cannot be removed: %v", filepath.Base(scratch.Dir), failed))
		}
	}()
	image, err := j.writeInput(ctx, scratch.Input(), m.made)
	if err != nil {
		return m, err
	}
	err = segmenter.Run(ctx, p.Segment.Arguments(scratch.Values()), scratch, p.Segment.Limits())
	if err == nil {
		err = j.readMade(scratch, image, &m)
	}
	if err != nil && ctx.Err() == nil && !outfile.Full(err) {
		err = Explained(Because(report.ReasonProgram, hint.Errorf(hintProgram(err), "%w",
			&protocol.ProgramError{Program: protocol.ProgramName(p.Segment.Command), Err: j.hidden(err)})))
	}
	return m, err
}

// hidden removes names of people and places from the output of a program in an error. The program may have found them
// in other files.
func (j Job) hidden(err error) error {
	var timeout *segmenter.TimeoutError
	var exit *segmenter.ExitError
	var signal *segmenter.SignalError
	switch {
	case errors.As(err, &timeout):
		timeout.Output = j.Study.Hide(timeout.Output)
	case errors.As(err, &exit):
		exit.Output = j.Study.Hide(exit.Output)
	case errors.As(err, &signal):
		signal.Output = j.Study.Hide(signal.Output)
	}
	return err
}

// writeInput writes the first echo of the input as NIfTI and returns its grid.
func (j Job) writeInput(ctx context.Context, path string, made *madeMask) (volume.Geometry, error) {
	read, files, err := dicomio.Read(ctx, j.Input.Train, 1) // one worker: the mapped series is read at the same time
	if err != nil {
		return volume.Geometry{}, err
	}
	for _, f := range files {
		made.images = append(made.images, report.File{Path: f.Path, SHA256: f.SHA256})
	}
	f, err := os.Create(path)
	if err != nil {
		return volume.Geometry{}, err
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	// The same bytes as anatomy.nii.gz.
	err = nifti.WriteImage(out, volume.Map{Geometry: read.Geometry, Data: read.Echo[0]},
		"magnitude, see result.json, t2map "+Version)
	if err = errors.Join(err, out.Flush(), f.Close()); err != nil {
		return volume.Geometry{}, fmt.Errorf("image for the program: %w", err)
	}
	made.facts.InputSHA256 = fmt.Sprintf("%x", sum.Sum(nil))
	return read.Geometry, nil
}

// readMade reads the label map that a program wrote for an image on that grid.
func (j Job) readMade(scratch *segmenter.Scratch, image volume.Geometry, m *maskRead) error {
	const headers = 1 << 20 // header and extensions
	path, err := scratch.Result(8*int64(image.Voxels()) + headers)
	if err != nil {
		return err
	}
	if err := checkMadeGrid(path, image); err != nil {
		return fmt.Errorf("its label map: %w", err)
	}
	made := j
	made.Mask, made.Tree = Mask{Path: path}, nil
	made.Study.Root, made.Study.RootName = scratch.Dir, "" // errors name the file below the scratch folder
	read, err := made.readLabelMap()
	if err != nil {
		return fmt.Errorf("its label map: %w", err)
	}
	m.labels, m.made.facts.OutputSHA256 = read.labels, read.file.SHA256
	if !slices.ContainsFunc(m.labels.Data, func(l uint16) bool { return l != 0 }) {
		return &EmptyMaskError{}
	}
	m.made.file, err = compressed(path)
	return err
}

// errSeen ends the reading of a label map after its header.
var errSeen = errors.New("the grid has been seen")

// checkMadeGrid returns an error unless the label map lies on the voxels of the image, in any order of axes.
func checkMadeGrid(path string, image volume.Geometry) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = nifti.ReadCheckedLabels(f, func(g volume.Geometry) error {
		if err := segment.CheckGrid(g, image); err != nil {
			return err
		}
		return errSeen
	})
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}

// compressed returns a file in gzip. A file in gzip is returned as it is.
func compressed(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var b bytes.Buffer
	if id, _ := in.Peek(2); bytes.Equal(id, []byte{0x1f, 0x8b}) { // RFC 1952, 2.3.1
		_, err = b.ReadFrom(in)
		return b.Bytes(), err
	}
	z := gzip.NewWriter(&b)
	_, err = io.Copy(z, in)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// hintProgram is the hint for an error of a program or of its label map.
func hintProgram(err error) string {
	var grid *segment.GridError
	switch {
	case errors.As(err, new(*segmenter.StartError)):
		return "check that the program was built for this machine and is executable"
	case errors.As(err, new(*segmenter.TimeoutError)):
		return "allow more time with `timeout` of the protocol's `segment`, or run the program by hand on an " +
			"anatomy.nii.gz of t2map to see what it waits for"
	case errors.As(err, new(*segmenter.SignalError)):
		return "the system may have ended it for lack of memory; t2map does not count the memory of programs. With " +
			"--workers 1, studies are processed one at a time"
	case errors.As(err, new(*segmenter.ExitError)):
		return "run the command by hand on an anatomy.nii.gz of t2map, and read everything that it prints"
	case errors.As(err, new(*segmenter.ScratchSizeError)):
		return "configure the program so that it writes no probability maps or intermediate images"
	case errors.As(err, new(*segmenter.NoOutputError)):
		return "the program must write one label map in NIfTI to {output}, or under another name into {dir}/output"
	case errors.As(err, new(*segmenter.ManyOutputsError)):
		return "let the program write all labels into one label map (TotalSegmentator: --ml), and nothing else in " +
			"NIfTI into {dir}/output"
	case errors.As(err, &grid):
		return "the label map must lie on the voxels of {input}: let the program resample it back to that image"
	case errors.As(err, new(*EmptyMaskError)):
		return "the series may not be of the kind that the program needs; name another as `input` of the protocol's " +
			"`segment`"
	}
	return "the program must write a label map in NIfTI-1: whole numbers, one for each voxel of {input}, with its " +
		"sform or qform"
}

// sources lists the files of the mask, or the images from which a program made it, without the known files.
func (m maskRead) sources(known []report.File) []report.File {
	if m.made == nil {
		return append([]report.File{m.file}, m.data...)
	}
	return slices.DeleteFunc(slices.Clone(m.made.images), func(f report.File) bool { return slices.Contains(known, f) })
}
