package report

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/t2map/t2map/outfile"
)

const (
	// PageFolder is the folder beside index.html that holds the other files of the page. Studies of a subject of that
	// name are in folders below it, so that their files have other paths.
	PageFolder = "page"
	// hashDigits is the number of digits of a SHA-256 in the name of a file.
	hashDigits = 16
)

// pageFileNames matches the names of files in PageFolder, also of unfinished ones: a dot, the name, and digits.
var pageFileNames = regexp.MustCompile(`^(?:studies-\d+|details-\d+|page)-[0-9a-f]{16}\.(?:js|css)$`)
var unfinishedPageFile = regexp.MustCompile(`^\.(?:studies-\d+|details-\d+|page)-[0-9a-f]{16}\.(?:js|css)\d+$`)

// pageFiles writes the files of a page. The name of a file contains the hash of its content, so that files of the
// previous page stay valid until index.html, which names all files, is replaced.
type pageFiles struct {
	dir   string
	names map[string]bool // true if the file is new
}

func newPageFiles(dir string) pageFiles { return pageFiles{dir: dir, names: map[string]bool{}} }

// write writes a file into PageFolder, if it is not there, and returns its name.
func (p pageFiles) write(stem, extension string, content []byte) (string, error) {
	name := fmt.Sprintf("%s-%.*x%s", stem, hashDigits/2, sha256.Sum256(content), extension)
	folder := filepath.Join(p.dir, PageFolder)
	path := filepath.Join(folder, name)
	// The content is compared, because a crash on Windows may leave a part of a file.
	if hasContent(path, content) {
		if _, isOwn := p.names[name]; !isOwn {
			p.names[name] = false
		}
		return name, nil
	}
	if err := os.Mkdir(folder, 0o777); err != nil && !isFolder(folder) {
		return "", fmt.Errorf("%s: not written: %w", PageFolder, outfile.Bare(err))
	}
	p.names[name] = true
	// It is compared when the page is written again, so that it need not be synced.
	if err := outfile.Stash(path, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
		return "", fmt.Errorf("%s/%w", PageFolder, err)
	}
	return name, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// replaceIndex replaces index.html, after which the page consists of the files that were written.
func (p pageFiles) replaceIndex(content []byte) error {
	path := filepath.Join(p.dir, pageFile)
	if hasContent(path, content) {
		return nil
	}
	return outfile.Replace(path, content)
}

// hasContent reports whether a file has that content.
func hasContent(path string, content []byte) bool {
	old, err := os.ReadFile(path)
	return err == nil && bytes.Equal(old, content)
}

// finish removes the files of the previous page. After an error it removes those of the new page instead, and returns
// the error. Files that cannot be removed remain until the page is written again.
func (p pageFiles) finish(err error) error {
	folder := filepath.Join(p.dir, PageFolder)
	entries, readErr := os.ReadDir(folder)
	if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		fresh, used := p.names[e.Name()]
		old := err == nil && !used && pageFileNames.MatchString(e.Name())
		if old || err != nil && fresh || unfinishedPageFile.MatchString(e.Name()) {
			_ = os.Remove(filepath.Join(folder, e.Name()))
		}
	}
	if err != nil {
		_ = os.Remove(folder) // fails if the previous page or a study is in it
	}
	return err
}
