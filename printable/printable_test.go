package printable

import "testing"

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"S01":               "S01",
		"":                  "",
		"=1+1":              "'=1+1",
		"+cmd|' /C calc'!A": "'+cmd|' /C calc'!A",
		"-2+3":              "'-2+3",
		"@SUM(A1)":          "'@SUM(A1)",
		"\t=1":              "' =1",
		"\r=1":              "' =1",
		"  =1":              "'  =1",
		"＝1":                "'＝1",
		"\u202e=1":          "' =1",
		"-5":                "-5",
		"+3.25":             "+3.25",
		"-1e5":              "'-1e5",
		"a=b":               "a=b",
		"\tabc":             "' abc",
		"two\nlines":        "two lines",
		"nul\x00byte":       "nul byte",
		"bad\xffutf8":       "bad\uFFFDutf8",
		"Jürgen":            "Jürgen",
	} {
		if got := Cell(in); got != want {
			t.Errorf("Cell(%q) = %q, want %q", in, got, want)
		}
	}
}
