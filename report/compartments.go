package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/nifti"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// ErrNoMask says that a study was mapped without writing its mask.
var ErrNoMask = errors.New("no mask: mapped with --maps none")

// ReadMask returns the result of a study's folder and its mask by compartment: a voxel with
// the value n > 0 belongs to Compartments[n−1] of the result. It is ErrNoMask if the study was mapped
// without maps, and an error that names the file if one cannot be read or they do not fit.
func ReadMask(dir string) (Result, volume.Labels, error) {
	r, err := ReadResult(filepath.Join(dir, ResultFile))
	if err != nil {
		return r, volume.Labels{}, err
	}
	f, err := os.Open(filepath.Join(dir, CompartmentsFile))
	if errors.Is(err, fs.ErrNotExist) && r.Protocol.Maps == "none" {
		return r, volume.Labels{}, ErrNoMask
	} else if err != nil {
		return r, volume.Labels{}, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return r, l, fmt.Errorf("%s: %w", CompartmentsFile, err)
	}
	for _, n := range l.Data {
		if int(n) > len(r.Compartments) {
			return r, l, fmt.Errorf("%s: voxel of compartment %d; %s has %d", CompartmentsFile, n, ResultFile, len(r.Compartments))
		}
	}
	return r, l, nil
}

// ReadRegions returns the mask of a study's folder by part, given the folder's result; ok is false where the
// mask was not divided, or the result does not say what the numbers of its parts stand for.
func ReadRegions(dir string, r Result) (regions segment.Regions, ok bool, err error) {
	if len(r.Parts) == 0 || r.Division == nil {
		return regions, false, nil
	}
	f, err := os.Open(filepath.Join(dir, regionsFile))
	if err != nil {
		return regions, false, err
	}
	defer f.Close()
	l, err := nifti.ReadLabels(f)
	if err != nil {
		return regions, false, fmt.Errorf("%s: %w", regionsFile, err)
	}
	for _, n := range l.Data {
		if int(n) > len(r.Parts) {
			return regions, false, fmt.Errorf("%s: voxel of part %d; %s has %d", regionsFile, n, ResultFile, len(r.Parts))
		}
	}
	regions.Geometry, regions.Part, regions.Parts, regions.Layers = l.Geometry, l.Data, r.Parts, r.Division.Layers
	return regions, true, nil
}
