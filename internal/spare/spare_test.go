package spare

import (
	"runtime"
	"sync"
	"testing"
)

// One user at a time uses one value again and again, even after garbage collections, and several users have no more
// values than the list may have.
func TestList(t *testing.T) {
	const most = 3
	made := 0
	one := NewList(8, func() *int { made++; return new(int) })
	for range 3 {
		one.Give(one.Take())
		runtime.GC()
		runtime.GC()
	}
	if made != 1 {
		t.Errorf("%d values were made, want 1", made)
	}
	Forget()
	if one.Give(one.Take()); made != 2 {
		t.Errorf("%d values were made, want another one after Forget", made)
	}
	many := NewList(most, func() *int { return new(int) })
	var mu sync.Mutex
	seen := map[*int]int{}
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			v := many.Take()
			*v++ // the race detector reports a value with two users
			mu.Lock()
			seen[v]++
			mu.Unlock()
			many.Give(v)
		})
	}
	group.Wait()
	sum := 0
	for v, uses := range seen {
		if *v != uses {
			t.Errorf("a value counts %d uses, want %d", *v, uses)
		}
		sum += uses
	}
	if sum != 100 || len(seen) > most {
		t.Errorf("%d uses of %d values, want 100 of at most %d", sum, len(seen), most)
	}
}
