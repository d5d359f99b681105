package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/t2map/t2map/hint"
)

// lockShard locks the shard, so that no other process maps it. If another process does, lockShard waits if the settings
// say so; otherwise it returns a *BusyError. The returned function releases the lock.
func (s Settings) lockShard(ctx context.Context) (release func(), err error) {
	if s.Shard.whole() || s.DryRun {
		return func() {}, nil
	}
	path := s.shardPath(s.Shard) + ".lock"
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("output folder: %w", err)
	}
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	for attempt := 0; ; attempt++ {
		locked, err := f.TryLock()
		switch {
		case err != nil:
			// The file system has no locks. A study that two processes map is complete nevertheless: the folder of
			// the one replaces that of the other, and their bytes are the same.
			return func() {}, nil
		case locked:
			l := &lock{file: f}
			l.sign()
			return l.release, nil
		}
		holder := holderIn(path)
		if !s.Wait {
			return nil, hint.Errorf("wait until it has ended (--wait does), or map another shard", "shard %s: %w",
				s.Shard, &BusyError{Folder: s.Out, Holder: holder})
		}
		if attempt == 0 && s.Waiting != nil {
			s.Waiting(holder)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

// The shard that plans touches planLock now and then. If its node dies, a file server may keep the lock for a long time
// or for ever, and the other shards must not wait for it: what they lose without the lock is time.
const (
	beatInterval = 10 * time.Second
	// planPatience is several times as long as clients of NFS believe the times of a file (acregmax, one minute).
	planPatience = 5 * time.Minute
)

// lockPlan waits until no other shard plans. The returned function lets the next one plan; it may be called again.
func (s Settings) lockPlan(ctx context.Context) (release func(), err error) {
	if s.Shard.whole() || s.DryRun {
		return func() {}, nil
	}
	path := filepath.Join(s.Out, stateFolder, planLock)
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o666))
	// The times of the file are compared with each other only, because the clocks of two nodes may differ.
	beat, since := stampOf(path), time.Now()
	for {
		locked, err := f.TryLock()
		if err != nil { // the file system has no locks: headers are read more than once
			return func() {}, nil
		}
		if locked {
			return keepAlive(f), nil
		}
		if now := stampOf(path); now != beat {
			beat, since = now, time.Now()
		}
		if time.Since(since) > s.patience() {
			return func() {}, nil
		}
		if err := pause(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

func (s Settings) patience() time.Duration {
	if s.planPatience > 0 {
		return s.planPatience
	}
	return planPatience
}

// keepAlive touches a locked file now and then, until the returned function releases it.
func keepAlive(f *flock.Flock) (release func()) {
	var mu sync.Mutex
	ended := false
	var beat func()
	beat = func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		now := time.Now()
		_ = os.Chtimes(f.Path(), now, now) // if it fails for long, another shard plans too
		time.AfterFunc(beatInterval, beat)
	}
	beat()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		_ = f.Close()
	}
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
