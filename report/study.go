package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// Study is one finished study, to be written.
type Study struct {
	// Result holds the figures. Outputs and Dir are filled by WriteStudy.
	Result Result
	// Echo is the first fitted echo, shown in grey behind T2.
	Echo volume.Map
	// Maps are shown in the pictures, and written if WriteMaps is set.
	Maps      volume.Maps
	WriteMaps bool
	// Regions is the mask by compartment.
	Regions segment.Regions
}

// output is a file of a study's folder.
type output struct {
	name  string
	write func(io.Writer) error
}

// WriteStudy writes the folder dir of one study and returns the result as it
// stands there, with Outputs and Dir filled.
//
// The folder holds overlay.png, decay.png, preview.jpg and result.json, and if
// asked for the maps t2.nii.gz, s0.nii.gz, r2.nii.gz, t2_se.nii.gz and
// status.nii.gz. It is written under a hidden temporary name beside dir, each
// file synced, and renamed: dir is complete or absent. The folder of an earlier
// run, known by its result.json, is replaced with all that is in it; a folder
// that holds anything else is refused. On error nothing is left behind, and an
// earlier folder stays as it was.
//
// It returns an error where the arrays do not fit the grid, or a file or folder
// cannot be written.
func WriteStudy(dir string, s Study) (Result, error) {
	if err := s.check(); err != nil {
		return Result{}, fmt.Errorf("report: %w", err)
	}
	r := s.Result
	err := replaceFolder(dir, func(tmp string) error {
		files, err := writeFiles(tmp, s.outputs())
		if err != nil {
			return err
		}
		r.Outputs = files
		_, err = writeFile(tmp, output{ResultFile, func(w io.Writer) error {
			text, err := r.encode()
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		}})
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("report: %w", err)
	}
	r.Dir = dir
	return r, nil
}

func (s Study) check() error {
	if err := s.Result.check(); err != nil {
		return err
	}
	n := s.Echo.Voxels()
	for _, a := range []struct {
		name string
		got  int
	}{
		{"echo image", len(s.Echo.Data)}, {"T2", len(s.Maps.T2)}, {"S0", len(s.Maps.S0)}, {"R2", len(s.Maps.R2)},
		{"SE", len(s.Maps.SE)}, {"status", len(s.Maps.Status)}, {"mask", len(s.Regions.Data)},
	} {
		if a.got != n {
			return fmt.Errorf("%s: got %d voxels, want %d as the grid %v", a.name, a.got, n, s.Echo.Size)
		}
	}
	if n == 0 {
		return fmt.Errorf("grid %v has no voxels", s.Echo.Size)
	}
	if s.Maps.Size != s.Echo.Size || s.Regions.Size != s.Echo.Size {
		return fmt.Errorf("grids differ: echo image %v, maps %v, mask %v", s.Echo.Size, s.Maps.Size, s.Regions.Size)
	}
	for _, d := range s.Echo.Spacing() {
		if !(d > 0) {
			return fmt.Errorf("spacing: got %v mm, want positive", s.Echo.Spacing())
		}
	}
	return nil
}

// outputs returns the files beside result.json, the slowest first.
func (s Study) outputs() []output {
	sc := newScene(s)
	out := []output{
		{overlayFile, func(w io.Writer) error { return writeOverlay(w, sc, s.Result) }},
		{decayFile, func(w io.Writer) error { return writeDecay(w, s.Result) }},
		{previewFile, func(w io.Writer) error { return writePreview(w, sc, s.Result) }},
	}
	if !s.WriteMaps {
		return out
	}
	g := s.Maps.Geometry
	for _, m := range []struct {
		name, description string
		data              []float32
	}{
		{"t2.nii.gz", "T2 in ms", s.Maps.T2},
		{"s0.nii.gz", "S0, signal at TE 0", s.Maps.S0},
		{"r2.nii.gz", "coefficient of determination R2", s.Maps.R2},
		{"t2_se.nii.gz", "standard error of T2 in ms", s.Maps.SE},
	} {
		out = append(out, output{m.name, func(w io.Writer) error {
			return nifti.WriteMap(w, volume.Map{Geometry: g, Data: m.data}, m.description)
		}})
	}
	return append(out, output{"status.nii.gz", func(w io.Writer) error {
		status := make([]uint8, len(s.Maps.Status))
		for v, st := range s.Maps.Status {
			status[v] = uint8(st)
		}
		return nifti.WriteLabels(w, g, status, "fit status, see result.json")
	}})
}

// writeFiles writes the files into dir, side by side, and returns their names
// and hashes in the order given.
func writeFiles(dir string, outputs []output) ([]File, error) {
	files := make([]File, len(outputs))
	var g errgroup.Group
	for n, o := range outputs {
		g.Go(func() error {
			f, err := writeFile(dir, o)
			files[n] = f
			return err
		})
	}
	return files, g.Wait()
}

// writeFile writes a new file of dir, syncs it and returns its name and hash.
func writeFile(dir string, o output) (File, error) {
	f, err := os.OpenFile(filepath.Join(dir, o.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	buffered := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	err = o.write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return File{}, fmt.Errorf("%s: %w", o.name, err)
	}
	return File{Path: o.name, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// isResultFolder reports whether dir may be replaced: it is empty or holds a
// result.json. Anything else is not ours to remove.
func isResultFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, ResultFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: exists and holds no %s: not replaced", dir, ResultFile)
	} else if err != nil {
		return err
	}
	return nil
}

const (
	overlayFile = "overlay.png"
	decayFile   = "decay.png"
	previewFile = "preview.jpg"
	pageFile    = "index.html"
)
