package dicomio

import "testing"

func TestSideInWords(t *testing.T) {
	for text, want := range map[string]string{
		"SAG_T2_MAP_RIGHT": "R", "sag t2 map left": "L", "T2 LT KNEE": "L", "KNEE R T2map": "R", "R-KNEE": "R",
		"Knie links T2": "L", "genou droit": "R",
		"": "", "T2 map R": "", "SAG T2": "", "BRIGHT BLOOD": "", "left right compare": "", "T2 L 3": "",
		"PD FS R/L phase": "", "BOTH KNEES": "",
	} {
		if got := sideInWords(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
