package files

import "sync"

// archiveCache keeps archives open, or unpacked, between uses: a few that were used last,
// and all from which a file is open.
type archiveCache struct {
	mu     sync.Mutex
	keep   int
	unpack func(path string) (*archive, error)
	open   map[string]*cachedArchive
	clock  int64
	closed bool
}

// cachedArchive is an archive in the cache. One that could not be opened is kept too,
// because each of its thousand files would try again.
type cachedArchive struct {
	*archive
	path  string
	err   error
	ready chan struct{} // closed when archive or err is set
	users int
	used  int64 // the clock when it was last taken
}

func newArchiveCache(keep int, unpack func(string) (*archive, error)) *archiveCache {
	return &archiveCache{keep: keep, unpack: unpack, open: map[string]*cachedArchive{}}
}

// take returns the archive at path, to be released after use. It waits if another goroutine
// is unpacking the archive.
func (s *archiveCache) take(path string) (*cachedArchive, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	h, known := s.open[path]
	if !known {
		h = &cachedArchive{path: path, ready: make(chan struct{})}
		s.open[path] = h
	}
	h.users++
	s.clock++
	h.used = s.clock
	s.clear()
	s.mu.Unlock()
	if !known {
		h.archive, h.err = s.unpack(path)
		close(h.ready)
	}
	<-h.ready
	if h.err != nil {
		s.release(h)
		return nil, h.err
	}
	return h, nil
}

// release gives back an archive that take returned.
func (s *archiveCache) release(h *cachedArchive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.users--
	s.clear()
}

// clear closes unused archives until few enough are kept, the least recently used first.
func (s *archiveCache) clear() {
	for s.closed || len(s.open) > s.keep {
		var oldest *cachedArchive
		for _, h := range s.open {
			if h.users == 0 && (oldest == nil || h.used < oldest.used) {
				oldest = h
			}
		}
		if oldest == nil {
			return
		}
		delete(s.open, oldest.path)
		if oldest.archive != nil {
			oldest.archive.close()
		}
	}
}

// close closes unused archives; the others are closed by their last user.
func (s *archiveCache) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.clear()
	return nil
}
