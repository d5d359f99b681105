package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/internal/spare"
	"github.com/t2map/t2map/outfile"
)

// draft is the folder of a study while it is written. Its files stay open until all of them are written, and are then
// synced side by side: a file system with a journal commits few times, and the study waits once.
type draft struct {
	dir string

	mu    sync.Mutex
	files []*os.File // not synced yet
}

// output is a file of a study's folder.
type output struct {
	name  string
	write func(io.Writer) error
}

// writeAll writes new files concurrently and returns their names and hashes in the order of outputs.
func (d *draft) writeAll(outputs []output) ([]File, error) {
	written := make([]File, len(outputs))
	var g errgroup.Group
	for n, o := range outputs {
		g.Go(func() (err error) { written[n], err = d.write(o); return err })
	}
	return written, g.Wait()
}

// write writes a new file and returns its name and hash.
func (d *draft) write(o output) (File, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, o.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", o.name, err)
	}
	d.mu.Lock()
	d.files = append(d.files, f)
	d.mu.Unlock()
	hash := sha256.New()
	buffered := buffers.Take()
	defer buffers.Give(buffered)
	buffered.Reset(io.MultiWriter(f, hash))
	err = o.write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", o.name, err)
	}
	return File{Path: o.name, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

// buffers are those of files that were written. Pictures hold one while they wait for the memory of a screen.
var buffers = spare.NewList(max(8, 2*runtime.GOMAXPROCS(0)), func() *bufio.Writer { return bufio.NewWriterSize(nil, 1<<16) })

// mostSyncs is the number of files of a study that are synced at a time. Each takes a thread.
const mostSyncs = 4

// sync waits until the files and their names are on the disk.
func (d *draft) sync() error {
	var g errgroup.Group
	g.SetLimit(mostSyncs)
	for _, f := range d.files {
		g.Go(f.Sync)
	}
	g.Go(func() error { return outfile.SyncFolder(d.dir) })
	return g.Wait()
}

// close closes the files.
func (d *draft) close() error {
	var err error
	for _, f := range d.files {
		err = errors.Join(err, f.Close())
	}
	d.files = nil
	return err
}
