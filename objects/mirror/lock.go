package mirror

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
)

// Holder is the run that holds a lock.
type Holder struct {
	ID   string `json:"id"`
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Machine is where PID is valid, see machine.
	Machine string    `json:"machine,omitempty"`
	Started time.Time `json:"started"`
	// Refreshed counts up, so that each refresh changes the object.
	Refreshed int `json:"refreshed"`
}

// String describes the process.
func (h Holder) String() string {
	host := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, h.Host)
	return fmt.Sprintf("process %d on %.64s, which started at %s", h.PID, host,
		h.Started.Local().Format("2006-01-02 15:04:05"))
}

// BusyError says that another run writes to the place.
type BusyError struct {
	Place  objects.Location
	Holder Holder
	// Age is the time since the holder refreshed the lock.
	Age time.Duration
}

// Error names the place and the process.
func (e *BusyError) Error() string {
	return fmt.Sprintf("results %s: %s is writing to it; it said so %d s ago", e.Place, e.Holder, int(e.Age.Seconds()))
}

// LostError says that another run took the lock over, because this one did not refresh it in time.
type LostError struct{ Place objects.Location }

// Error names the place.
func (e *LostError) Error() string {
	return fmt.Sprintf("results %s: this run could not refresh its lock, and another may have taken it over", e.Place)
}

// Advice is the hint of the error.
func (e *LostError) Advice() string {
	return "run again: studies that are stored are kept"
}

// lock is a lock object that this run holds.
type lock struct {
	*Mirror
	key    string
	holder Holder
	stop   context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	etag string // of the object that this run wrote last
	// conditional says that the server checks conditions of writes.
	conditional bool
}

const mostLock = 1 << 16 // bytes of a lock object

