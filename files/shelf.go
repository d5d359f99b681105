package files

import "sync"

// shelf keeps archives open, or unpacked, for those who come next: the few that
// were used last, and all from which a file is open.
type shelf struct {
	mu     sync.Mutex
	keep   int
	unpack func(path string) (*archive, error)
	held   map[string]*held
	clock  int64
	closed bool
}

// held is an archive on the shelf. One that could not be opened is held as well:
// of its thousand files each would try again.
type held struct {
	*archive
	path  string
	err   error
	ready chan struct{} // closed when archive or err is there
	users int
	used  int64 // the clock when it was taken last
}

func newShelf(keep int, unpack func(string) (*archive, error)) *shelf {
	return &shelf{keep: keep, unpack: unpack, held: map[string]*held{}}
}

// take returns the archive at path, to be released after use. It waits for whoever
// else is unpacking it.
func (s *shelf) take(path string) (*held, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, errClosed
	}
	h, known := s.held[path]
	if !known {
		h = &held{path: path, ready: make(chan struct{})}
		s.held[path] = h
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
func (s *shelf) release(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.users--
	s.clear()
}

// clear closes archives that nobody uses until few enough are held, the one unused
// for longest first.
func (s *shelf) clear() {
	for s.closed || len(s.held) > s.keep {
		var oldest *held
		for _, h := range s.held {
			if h.users == 0 && (oldest == nil || h.used < oldest.used) {
				oldest = h
			}
		}
		if oldest == nil {
			return
		}
		delete(s.held, oldest.path)
		if oldest.archive != nil {
			oldest.archive.close()
		}
	}
}

// close closes what nobody uses; the rest is closed by its last user.
func (s *shelf) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.clear()
	return nil
}
