package figure

import (
	"slices"
	"strings"
	"testing"
)

func TestWritable(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "Control": true, "Kontrollgruppe ü": true, "Контроль": true, "ΔT2 ≥ 5 µg": true, "line\nbreak": true,
		"対照群": false, "A 群": false, "😀": false, "ביקורת": false, "شاهد": false,
	} {
		if got := Writable(s); got != want {
			t.Errorf("Writable(%q) = %v", s, got)
		}
	}
}

func TestShortenAll(t *testing.T) {
	within := func(n int) func(string) bool { return func(s string) bool { return len([]rune(s)) <= n } }
	for _, c := range []struct {
		names []string
		most  int
		want  []string
	}{
		{nil, 5, nil},
		{[]string{"control", "dose"}, 9, []string{"control", "dose"}},
		{[]string{"control group", "dose group"}, 5, []string{"cont…", "dose…"}},
		{[]string{"arm of dose A", "arm of dose B", "arm of dose A"}, 8, []string{"arm …e A", "arm …e B", "arm …e A"}},
		{[]string{"arm of dose A", "arm of dose B", "short"}, 8, []string{"arm …e A", "arm …e B", "short"}},
		{[]string{"dose one of the arm", "dose two of the arm", ""}, 6, []string{"1: do…", "2: do…", ""}},
		{[]string{"dose one of the arm", "dose two of the arm"}, 1, []string{"1", "2"}},
		{[]string{"A", "A\u202e"}, 8, []string{"1: A", "2: A"}},
	} {
		got := ShortenAll(c.names, within(c.most))
		if len(c.names) > 0 && strings.HasSuffix(c.names[len(c.names)-1], "\u202e") {
			// What stands for a sign that cannot be seen is another package's matter.
			if got[0] == got[1] {
				t.Errorf("%q become %q", c.names, got)
			}
			continue
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q become %q, want %q", c.names, got, c.want)
		}
	}
}

// Whatever the names and the room, those that differ stay so, and fit where their number does.
func FuzzShortenAll(f *testing.F) {
	f.Add("aaaaaaaaaaaaab", "aaaaaaaaaaaaac", "aaaaaaaaaaaab", uint8(6))
	f.Add("1: x", "xx", "\x00", uint8(2))
	f.Fuzz(func(t *testing.T, a, b, c string, most uint8) {
		names := []string{a, b, c}
		got := ShortenAll(names, func(s string) bool { return len([]rune(s)) <= int(most) })
		for i := range names {
			if n := len([]rune(got[i])); n > max(int(most), 1) {
				t.Errorf("%q becomes %q of %d letters for %d", names[i], got[i], n, most)
			}
			for j := range i {
				if (names[i] == names[j]) != (got[i] == got[j]) {
					t.Errorf("%q and %q become %q and %q", names[i], names[j], got[i], got[j])
				}
			}
		}
	})
}
