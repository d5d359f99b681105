package report

import (
	"cmp"
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
	// Result holds the values. WriteStudy fills in Outputs and Dir.
	Result Result
	// Echo is the first fitted echo, shown in grey behind T2.
	Echo volume.Map
	// Maps are shown in the pictures, and written if WriteMaps is set.
	Maps      volume.Maps
	WriteMaps bool
	// Regions is the mask by compartment.
	Regions segment.Regions
	// Anatomy is the image over which maps are shown, on its own grid. If it has data, it is
	// written with the maps.
	Anatomy volume.Map
	// Registration is the image that Result.Registration aligned; nil if there is none.
	Registration *Aligned
	// Mask is the registered mask in the labels of its scheme, so that it can be corrected. It is
	// empty if the mask was not registered.
	Mask volume.Labels
	// Unrolled is the unrolled femoral cartilage; nil if there is none.
	Unrolled *Unrolled
	// Superseded is the path to which an earlier result with other content is moved, with a number at
	// its end if it exists; with "" the earlier result is removed.
	Superseded string
	// Commit, if not nil, is called with the SHA-256 of result.json, in hexadecimal, when the folder is complete
	// and before it gets its name. After an error the study is not written.
	Commit func(sum string) error
	// Segmentation is the mask that a program made, as it wrote it: NIfTI in gzip. It is nil if
	// the mask was a file.
	Segmentation []byte
}

// WriteStudy writes the folder dir of one study and returns the result that it has written, with
// Outputs and Dir filled in.
//
// The folder always holds overlay.png, decay.png, preview.jpg and result.json. It holds regions.png,
// checkerboard.png, unrolled.png and profile.png if s has their content, and segmentation.nii.gz if a
// program made the mask. With WriteMaps it also holds
//
//   - t2.nii.gz, s0.nii.gz, r2.nii.gz, t2_se.nii.gz and status.nii.gz,
//   - offset.nii.gz, b1.nii.gz and echoes.nii.gz, if Maps has them,
//   - compartments.nii.gz with compartments.txt,
//   - regions.nii.gz with regions.txt, mask.nii.gz with mask.txt, fraction.nii.gz, unrolled.nii.gz
//     and anatomy.nii.gz, if s has their content.
//
// The folder is written under a hidden temporary name beside dir, all files are synced, and the folder
// is renamed, so that dir is complete or absent. If dir exists and has a result.json, it is replaced
// with everything in it, see Study.Superseded. If it holds anything else, it is not replaced, which is an error. After
// an error no new file remains, and an earlier folder is unchanged.
//
// It is an error if the arrays do not match the grid, or if a file or folder cannot be written.
func WriteStudy(dir string, s Study) (Result, error) {
	if err := s.check(); err != nil {
		return Result{}, fmt.Errorf("report: %w", err)
	}
	r := s.Result
	if len(s.Regions.Part) > 0 {
		r.Parts = s.Regions.Parts
	}
	moved, err := replaceFolder(dir, s.Superseded, func(tmp string) (err error) {
		d := &draft{dir: tmp}
		defer func() { err = errors.Join(err, d.close()) }()
		if r.Outputs, err = s.writeFiles(d); err != nil {
			return err
		}
		text, err := r.encode()
		if err != nil {
			return err
		}
		result, err := d.write(output{ResultFile, func(w io.Writer) error { _, err := w.Write(text); return err }})
		if err != nil {
			return err
		}
		if err := cmp.Or(d.sync(), d.close()); err != nil || s.Commit == nil {
			return err
		}
		return s.Commit(result.SHA256)
	})
	if err != nil {
		return Result{}, fmt.Errorf("report: %w", err)
	}
	r.Dir, r.Superseded = dir, moved
	return r, nil
}

