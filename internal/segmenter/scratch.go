package segmenter

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/printable"
)

// Names in a scratch folder. nnU-Net reads the files of the input folder whose names end with the number of the
// channel, _0000, and writes label maps of the same name without this number.
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

// NewScratch makes a scratch folder, which only this user can read, below the system's folder for temporary files
// (TMPDIR). The caller must call Remove.
func NewScratch() (*Scratch, error) {
	// The name is short, because the path of a Unix socket in the folder is limited to about 100 bytes.
	dir, err := os.MkdirTemp("", "t2map-*")
	if err != nil {
		return nil, err
	}
	s := &Scratch{Dir: dir}
	if dir, err = filepath.EvalSymlinks(dir); err == nil { // as programs print it
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

// output is the value of {output}. A program may write its label map under another name in the same folder.
func (s *Scratch) output() string { return filepath.Join(s.Dir, outputFolder, outputName) }

// Values are the values of the placeholders {input}, {output} and {dir}.
func (s *Scratch) Values() map[string]string {
	return map[string]string{"{input}": s.Input(), "{output}": s.output(), "{dir}": s.Dir}
}

// environment adds variables so that the program's temporary files are in the scratch folder and are removed with it.
func (s *Scratch) environment(variables []string) []string {
	tmp := filepath.Join(s.Dir, tmpFolder)
	return append(variables, "TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp)
}

// Result returns the path of the only label map in the output folder or below it: a regular file .nii or .nii.gz of
// at most the given number of bytes. Other files are ignored.
//
// Errors are *NoOutputError, *ManyOutputsError, *OutputKindError, *OutputSizeError, or the system's.
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
	case errors.Is(err, fs.ErrNotExist) && many.Count == 0: // the program has removed the folder
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

// isLabelMap reports whether the name of a file is that of a label map.
func isLabelMap(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".nii") || strings.HasSuffix(name, ".nii.gz")
}

// outputName returns a path relative to the output folder, safe to print.
func (s *Scratch) outputName(path string) string {
	rel, err := filepath.Rel(filepath.Join(s.Dir, outputFolder), path)
	if err != nil {
		rel = filepath.Base(path)
	}
	return printable.Line(filepath.ToSlash(rel))
}

// size returns the number of bytes in the files below the scratch folder. Links are not followed. A file that cannot
// be read, for example because it was removed meanwhile, counts as empty.
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

// Remove removes the folder and its content, including folders that the program has write-protected.
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
