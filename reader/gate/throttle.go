package gate

import (
	"net/netip"
	"sync"
	"time"
)

// throttle slows down logins that fail. Failures in a row are counted for each pair of code and client, for each client
// and, more mildly, for each code, so that nobody can keep a user out from elsewhere: a client from which the user has
// logged in before does not wait for others.
type throttle struct {
	mu       sync.Mutex
	failures map[counted]failures
	known    map[counted]bool // pairs that have logged in
}

// counted names the code and the client whose failures are counted; one of them is "" if it does not matter.
type counted struct{ code, client string }

// failures are failed logins in a row.
type failures struct {
	count int
	last  time.Time
}

// After free failures in a row, the next login is possible after a delay, which doubles from a second to the longest.
const (
	freeOfPair, freeOfClient, freeOfCode = 3, 10, 20
	longestDelay                         = time.Minute
	longestDelayOfCode                   = 5 * time.Second
	// mostCounted bounds the memory: what has not failed for the longest time is forgotten then.
	mostCounted = 10_000
)

func newThrottle() *throttle {
	return &throttle{failures: map[counted]failures{}, known: map[counted]bool{}}
}

// wait returns how long a login has to wait.
func (t *throttle) wait(code, client string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair := counted{code, client}
	wait := max(t.failures[pair].wait(freeOfPair, longestDelay, now),
		t.failures[counted{"", client}].wait(freeOfClient, longestDelay, now))
	if !t.known[pair] {
		wait = max(wait, t.failures[counted{code, ""}].wait(freeOfCode, longestDelayOfCode, now))
	}
	return wait
}

func (f failures) wait(free int, longest time.Duration, now time.Time) time.Duration {
	if f.count < free {
		return 0
	}
	delay := min(time.Second<<min(f.count-free, 10), longest)
	return max(0, f.last.Add(delay).Sub(now))
}

// failed counts a failure.
func (t *throttle) failed(code, client string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range []counted{{code, client}, {"", client}, {code, ""}} {
		f, isCounted := t.failures[c]
		if !isCounted && len(t.failures) >= mostCounted {
			t.forget()
		}
		t.failures[c] = failures{f.count + 1, now}
	}
}

// forget forgets what has not failed for the longest time.
func (t *throttle) forget() {
	var oldest counted
	first := true
	for c, f := range t.failures {
		if first || f.last.Before(t.failures[oldest].last) {
			oldest, first = c, false
		}
	}
	delete(t.failures, oldest)
}

// succeeded ends the failures of a code at a client. Those of the client with other codes remain.
func (t *throttle) succeeded(code, client string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	pair := counted{code, client}
	delete(t.failures, pair)
	if len(t.known) >= mostCounted {
		clear(t.known)
	}
	t.known[pair] = true
}

// clientOf returns the client with an address. All addresses of an IPv6 network of 64 bits are one client.
func clientOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is6() {
		network, _ := ip.WithZone("").Prefix(64) // an IPv6 address has one
		return network.String()
	}
	return ip.String()
}
