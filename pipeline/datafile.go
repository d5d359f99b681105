package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/report"
)

// dataFiles opens the files that the header of a mask names as holding its voxels.
type dataFiles struct {
	job  Job
	read []report.File // those that were read to their end, each once
}

// open opens a file by the name in the header. The file has to lie in the header's folder or below it, because
// a header of unknown origin must not choose which files are read. Links are followed, as for masks. A file in
// gzip is opened as it is; its reader uncompresses it.
func (d *dataFiles) open(name string) (io.ReadCloser, error) {
	local := filepath.FromSlash(strings.ReplaceAll(name, `\`, "/"))
	if !filepath.IsLocal(local) || strings.ContainsAny(name, ":\x00") {
		return nil, fmt.Errorf("the data file %s lies outside of the header's folder", printable.Short(name))
	}
	path := filepath.Join(filepath.Dir(d.job.Mask.Path), local)
	tree := d.job.Tree
	if tree == nil {
		tree = new(files.Tree)
	}
	f, err := tree.OpenStored(path)
	shown := MaskName(d.job.Study, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the data file %s is not there", printable.Line(shown))
	case err != nil:
		return nil, fmt.Errorf("the data file %s: %w", printable.Line(shown), err)
	}
	return &dataFile{hashed: hashing(f), file: f, name: shown, files: d}, nil
}

// dataFile is an open data file.
type dataFile struct {
	*hashed
	file  *files.File
	name  string
	files *dataFiles
}

// Close records the file with its hash, if it was read to its end. The rest of a refused file is not read,
// because it may be long.
func (f *dataFile) Close() error {
	if noted := (report.File{Path: f.name, SHA256: f.hex()}); f.read == f.size && !slices.Contains(f.files.read,
		noted) {
		f.files.read = append(f.files.read, noted)
	}
	return f.file.Close()
}
