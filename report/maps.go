package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/volume"
)

// ErrNoMaps reports that a study was mapped without writing its maps.
var ErrNoMaps = errors.New("no maps: mapped with --maps none")

// ReadT2 returns the T2 of each voxel and its status from a study's folder, given the folder's result. R² and SE are NaN,
// and S0 is nil. The error is ErrNoMaps if the study was mapped without maps. Otherwise it names a file that cannot be
// read, or lies on another grid.
func ReadT2(dir string, r Result) (volume.Maps, error) {
	var m volume.Maps
	f, err := os.Open(filepath.Join(dir, T2File))
	if errors.Is(err, fs.ErrNotExist) && r.Protocol.Maps == "none" {
		return m, ErrNoMaps
	} else if err != nil {
		return m, fmt.Errorf("%s: %w", T2File, outfile.Bare(err))
	}
	defer f.Close()
	g, frames, err := nifti.ReadFrames(f)
	if err == nil && len(frames) != 1 {
		err = fmt.Errorf("%d frames, want one", len(frames))
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", T2File, err)
	}
	m.Geometry, m.T2 = g, frames[0]
	if m.Status, err = readStatus(dir, g); err != nil {
		return m, fmt.Errorf("%s: %w", StatusFile, err)
	}
	absent := make([]float32, len(m.T2))
	for v := range absent {
		absent[v] = float32(math.NaN())
	}
	m.R2, m.SE = absent, absent
	return m, nil
}

// readStatus reads the status of each voxel of the grid g.
func readStatus(dir string, g volume.Geometry) ([]volume.Status, error) {
	f, err := os.Open(filepath.Join(dir, StatusFile))
	if err != nil {
		return nil, outfile.Bare(err)
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return nil, err
	}
	if l.Geometry != g {
		return nil, errors.New("it lies on another grid than " + T2File)
	}
	status := make([]volume.Status, len(l.Data))
	for v, n := range l.Data {
		status[v] = volume.Status(min(n, math.MaxUint8))
	}
	return status, nil
}
