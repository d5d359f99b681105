package volume

import (
	"image"
	"reflect"
	"testing"
)

func TestExtent(t *testing.T) {
	l := Labels{Geometry: Geometry{Size: [3]int{5, 4, 3}}, Data: make([]uint16, 60)}
	if got := l.Extent(); !reflect.DeepEqual(got, Extent{}) {
		t.Errorf("without labels: %v", got)
	}
	l.Data[1+5*(2+4*0)] = 1
	l.Data[3+5*(2+4*0)] = 2
	l.Data[4+5*(0+4*2)] = 900
	want := Extent{Slices: []int{0, 2}, Voxels: 3, Box: image.Rect(1, 0, 5, 3)}
	if got := l.Extent(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
