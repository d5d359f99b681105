package table

import "testing"

func TestIsAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"S01", "S01", true},
		{"S01", "s01", true},
		{"S01", "S 01", true},
		{"S01", "S01\u00a0", true},
		{"001", "1", true},
		{"001", "1.0", true}, // pandas, where a cell of the column is empty
		{"S01", "S1", true},
		{"KN-007-01", "KN-7-1", true},
		{"month03", "Month 3", true},
		{"M\u00fcller", "Mu\u0308ller", true},
		{"Ｓ０１", "S01", true}, // full width
		{"STRASSE", "straße", true},
		{"S_01", "S-01", true},
		{"S\u201301", "S-01", true}, // en dash
		{"S\u221201", "S-01", true}, // minus
		{"S 01", "S_01", true},      // as folders are named
		{"S\u200b01", "S01", true},  // zero-width space
		{"000", "0", true},

		{"S01", "S10", false},
		{"S01", "S02", false},
		{"100", "1", false},
		{"1-23", "12-3", false},
		{"1-23", "123", false},
		{"0.05 mg", "0.5 mg", false},
		{"0,05 mg", "0,5 mg", false},
		{"V1.0", "V1", false},
		{"S01", "", false},
		{"a", "b", false},
	} {
		if got := IsAlike(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v, keys %q and %q", c.a, c.b, got, Keys(c.a), Keys(c.b))
		}
		if got := IsAlike(c.b, c.a); got != c.want {
			t.Errorf("%q and %q are not alike in both directions", c.b, c.a)
		}
	}
}

func TestNames(t *testing.T) {
	var n Names
	for _, c := range []struct {
		name, other string
	}{{"S01", ""}, {"S02", ""}, {"S01", ""}, {"s1", "S01"}, {"S 02", "S02"}, {"S-2", "S 02"}, {"S-03", ""}} {
		other, ok := n.Add(c.name)
		if other != c.other || ok != (c.other != "") {
			t.Errorf("%q: %q, %v; want %q", c.name, other, ok, c.other)
		}
	}
	if _, alike := n.Find("S01"); alike || !n.Has("S01") || n.Has("S3") {
		t.Error("a name that was added is alike to itself, or one that was not is there")
	}
}
