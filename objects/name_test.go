package objects

import "testing"

// No name leads out of a folder, also where a backslash divides folders.
func TestFileName(t *testing.T) {
	for name, want := range map[string][2]bool{ // by whether the separator is a slash or a backslash
		"S1/M0/result.json": {true, true}, "a b/ü": {true, true}, ".t2map/index": {true, true},
		`..\..\evil/result.json`: {true, false}, `a\b`: {true, false}, `\\server\share`: {true, false},
		"../a": {}, "a/../../b": {}, "/a": {}, "a//b": {}, "a/": {}, "": {}, ".": {}, "..": {}, "a/./b": {}, "a\xff": {},
	} {
		for n, separator := range []rune{'/', '\\'} {
			if got := isFileName(name, separator); got != want[n] {
				t.Errorf("%q with %q: %v", name, separator, got)
			}
		}
	}
}
