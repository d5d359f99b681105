package mirror

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/objects"
)

// inFlight is the number of objects that are transferred at a time.
const inFlight = 8

// folder is a folder in the bucket that is being listed.
type folder struct {
	name  string // below the place, with a slash at its end
	files []objects.Info
}

// mostFetches is the number of objects that are fetched at a time. They are small, and most of the time is that of the
// way to the server.
const mostFetches = 64

// pull brings the state of the bucket to the mirror.
func (m *Mirror) pull() error {
	fetches, ctx := errgroup.WithContext(m.ctx)
	fetches.SetLimit(mostFetches)
	known, err := m.pullFolders(ctx, fetches)
	if err = cmp.Or(fetches.Wait(), err); err != nil {
		return err
	}
	return m.removeOthers(known)
}

// pullFolders brings the folders in the bucket to the mirror, and returns their names. The objects of one folder are
// held at a time, and those of the folders that contain it.
func (m *Mirror) pullFolders(ctx context.Context, fetches *errgroup.Group) (map[string]bool, error) {
	known := map[string]bool{}
	var open []folder
	var err error
	leave := func(key string) bool { // ends the folders that do not contain the key
		for n := len(open) - 1; n >= 0 && !strings.HasPrefix(key, open[n].name); n-- {
			if err = m.pullFolder(ctx, fetches, open[n], known); err != nil {
				return false
			}
			open = open[:n]
		}
		return true
	}
	top := m.Place.Folder()
	listErr := m.bucket.List(ctx, top, true, func(i objects.Info) bool {
		name := strings.TrimPrefix(i.Key, top)
		dir, base := path.Split(name)
		if !objects.IsFileName(name) || base == markFile || dir == "" && !sharedNames[name] {
			return true // not of a run
		}
		if !leave(name) {
			return false
		}
		if len(open) == 0 || open[len(open)-1].name != dir {
			open = append(open, folder{name: dir})
		}
		last := &open[len(open)-1]
		last.files = append(last.files, i)
		return true
	})
	if err == nil && listErr == nil {
		for n := len(open) - 1; n >= 0 && err == nil; n-- {
			err = m.pullFolder(ctx, fetches, open[n], known)
		}
	}
	return known, errors.Join(err, listErr)
}

// pullFolder brings the files of one folder to the mirror. Those that are fetched may come later.
func (m *Mirror) pullFolder(ctx context.Context, fetches *errgroup.Group, f folder, known map[string]bool) error {
	first, _, _ := strings.Cut(f.name, "/")
	dir := m.path(f.name)
	shared := f.name == "" || sharedDirs[first]
	names := map[string]objects.Info{}
	for _, i := range f.files {
		names[path.Base(i.Key)] = i
	}
	if _, complete := names[resultFile]; !shared && !complete {
		return nil // unfinished, or not a study
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	known[strings.TrimSuffix(f.name, "/")] = true
	if asides[first] {
		return nil // only the name of the folder is taken
	}
	if err := removeFiles(dir, names, shared); err != nil {
		return err
	}
	for base, i := range names {
		name := f.name + base
		switch {
		case private(name):
		case shared:
			fetches.Go(func() error { return m.fetchShared(ctx, i, name) })
		case read(base):
			fetches.Go(func() error { return m.fetch(ctx, i, m.path(name)) })
		default:
			if err := makeMarker(m.path(name), i.Size); err != nil {
				return err
			}
		}
	}
	if shared {
		return nil
	}
	return setOrigin(dir, f.name)
}

// removeFiles removes the files of a folder of the mirror that are not in the bucket.
func removeFiles(dir string, names map[string]objects.Info, shared bool) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if _, ok := names[e.Name()]; ok || e.IsDir() || shared && e.Name() == markFile {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
	}
	return err
}

// removeOthers removes the folders of the mirror that are not in the bucket: a run that was killed did not store them.
func (m *Mirror) removeOthers(known map[string]bool) error {
	holds := map[string]bool{".": true, "": true}
	for name := range known {
		for ; !holds[name]; name = path.Dir(name) {
			holds[name] = true
		}
	}
	return filepath.WalkDir(m.Dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || p == m.Dir {
			return err
		}
		name, err := m.name(p)
		if err != nil || holds[name] {
			return err
		}
		if d.Name() == originDir {
			return fs.SkipDir
		}
		if err := os.RemoveAll(p); err != nil {
			return err
		}
		return fs.SkipDir
	})
}

// fetchShared fetches a file outside of studies, and notes what the bucket has of it.
func (m *Mirror) fetchShared(ctx context.Context, i objects.Info, name string) error {
	if err := m.fetch(ctx, i, m.path(name)); err != nil {
		return err
	}
	sum, _, err := sumOf(m.path(name))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shared[name] = sum
	return err
}

// fetch brings an object to a file, unless the file has its content.
func (m *Mirror) fetch(ctx context.Context, i objects.Info, name string) (err error) {
	if isContent(name, i) {
		return nil
	}
	o, err := m.bucket.OpenObject(ctx, i.Key)
	if err != nil {
		return err
	}
	defer o.Close()
	f, err := os.CreateTemp(filepath.Dir(name), ".fetch-*")
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, io.NewSectionReader(o, 0, o.Size), make([]byte, min(o.Size, 1<<20)+1))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	if m.temporary {
		return nil // nobody will ask for it
	}
	return noteContent(name, o.Info)
}

// isContent reports whether a file has the content of an object: by the note of an earlier run that fetched it, or by
// its MD5, which is the ETag of an object that was neither stored in parts nor with a key of the server.
func isContent(name string, i objects.Info) bool {
	info, err := os.Stat(name)
	if err != nil || info.Size() != i.Size {
		return false
	}
	if note, err := os.ReadFile(notePath(name)); err == nil && string(note) == noteText(info, i) {
		return true
	}
	sum, _, err := sumOf(name)
	return err == nil && sum == i.ETag
}

// noteContent notes that a file has the content of an object, as long as its size and its time do not change.
func noteContent(name string, i objects.Info) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(notePath(name)), 0o777); err != nil {
		return err
	}
	return os.WriteFile(notePath(name), []byte(noteText(info, i)), 0o666)
}

func notePath(name string) string {
	return filepath.Join(filepath.Dir(name), originDir, filepath.Base(name)+".etag")
}

func noteText(info fs.FileInfo, i objects.Info) string {
	return fmt.Sprintf("%s %d", i.ETag, info.ModTime().UnixNano())
}

// sumOf returns the MD5 and the size of a file.
func sumOf(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := md5.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
