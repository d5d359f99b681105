package report

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"
)

// The unrolled map is where its axes say: a cell of known T2 has its colour at its angle and position.
func TestUnrolledPicture(t *testing.T) {
	u := sampleUnrolled()
	rows, cols := u.Size()
	row, col := rows*3/4, cols*3/4
	u.T2[row*cols+col] = 60
	var b bytes.Buffer
	if err := writeUnrolled(&b, *u, sampleResult(sampleGeometry())); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	left, bottom := unrolledLeft, img.Bounds().Dy()-unrolledBottom
	x := left + int((float64(col)+0.5)*unrolledWidth/float64(cols))
	y := bottom - unrolledHeight + int((float64(row)+0.5)*unrolledHeight/float64(rows))
	if got := img.At(x, y); !within(got, plasmaAt[60], 5) {
		t.Errorf("60 ms has the colour %v", got)
	}
	notch := img.At(left+unrolledWidth/2, bottom-unrolledHeight/10)
	if !within(notch, color.Black, 0) {
		t.Errorf("the notch has the colour %v", notch)
	}
	for side, want := range map[string][2]string{"left": {"medial", "lateral"}, "right": {"lateral", "medial"},
		"": {"right", "left"}} {
		u.Side = side
		if got := u.ends(); got != want {
			t.Errorf("%q knee: ends %q, want %q", side, got, want)
		}
	}
}

// A profile is drawn in pieces around bins without a T2.
func TestProfileRuns(t *testing.T) {
	runs := sampleProfiles()[0].runs()
	if len(runs) != 2 || len(runs[0]) != 4 || len(runs[1]) != 5 {
		t.Errorf("runs %v", runs)
	}
	if runs := (Profile{}).runs(); runs != nil {
		t.Errorf("runs of nothing: %v", runs)
	}
}