func (s Study) check() error {
	if err := s.Result.check(); err != nil {
		return err
	}
	n := s.Echo.Voxels()
	for _, a := range []struct {
		name     string
		got      int
		optional bool
	}{
		{"echo image", len(s.Echo.Data), false}, {"mask", len(s.Regions.Data), false},
		{"T2", len(s.Maps.T2), false}, {"S0", len(s.Maps.S0), false}, {"R2", len(s.Maps.R2), false},
		{"SE", len(s.Maps.SE), false}, {"status", len(s.Maps.Status), false},
		{"regions", len(s.Regions.Part), true}, {"fraction", len(s.Regions.Fraction), true},
		{"offset", len(s.Maps.Offset), true}, {"B1", len(s.Maps.B1), true}, {"echoes", len(s.Maps.Echoes), true},
	} {
		if a.got != n && !(a.optional && a.got == 0) {
			return fmt.Errorf("%s: got %d voxels, want %d as the grid %v", a.name, a.got, n, s.Echo.Size)
		}
	}
	if a := s.Anatomy; a.Data != nil && len(a.Data) != a.Voxels() {
		return fmt.Errorf("anatomy: got %d voxels, want %d as the grid %v", len(a.Data), a.Voxels(), a.Size)
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
	if s.Registration != nil {
		if err := s.Registration.check(s.Echo.Geometry); err != nil {
			return err
		}
	}
	if !s.Unrolled.empty() {
		return s.Unrolled.Check()
	}
	return nil
}

// pictures returns the pictures. Those that take longest come first.
func (s Study) pictures(sc scene) []output {
	pictures := []output{{overlayFile, func(w io.Writer) error { return writeOverlay(w, sc, s.Result) }}}
	if len(s.Regions.Part) > 0 {
		pictures = append(pictures, output{regionsPicture, func(w io.Writer) error { return writeRegions(w, sc, s.Result) }})
	}
	if s.Registration != nil {
		pictures = append(pictures, output{checkerboardFile,
			func(w io.Writer) error { return writeCheckerboard(w, sc, *s.Registration, s.Result) }})
	}
	if !s.Unrolled.empty() {
		pictures = append(pictures, output{unrolledPicture,
			func(w io.Writer) error { return writeUnrolled(w, *s.Unrolled, s.Result) }})
	}
	if len(s.Result.Profiles) > 0 {
		pictures = append(pictures, output{profileFile, func(w io.Writer) error { return writeProfiles(w, s.Result) }})
	}
	return append(pictures,
		output{decayFile, func(w io.Writer) error { return writeDecay(w, s.Result) }},
		output{previewFile, func(w io.Writer) error { return writePreview(w, sc, s.Result) }})
}

// maps returns the maps; nil if WriteMaps is not set.
func (s Study) maps() []output {
	if !s.WriteMaps {
		return nil
	}
	var maps []output
	g := s.Maps.Geometry
	for _, m := range []struct {
		name, description string
		data              []float32
	}{
		{T2File, "T2 in ms", s.Maps.T2},
		{"s0.nii.gz", "S0, signal at TE 0", s.Maps.S0},
		{"r2.nii.gz", "coefficient of determination R2", s.Maps.R2},
		{"t2_se.nii.gz", "standard error of T2 in ms", s.Maps.SE},
		{"offset.nii.gz", "constant added to the decay", s.Maps.Offset},
		{"b1.nii.gz", "refocusing angle as a fraction of 180 degrees", s.Maps.B1},
	} {
		if m.data == nil {
			continue
		}
		maps = append(maps, output{m.name, func(w io.Writer) error {
			return nifti.WriteMap(w, volume.Map{Geometry: g, Data: m.data}, m.description+s.madeBy())
		}})
	}
	if s.Maps.Echoes != nil {
		maps = append(maps, output{"echoes.nii.gz", func(w io.Writer) error {
			return nifti.WriteLabels(w, g, s.Maps.Echoes, "number of fitted echoes"+s.madeBy())
		}})
	}
	maps = append(maps, output{StatusFile, func(w io.Writer) error {
		return nifti.WriteLabels(w, g, s.Maps.Status, "fit status, see result.json"+s.madeBy())
	}})
	maps = append(maps, s.labelMaps()...)
	if !s.Unrolled.empty() {
		maps = append(maps, output{UnrolledFile, func(w io.Writer) error {
			return nifti.WriteMap(w, s.Unrolled.Volume(), "unrolled femoral T2 in ms by mm and degrees, t2map "+s.Result.Version)
		}})
	}
	if s.Anatomy.Data != nil {
		maps = append(maps, output{AnatomyFile, func(w io.Writer) error {
			return nifti.WriteImage(w, s.Anatomy, "magnitude, see result.json, t2map "+s.Result.Version)
		}})
	}
	return maps
}

// labelMaps returns the mask as it was used, and the names and colours of its numbers.
func (s Study) labelMaps() []output {
	g, version := s.Maps.Geometry, s.Result.Version
	maps := []output{
		{CompartmentsFile, func(w io.Writer) error {
			return nifti.WriteLabels(w, g, s.Regions.Data, "compartments in the order of result.json, t2map "+version)
		}},
		{compartmentsNames, func(w io.Writer) error { return writeLabelTable(w, compartmentLabels(s.Regions)) }},
	}
	if len(s.Regions.Part) > 0 {
		maps = append(maps, output{regionsFile, func(w io.Writer) error {
			return nifti.WriteLabels(w, g, s.Regions.Part, "regions, numbers in regions.txt, t2map "+version)
		}}, output{regionsNames, func(w io.Writer) error { return writeLabelTable(w, regionLabels(s.Regions)) }})
	}
	if len(s.Mask.Data) > 0 {
		maps = append(maps, output{MaskFile, func(w io.Writer) error {
			return nifti.WriteLabels(w, s.Mask.Geometry, s.Mask.Data,
				"registered mask, scheme "+s.Result.Protocol.Scheme+", t2map "+version)
		}}, output{maskNames, func(w io.Writer) error { return writeLabelTable(w, maskLabels(s.Result.Protocol.Labels)) }})
	}
	if len(s.Regions.Fraction) > 0 {
		maps = append(maps, output{fractionFile, func(w io.Writer) error {
			return nifti.WriteMap(w, volume.Map{Geometry: g, Data: s.Regions.Fraction},
				"fraction of the voxel that the mask covers, t2map "+version)
		}})
	}
	return maps
}

// segmentation returns the mask that a program made, so that it can be corrected; nil if there is none.
func (s Study) segmentation() []output {
	if s.Segmentation == nil {
		return nil
	}
	return []output{{SegmentationFile, func(w io.Writer) error { _, err := w.Write(s.Segmentation); return err }}}
}

// madeBy names method and version, for a map that is no longer in its folder.
func (s Study) madeBy() string {
	return ", " + s.Result.Protocol.Method + ", t2map " + s.Result.Version
}

// writeFiles writes all files except result.json and returns their names and hashes, pictures first.
func (s Study) writeFiles(d *draft) ([]File, error) {
	var maps, pictures []File
	var both errgroup.Group
	both.Go(func() (err error) {
		maps, err = d.writeAll(append(s.maps(), s.segmentation()...))
		return err
	})
	both.Go(func() (err error) {
		pictures, err = d.writeAll(s.pictures(newScene(s)))
		return err
	})
	err := both.Wait()
	return append(pictures, maps...), err
}

// checkReplaceable returns an error if dir must not be replaced. It may be replaced if it is empty or
// holds a result.json: other folders were not written by t2map.
func checkReplaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, ResultFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: exists without a %s: not replaced", dir, ResultFile)
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

	T2File           = "t2.nii.gz"
	StatusFile       = "status.nii.gz"
	AnatomyFile      = "anatomy.nii.gz"
	CompartmentsFile = "compartments.nii.gz"
	MaskFile         = "mask.nii.gz"

	// Names and colours of the numbers in a label map.
	compartmentsNames = "compartments.txt"
	regionsNames      = "regions.txt"
	maskNames         = "mask.txt"

	// Files that only some studies have.
	regionsFile      = "regions.nii.gz"
	fractionFile     = "fraction.nii.gz"
	UnrolledFile     = "unrolled.nii.gz"
	regionsPicture   = "regions.png"
	checkerboardFile = "checkerboard.png"
	unrolledPicture  = "unrolled.png"
	profileFile      = "profile.png"
)
