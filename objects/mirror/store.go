package mirror

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/objects"
)

// Stored stores the folder of a study that has been completed, also if the run has been interrupted. earlier is the
// folder to which the run moved the result that was in dir when it wrote the new one, or "". If that fails, the context
// of the run ends, and the error is both context.Canceled and the reason.
func (m *Mirror) Stored(dir, earlier string) error {
	err := m.storeStudy(m.storing, dir, earlier)
	if err == nil && m.due() {
		err = m.storeShared(m.storing, func(name string) bool { return strings.HasPrefix(name, stateDir+"/") })
	}
	if err != nil {
		m.stop(fmt.Errorf("results cannot be stored: %w", err))
		err = fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return err
}

// due reports whether the hidden state must be stored.
func (m *Mirror) due() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.storedAt) < sharedEvery {
		return false
	}
	m.storedAt = time.Now()
	return true
}

// storeStudy stores the folder of a study unless it is stored. earlier is as in Stored.
func (m *Mirror) storeStudy(ctx context.Context, dir, earlier string) error {
	name, err := m.name(dir)
	if err != nil {
		return err
	}
	origin, err := originOf(dir)
	switch {
	case err == nil && origin == name+"/":
		return nil
	case err == nil:
		return m.storeMoved(ctx, dir, name+"/", origin)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	there, err := m.objectsBelow(ctx, name+"/")
	if err != nil {
		return err
	}
	if _, complete := there[resultFile]; complete {
		if err := m.keepEarlier(ctx, name+"/", earlier); err != nil {
			return err
		}
		// While it is replaced, the study has no result.
		if err := m.bucket.Remove(ctx, m.Place.Key(name+"/"+resultFile)); err != nil {
			return err
		}
	}
	if err := m.storeFiles(ctx, dir, name+"/", there); err != nil {
		return err
	}
	return setOrigin(dir, name+"/")
}

// storeFiles stores the files of a study, result.json last, and removes the objects beside them. Afterwards those that
// no run reads are markers.
func (m *Mirror) storeFiles(ctx context.Context, dir, name string, there map[string]objects.Info) error {
	sums, err := outputs(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	g, groupCtx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for _, e := range entries {
		delete(there, e.Name())
		if e.IsDir() || e.Name() == resultFile {
			continue
		}
		g.Go(func() error {
			p := filepath.Join(dir, e.Name())
			if err := checkSum(p, sums[e.Name()]); err != nil {
				return fmt.Errorf("%s: %w", name+e.Name(), err)
			}
			return m.bucket.PutFile(groupCtx, m.Place.Key(name+e.Name()), p)
		})
	}
	for base := range there {
		g.Go(func() error { return m.bucket.Remove(groupCtx, m.Place.Key(name+base)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := m.storeTail(ctx); err != nil { // the record must have all results that are in the bucket
		return err
	}
	if err := m.bucket.PutFile(ctx, m.Place.Key(name+resultFile), filepath.Join(dir, resultFile)); err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !e.IsDir() && !read(e.Name()) {
			if err := makeMarker(filepath.Join(dir, e.Name()), info.Size()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSum returns an error if a file does not have the hash in result.json: no marker may become an object.
func checkSum(name, want string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if isMarker(info) {
		return errors.New("is only a marker of an object")
	}
	if want == "" {
		return nil // not an output of t2map
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
		return errors.New("has changed since it was written")
	}
	return nil
}

// keepEarlier copies the earlier result in a folder of the bucket to where the run has moved it in the mirror, if it
// has: to earlier or, if that is "", to a folder to which it was moved before any study was mapped, see movedFrom.
func (m *Mirror) keepEarlier(ctx context.Context, name, earlier string) error {
	dirs := []string{earlier}
	if earlier == "" {
		var err error
		if dirs, err = m.movedFrom(name); err != nil {
			return err
		}
	}
	for _, dir := range dirs {
		if origin, err := originOf(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		} else if origin != name {
			continue // it was not stored, or is copied already
		}
		now, err := m.name(dir)
		if err != nil {
			return err
		}
		if err := m.copyStudy(ctx, dir, name, now+"/"); err != nil {
			return err
		}
	}
	return nil
}

// movedFrom returns the folders of the mirror to which the run has moved what is in a folder of the bucket. The folders
// are listed once, because there may be as many as studies: batch moves results whose folders other studies need before
// it maps any.
func (m *Mirror) movedFrom(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.moved != nil {
		return m.moved[name], nil
	}
	moved := map[string][]string{}
	for aside := range asides {
		err := filepath.WalkDir(m.path(aside), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() != originDir {
				return nil // a folder that is not there, or is moved again
			}
			origin, err := originOf(filepath.Dir(p))
			if err == nil {
				moved[origin] = append(moved[origin], filepath.Dir(p))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	m.moved = moved
	return moved[name], nil
}

// forgetMoved makes movedFrom list the folders again, because the run has moved others since.
func (m *Mirror) forgetMoved() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moved = nil
}

// storeMoved moves the objects of a study that the run has moved from one folder to another.
func (m *Mirror) storeMoved(ctx context.Context, dir, name, origin string) error {
	if err := m.copyStudy(ctx, dir, origin, name); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.path(origin), resultFile)); err == nil {
		return nil // another study is there now
	}
	there, err := m.objectsBelow(ctx, origin)
	if err != nil {
		return err
	}
	return m.removeStudy(ctx, origin, there)
}

// copyStudy copies the objects of a study, result.json last, and notes the new place in its folder of the mirror.
func (m *Mirror) copyStudy(ctx context.Context, dir, from, name string) error {
	there, err := m.objectsBelow(ctx, from)
	if err != nil {
		return err
	}
	bases, result := resultApart(there)
	for _, part := range [][]string{bases, result} {
		err := each(ctx, part, func(ctx context.Context, base string) error {
			return m.bucket.Copy(ctx, m.Place.Key(from+base), m.Place.Key(name+base))
		})
		if err != nil {
			return err
		}
	}
	return setOrigin(dir, name)
}

// removeStudy removes the objects of a study, result.json first.
func (m *Mirror) removeStudy(ctx context.Context, name string, there map[string]objects.Info) error {
	bases, result := resultApart(there)
	for _, part := range [][]string{result, bases} {
		err := each(ctx, part, func(ctx context.Context, base string) error {
			return m.bucket.Remove(ctx, m.Place.Key(name+base))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// resultApart returns the names of the files of a study, and that of result.json if it is one of them.
func resultApart(there map[string]objects.Info) (bases, result []string) {
	for base := range there {
		if base == resultFile {
			result = []string{base}
		} else {
			bases = append(bases, base)
		}
	}
	return bases, result
}

// each calls do for the names, inFlight at a time, and returns the first error.
func each(ctx context.Context, names []string, do func(ctx context.Context, name string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for _, name := range names {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return do(ctx, name)
		})
	}
	return g.Wait()
}

// objectsBelow returns the objects in a folder, by their names in it.
func (m *Mirror) objectsBelow(ctx context.Context, name string) (map[string]objects.Info, error) {
	there := map[string]objects.Info{}
	err := m.bucket.List(ctx, m.Place.Key(name), false, func(i objects.Info) bool {
		if !i.Folder() && !strings.HasSuffix(i.Key, "/") {
			there[path.Base(i.Key)] = i
		}
		return true
	})
	return there, err
}

// storeAll stores all studies that are not stored yet, then the tables, then the record. The tail of the record comes
// first: it says where studies are moved.
func (m *Mirror) storeAll(ctx context.Context) error {
	steps := []func() error{
		func() error { return m.storeTail(ctx) },
		func() error { return m.storeStudies(ctx) },
		func() error { return m.storeShared(ctx, func(name string) bool { return name != auditFile }) },
		func() error { return m.storeShared(ctx, func(name string) bool { return name == auditFile }) },
		func() error { return m.removeTails(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// storeStudies stores the studies that are not stored yet. New results come before those that were moved, because they
// take what they replace out of the way, and a study must not be moved twice at the same time.
func (m *Mirror) storeStudies(ctx context.Context) error {
	added, moved, err := m.notStored()
	if err != nil {
		return err
	}
	m.forgetMoved()
	for _, dirs := range [][]string{added, moved} {
		err := each(ctx, dirs, func(ctx context.Context, dir string) error { return m.storeStudy(ctx, dir, "") })
		if err != nil {
			return err
		}
	}
	return nil
}

// notStored returns the folders of the studies that are not stored, and of those that are stored in another place.
func (m *Mirror) notStored() (added, moved []string, err error) {
	err = filepath.WalkDir(m.Dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != m.Dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir // hidden state, or an unfinished study
		case d.IsDir() || d.Name() != resultFile:
			return nil
		}
		dir := filepath.Dir(p)
		name, err := m.name(dir)
		if err != nil {
			return err
		}
		origin, err := originOf(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			added = append(added, dir)
			return nil
		case err == nil && origin != name+"/":
			moved = append(moved, dir)
		}
		return err
	})
	return added, moved, err
}

// sharedFiles returns the names of the files outside of studies that are wanted.
func (m *Mirror) sharedFiles(wanted func(name string) bool) (map[string]bool, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(m.Dir, func(p string, d fs.DirEntry, err error) error {
		name, nameErr := m.name(p)
		first, _, nested := strings.Cut(name, "/")
		switch {
		case err != nil || nameErr != nil:
			return errors.Join(err, nameErr)
		case d.IsDir() && name != "." && (!sharedDirs[first] || d.Name() == originDir):
			return fs.SkipDir
		case d.Type().IsRegular() && wanted(name) && !private(name) && (nested || !strings.HasPrefix(name, ".")):
			found[name] = true
		}
		return nil
	})
	return found, err
}

// storeShared stores the files outside of studies that have changed, among those that are wanted, and removes the
// objects of those that no longer exist.
func (m *Mirror) storeShared(ctx context.Context, wanted func(name string) bool) error {
	left, err := m.sharedFiles(wanted)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range left {
		sum, _, err := sumOf(m.path(name))
		if err != nil {
			return err
		}
		if m.shared[name] == sum {
			continue
		}
		if err := m.bucket.PutFile(ctx, m.Place.Key(name), m.path(name)); err != nil {
			return err
		}
		m.shared[name] = sum
	}
	for name := range m.shared {
		if !left[name] && wanted(name) {
			if err := m.bucket.Remove(ctx, m.Place.Key(name)); err != nil {
				return err
			}
			delete(m.shared, name)
		}
	}
	return nil
}
