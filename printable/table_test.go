package printable

import "testing"

func TestCSV(t *testing.T) {
	got := string(CSV([]string{"a", "b"}, [][]string{{"1", ""}, {`say "x"`, "1,5"}, {" x", "two\nlines"}}))
	want := "a,b\n1,\n\"say \"\"x\"\"\",\"1,5\"\n\" x\",\"two\nlines\"\n"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(CSV([]string{"a"}, nil)); got != "a\n" {
		t.Errorf("%q", got)
	}
}