// takeLock takes the lock, and refreshes it until release.
func (m *Mirror) takeLock() (*lock, error) {
	l := &lock{Mirror: m, key: m.Place.Key(lockName), done: make(chan struct{})}
	l.holder = Holder{ID: rand.Text(), PID: os.Getpid(), Started: time.Now().UTC().Truncate(time.Second)}
	l.holder.Host, _ = os.Hostname()
	l.holder.Machine = machine()
	if err := l.probe(); err != nil {
		return nil, err
	}
	if !l.conditional {
		m.Remarks = append(m.Remarks, "the server does not check conditions of writes (If-None-Match): make sure that "+
			"no other run writes to "+m.Place.String())
	}
	var began time.Time
	for attempt := 0; ; attempt++ {
		began = time.Now()
		busy, err := l.attempt()
		if err != nil {
			return nil, err
		}
		if busy == nil {
			break
		}
		if !m.Wait {
			return nil, hint.Errorf(fmt.Sprintf("wait until it has ended (--wait does); if it was killed, its lock is "+
				"taken over %d s after its last refresh", int(m.StaleAfter.Seconds())), "%w", busy)
		}
		if attempt == 0 && m.Waiting != nil {
			m.Waiting(busy.Holder)
		}
		select {
		case <-m.ctx.Done():
			return nil, context.Cause(m.ctx)
		case <-time.After(min(5*time.Second, m.StaleAfter/10)):
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(m.ctx))
	l.stop = stop
	go l.refresh(ctx, began)
	return l, nil
}

// probe finds out whether the server checks the conditions of writes.
func (l *lock) probe() error {
	key := l.Place.Key(stateDir + "/probe-" + l.holder.ID)
	if _, err := l.bucket.Put(l.ctx, key, nil, false, ""); err != nil {
		return err
	}
	_, err := l.bucket.Put(l.ctx, key, nil, true, "")
	l.conditional = errors.Is(err, objects.ErrExists)
	if err != nil && !l.conditional && !errors.Is(err, objects.ErrUnsupported) {
		return errors.Join(err, l.bucket.Remove(l.ctx, key))
	}
	return l.bucket.Remove(l.ctx, key)
}

// attempt tries to take the lock. It returns why it cannot, or nil. If the holder gives the lock back in the middle of
// an attempt, another one follows.
func (l *lock) attempt() (busy *BusyError, err error) {
	for range 10 {
		if busy, err = l.tryOnce(); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return busy, err
}

// tryOnce is one attempt. It is an error of kind fs.ErrNotExist if the lock is there and is gone a moment later.
func (l *lock) tryOnce() (*BusyError, error) {
	tag, err := l.write("", true)
	if err == nil && l.conditional {
		l.etag = tag
		return nil, nil
	}
	if err != nil && !errors.Is(err, objects.ErrExists) && !errors.Is(err, objects.ErrUnsupported) {
		return nil, err
	}
	data, info, err := l.bucket.Get(l.ctx, l.key, mostLock)
	if err != nil {
		return nil, err
	}
	var h Holder
	_ = json.Unmarshal(data, &h) // a lock that cannot be read has an age
	now, err := l.serverTime()
	if err != nil {
		return nil, err
	}
	age := max(0, now.Sub(info.Modified))
	if h.ID != l.holder.ID && age < l.StaleAfter && !l.ended(h) {
		return &BusyError{l.Place, h, age}, nil
	}
	tag, err = l.write(info.ETag, false)
	if errors.Is(err, objects.ErrChanged) { // another run was faster
		return &BusyError{l.Place, h, age}, nil
	}
	if err == nil && h.ID != l.holder.ID {
		l.Remarks = append(l.Remarks, fmt.Sprintf("the lock of a run that has ended was taken over: %s", h))
	}
	l.etag = tag
	return nil, err
}

// ended reports whether the holder was a process of this machine that no longer exists.
func (l *lock) ended(h Holder) bool {
	if h.Machine == "" || h.Machine != l.holder.Machine || h.PID == l.holder.PID || h.PID <= 0 {
		return false
	}
	p, err := os.FindProcess(h.PID)
	return err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// machine names the place where the numbers of processes are valid: the boot of the kernel and the namespace of the
// numbers, since containers and copies of virtual machines share the names of hosts. It is "" if they are not known, as
// on systems other than Linux.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	space, spaceErr := os.Readlink("/proc/self/ns/pid")
	if err != nil || spaceErr != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + space
}

// serverTime returns the time of the server's clock, by writing an object: ages must not depend on the clocks of two
// machines.
func (l *lock) serverTime() (time.Time, error) {
	key := l.Place.Key(stateDir + "/probe-" + l.holder.ID)
	if _, err := l.bucket.Put(l.ctx, key, nil, false, ""); err != nil {
		return time.Time{}, err
	}
	info, err := l.bucket.Stat(l.ctx, key)
	return info.Modified, errors.Join(err, l.bucket.Remove(l.ctx, key))
}

// write writes the lock object if there is none, or if it has that ETag.
func (l *lock) write(etag string, absent bool) (string, error) {
	return l.put(l.ctx, etag, absent)
}

func (l *lock) put(ctx context.Context, etag string, absent bool) (string, error) {
	l.holder.Refreshed++
	data, err := json.Marshal(l.holder)
	if err != nil {
		return "", err
	}
	if !l.conditional {
		if _, _, err := l.bucket.Get(ctx, l.key, mostLock); absent && err == nil {
			return "", objects.ErrExists
		}
		return l.bucket.Put(ctx, l.key, data, false, "")
	}
	return l.bucket.Put(ctx, l.key, data, absent, etag)
}

// refresh refreshes the lock, which was taken after last, until ctx ends. If another run has it, or it cannot be
// refreshed in time, the run ends: a tenth before the lock may be taken over, because servers give the times of objects
// in whole seconds.
func (l *lock) refresh(ctx context.Context, last time.Time) {
	defer close(l.done)
	ticks := time.NewTicker(l.StaleAfter / 5)
	defer ticks.Stop()
	for {
		// No request may go on beyond it: one that gets no answer is repeated for minutes.
		inTime, stop := context.WithDeadline(ctx, last.Add(l.StaleAfter*9/10))
		refreshed, gone := false, false
		select {
		case <-inTime.Done():
		case <-ticks.C:
			began := time.Now() // the server writes the object later than that
			if refreshed, gone = l.refreshOnce(inTime); refreshed {
				last = began
			}
		}
		late := !refreshed && inTime.Err() != nil
		stop()
		switch {
		case ctx.Err() != nil:
			return
		case gone || late:
			l.Mirror.stop(&LostError{l.Place})
			return
		}
	}
}

// refreshOnce writes the lock object again, unless another run has taken it: then it is gone.
func (l *lock) refreshOnce(ctx context.Context) (refreshed, gone bool) {
	if !l.conditional {
		if mine, err := l.own(ctx); err != nil || !mine {
			return false, err == nil
		}
	}
	l.mu.Lock()
	tag, err := l.put(ctx, l.etag, false)
	if err == nil {
		l.etag = tag
	}
	l.mu.Unlock()
	if !errors.Is(err, objects.ErrChanged) {
		return err == nil, false
	}
	mine, err := l.own(ctx)
	return false, err == nil && !mine
}

// own reports whether the lock object is that of this run, and notes its ETag: the answer to a write may be lost. If the
// server does not answer, it is an error.
func (l *lock) own(ctx context.Context) (bool, error) {
	data, info, err := l.bucket.Get(ctx, l.key, mostLock)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	var h Holder
	if json.Unmarshal(data, &h) != nil || h.ID != l.holder.ID {
		return false, nil
	}
	l.mu.Lock()
	l.etag = info.ETag
	l.mu.Unlock()
	return true, nil
}

// watch calls do with a context that ends when the lock is lost.
func (l *lock) watch(ctx context.Context, do func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-l.done: // refresh ends before release only if the lock is lost
			stop(&LostError{l.Place})
		case <-ctx.Done():
		}
	}()
	return do(ctx)
}

// release removes the lock object if this run holds it.
func (l *lock) release() error {
	l.stop()
	<-l.done
	ctx, stop := context.WithTimeout(context.WithoutCancel(l.ctx), time.Minute)
	defer stop()
	if mine, err := l.own(ctx); err != nil || !mine {
		return nil // a lock that cannot be read is taken over later
	}
	return l.bucket.Remove(ctx, l.key)
}
