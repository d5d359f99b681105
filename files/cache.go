package files

import "sync"

// archiveCache keeps archives open, or unpacked, for those who come next: the few that
// were used last, and all from which a file is open.
type archiveCache struct {
	mu     sync.Mutex
	keep   int
	unpack func(path string) (*archive, error)
	open   map[string]*cachedArchive
	clock  int64
	closed bool
}

// held is an archive on the archiveCache. One that could not be opened is held as well:
// of its thousand files each would try again.
type cachedArchive struct {
	*archive
	path  string
	err   error
	ready chan struct{} // closed when archive or err is there
	users int
	used  int64 // the clock when it was taken last
}

func newArchiveCache(keep int, unpack func(string) (*archive, error)) *archiveCache {
	return &archiveCache{keep: keep, unpack: unpack, open: map[string]*cachedArchive{}}
}

// take returns the archive at path, to be released after use. It waits for whoever
// else is unpacking it.
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

// release says that one who took the archive is done with it.
func (s *archiveCache) release(h *cachedArchive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.users--
	s.clear()
}

// clear closes archives that nobody uses until few enough are held, the one unused
// for longest first.
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

// close closes what nobody uses; the rest is closed by its last user.
func (s *archiveCache) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.clear()
	return nil
}
