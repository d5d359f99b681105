package mirror

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
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

// pull brings the state of the bucket to the mirror. The objects of one folder are held at a time, and those of the
// folders that contain it.
func (m *Mirror) pull() error {
	known := map[string]bool{}
	var open []folder
	var err error
	leave := func(key string) bool { // ends the folders that do not contain the key
		for n := len(open) - 1; n >= 0 && !strings.HasPrefix(key, open[n].name); n-- {
			if err = m.pullFolder(open[n], known); err != nil {
				return false
			}
			open = open[:n]
		}
		return true
	}
	top := m.Place.Folder()
	listErr := m.bucket.List(m.ctx, top, true, func(i objects.Info) bool {
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
			err = m.pullFolder(open[n], known)
		}
	}
	if err = errors.Join(err, listErr); err != nil {
		return err
	}
	return m.removeOthers(known)
}

// pullFolder brings the files of one folder to the mirror.
func (m *Mirror) pullFolder(f folder, known map[string]bool) error {
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
	var g errgroup.Group
	g.SetLimit(inFlight)
	for base, i := range names {
		name := f.name + base
		if private(name) {
			continue
		}
		if shared {
			m.shared[name] = i.ETag
		}
		if name == auditFile {
			m.recorded = i.Size
		}
		if shared || read(base) {
			g.Go(func() error { return m.fetch(i, m.path(name)) })
		} else if err := makeMarker(m.path(name), i.Size); err != nil {
			return errors.Join(err, g.Wait())
		}
	}
	if err := g.Wait(); err != nil || shared {
		return err
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

// fetch brings an object to a file, unless the file has its content.
func (m *Mirror) fetch(i objects.Info, name string) (err error) {
	if sum, size, err := sumOf(name); err == nil && size == i.Size && sum == i.ETag {
		return nil
	}
	o, err := m.bucket.OpenObject(m.ctx, i.Key)
	if err != nil {
		return err
	}
	defer o.Close()
	f, err := os.CreateTemp(filepath.Dir(name), ".fetch-*")
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, io.NewSectionReader(o, 0, o.Size), make([]byte, 1<<20))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// sumOf returns the MD5 of a file, which is the ETag of an object that was not stored in parts or with a key.
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
