package pipeline

import (
	"cmp"
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

// dataFiles opens the files that hold the voxels of a mask, according to its header.
type dataFiles struct {
	job  Job
	read []report.File // the files that were read to their end, each once
}

// open opens a file by the name in the header. The file must lie in the header's folder or below it, because a
// header of unknown origin must not choose which files are read. Links are followed, as for masks. A file in gzip
// is not uncompressed here, but by its reader.
func (d *dataFiles) open(name string) (io.ReadCloser, error) {
	local := filepath.FromSlash(strings.ReplaceAll(name, `\`, "/"))
	if !filepath.IsLocal(local) || strings.ContainsAny(name, ":\x00") {
		return nil, fmt.Errorf("the data file %s lies outside of the header's folder", printable.Short(name))
	}
	path := filepath.Join(filepath.Dir(d.job.Mask.Path), local)
	f, err := cmp.Or(d.job.Tree, new(files.Tree)).OpenStored(path)
	shown := MaskName(d.job.Study, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the data file %s does not exist", printable.Line(shown))
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

// Close records the file with its hash, if it was read to its end. The rest of a refused file is not read, because it
// may be long.
func (f *dataFile) Close() error {
	file := report.File{Path: f.name, SHA256: f.hex()}
	if f.read == f.size && !slices.Contains(f.files.read, file) {
		f.files.read = append(f.files.read, file)
	}
	return f.file.Close()
}
