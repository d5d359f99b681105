package segmenter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/printable"
)

// Names in a scratch folder. nnU-Net takes the input folder's files whose names end with the
// number of the channel, _0000, and names its label maps without it.
const (
	inputFolder  = "input"
	outputFolder = "output"
	tmpFolder    = "tmp"
	inputName    = "knee_0000.nii.gz"
	outputName   = "knee.nii.gz"
)

// Scratch is the folder of one run of a program.
type Scratch struct {
	// Dir is its path, absolute and without links.
	Dir string
}

// NewScratch makes a scratch folder below the system's folder for temporary files (TMPDIR),
// which only this user can read. Remove has to be called at the end.
func NewScratch() (*Scratch, error) {
	// The name is short: Unix sockets in it may have paths of some 100 bytes.
	dir, err := os.MkdirTemp("", "t2map-*")
	if err != nil {
		return nil, err
	}
	s := &Scratch{Dir: dir}
	if dir, err = filepath.EvalSymlinks(dir); err == nil { // as programs will print it
		dir, err = filepath.Abs(dir)
	}
	if err == nil {
		s.Dir = dir
	}
	for _, name := range []string{inputFolder, outputFolder, tmpFolder} {
		if err == nil {
			err = os.Mkdir(filepath.Join(s.Dir, name), 0o700)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Remove())
	}
	return s, nil
}

// Input is the path of the image.
func (s *Scratch) Input() string { return filepath.Join(s.Dir, inputFolder, inputName) }

// Output is the path that {output} stands for. A program may use another name beside it.
func (s *Scratch) Output() string { return filepath.Join(s.Dir, outputFolder, outputName) }

// Values are what the placeholders {input}, {output} and {dir} stand for.
func (s *Scratch) Values() map[string]string {
	return map[string]string{"{input}": s.Input(), "{output}": s.Output(), "{dir}": s.Dir}
}

// environment returns the variables with those of temporary files pointing into the scratch
// folder, so that what a program leaves there goes with it.
func (s *Scratch) environment(variables []string) []string {
	tmp := filepath.Join(s.Dir, tmpFolder)
	return append(variables, "TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp)
}

// Result returns the path of the one label map that the program wrote into the output folder
// or below: a regular file .nii or .nii.gz of at most that many bytes. Other files do not matter.
//
// Errors are *NoOutputError, *ManyOutputsError, *OutputKindError, *OutputSizeError, or the
// system's.
func (s *Scratch) Result(most int64) (string, error) {
	top := filepath.Join(s.Dir, outputFolder)
	var path string
	var kind fs.FileMode
	many := ManyOutputsError{}
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isLabelMap(d.Name()) {
			return err
		}
		path, kind = p, d.Type()
		const shown = 3
		if many.Count++; many.Count <= shown {
			many.Names = append(many.Names, s.outputName(p))
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist) && many.Count == 0: // it has removed the folder
		return "", &NoOutputError{}
	case err != nil:
		return "", bare(err)
	case many.Count == 0:
		return "", &NoOutputError{}
	case many.Count > 1:
		return "", &many
	case !kind.IsRegular():
		return "", &OutputKindError{Name: s.outputName(path), Kind: kind}
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", bare(err)
	}
	if info.Size() > most {
		return "", &OutputSizeError{Bytes: info.Size(), Limit: most}
	}
	return path, nil
}

// isLabelMap reports whether a file is one by its name.
func isLabelMap(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".nii") || strings.HasSuffix(name, ".nii.gz")
}

// outputName returns a path below the output folder as it may be shown.
func (s *Scratch) outputName(path string) string {
	rel, err := filepath.Rel(filepath.Join(s.Dir, outputFolder), path)
	if err != nil {
		rel = filepath.Base(path)
	}
	return printable.Line(filepath.ToSlash(rel))
}

// size returns how many bytes the files below the scratch folder have. Links are not followed.
// What cannot be read, such as a file that goes away meanwhile, counts as nothing.
func (s *Scratch) size() int64 {
	var n int64
	_ = filepath.WalkDir(s.Dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// Remove removes the folder with all that is in it, also what the program has protected from
// being written.
func (s *Scratch) Remove() error {
	err := os.RemoveAll(s.Dir)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(s.Dir, func(p string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	if err = os.RemoveAll(s.Dir); err != nil {
		return bare(err)
	}
	return nil
}
