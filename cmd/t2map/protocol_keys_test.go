package main

import (
	"strings"
	"testing"
)

// keys explains every key, and completion offers it; a mistyped key is answered by the nearest one.
func TestProtocolKeys(t *testing.T) {
	code, all, stderr := call("protocol", "keys")
	if code != exitOK {
		t.Fatal(stderr)
	}
	for _, name := range []string{"method", "quality.snr_last", "acquisition.echoes"} {
		if !strings.Contains(all, "\n"+name+": ") {
			t.Errorf("%s is not explained", name)
		}
		code, one, stderr := call("protocol", "keys", name)
		if code != exitOK || !strings.HasPrefix(one, name+": ") || !strings.Contains(all, one) {
			t.Errorf("%s: exit status %d, %q %s", name, code, one, stderr)
		}
	}
	if _, offered, _ := call("__complete", "protocol", "keys", "quality.s"); !strings.Contains(offered, "quality.snr_last\n") ||
		strings.Contains(offered, "method") {
		t.Errorf("completion offers %q", offered)
	}
	if code, _, stderr := call("protocol", "keys", "metod"); code != exitUsage ||
		!strings.Contains(stderr, "did you mean method") {
		t.Errorf("exit status %d: %s", code, stderr)
	}
}
