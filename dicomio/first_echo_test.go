package dicomio

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/internal/dicomtest"
)

// The first echo is read from a train, and from a series of two echoes, which is not a
// train, in one file for each image and in one for all.
func TestFirstEcho(t *testing.T) {
	for _, echoes := range []int{1, 2, 4} {
		for _, enhanced := range []bool{false, true} {
			images := slices.DeleteFunc(trainOf(), func(im dicomwrite.Image) bool { return im.TE > float64(10*echoes) })
			dir := t.TempDir()
			files := 3
			if enhanced {
				files = 1
				o := dicomtest.Enhanced{Series: images[0].Series, Grid: images[0].Grid, InstanceUID: "2.25.77",
					TR: 2000}
				for _, im := range images {
					o.Frames = append(o.Frames, dicomtest.Frame{TE: im.TE, Position: im.Position, Pixels: im.Pixels})
				}
				var b bytes.Buffer
				if err := dicomtest.WriteEnhanced(&b, o); err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, "IM"), b.Bytes())
			} else {
				save(t, dir, images)
			}
			st := find(t, dir).Studies[0]
			all := slices.Concat(st.Trains, st.Others)
			if len(all) != 1 || (len(st.Trains) == 1) != (echoes == 4) {
				t.Fatalf("%d echoes: %+v", echoes, st)
			}
			first := all[0].FirstEcho()
			s, read, err := Read(t.Context(), first, 0)
			if err != nil || len(s.TE) != 1 || s.TE[0] != 10 || len(s.Echo) != 1 || s.Size != [3]int{5, 3, 3} ||
				len(read) != files || first.Images != 3 {
				t.Fatalf("%d echoes, enhanced %t: %v, TE %v, size %v, %d files", echoes, enhanced, err, s.TE, s.Size,
					len(read))
			}
			for v, x := range s.Echo[0] {
				if x != float32(100*(v/15)+v%15) {
					t.Fatalf("%d echoes: voxel %d is %g", echoes, v, x)
				}
			}
			if len(all[0].TE) != echoes {
				t.Errorf("the series has %d echoes now", len(all[0].TE))
			}
		}
	}
}

// A series that cannot be read is a problem only if its first echo is requested. A series
// without a frame of reference shares none.
func TestFirstEchoProblem(t *testing.T) {
	images := trainOf()
	images = slices.DeleteFunc(images, func(im dicomwrite.Image) bool { return im.TE > 10 })
	for n := range images {
		images[n].FrameOfReferenceUID = ""
	}
	dir := t.TempDir()
	save(t, dir, append(slices.Clone(images), func() dicomwrite.Image {
		im := images[0]
		im.InstanceUID = "2.25.99"
		im.Position[0] += 0.7
		return im
	}()))
	other := find(t, dir).Studies[0].Others[0]
	if first := other.FirstEcho(); other.Problem != nil || first.Problem == nil {
		t.Errorf("problems %v and %v", other.Problem, first.Problem)
	}
	if _, _, err := Read(t.Context(), other.FirstEcho(), 0); err == nil {
		t.Error("it is read")
	}
	if other.SharesFrame(other) {
		t.Error("no frame is a frame")
	}
}
