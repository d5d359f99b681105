package register

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// Native elastix, of another version and compiler, returns the same transform for the same images
// and parameters, within 0.05 mm at the corners of the joint. Its printed parameters have six
// decimals.
func TestNative(t *testing.T) {
	if _, err := exec.LookPath("elastix"); err != nil {
		t.Skip("elastix is not installed")
	}
	k := theKnee(t)
	joint := BoundingBox(k.labels, 0)
	r := rand.New(rand.NewPCG(21, 22))
	for n := range max(1, transforms(t)/5) {
		moving := volume.Map{Geometry: k.thin.Moved(random(r, mean(joint.corners()), 10, 10)), Data: k.thin.Data}
		o := Options{}.fill()
		p, err := prepare(k.first, moving, o)
		if err != nil {
			t.Fatal(err)
		}
		laid := p.moving.moved(p.start(o).Inverse())
		got, err := run(t.Context(), o.parameters(), p.fixed.picture, laid, p.turns(o), p.memory())
		if err != nil {
			t.Fatal(err)
		}
		want := native(t, o.parameters(), p.fixed.picture, laid)
		_, corner, degrees := miss(got.rigid(), want.rigid(), joint)
		t.Logf("%d: %.6f mm at a corner, %.6f° apart", n, corner, degrees)
		if corner > 0.05 {
			t.Errorf("%d: %v, native elastix %v", n, got, want)
		}
	}
}

// native runs the installed elastix.
func native(t *testing.T, p parameters, fixed, moving picture) euler {
	t.Helper()
	dir := t.TempDir()
	var text strings.Builder
	for name, values := range p {
		value := values[0]
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			value = strconv.Quote(value)
		}
		fmt.Fprintf(&text, "(%s %s)\n", name, value)
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("p.txt"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	writeMetaImage(t, file("fixed.mha"), fixed)
	writeMetaImage(t, file("moving.mha"), moving)
	command := exec.CommandContext(
		t.Context(), "elastix", "-threads", "1", "-f", file("fixed.mha"), "-m", file("moving.mha"), "-p",
		file("p.txt"), "-out", dir,
	)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out[max(0, len(out)-500):])
	}
	result, err := os.ReadFile(file("TransformParameters.0.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []float64
	for _, name := range []string{"(TransformParameters ", "(CenterOfRotationPoint "} {
		_, after, _ := strings.Cut(string(result), name)
		line, _, _ := strings.Cut(after, ")")
		for field := range strings.FieldsSeq(line) {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, v)
		}
	}
	return euler{[3]float64(numbers[:3]), [3]float64(numbers[3:6]), [3]float64(numbers[6:9])}
}

// writeMetaImage writes a picture in a format that elastix reads.
func writeMetaImage(t *testing.T, path string, p picture) {
	t.Helper()
	row := func(values ...float64) string {
		var out []string
		for _, v := range values {
			out = append(out, strconv.FormatFloat(v, 'g', -1, 64))
		}
		return strings.Join(out, " ")
	}
	var axes []float64
	for c := range 3 {
		axes = append(axes, p.direction[0][c], p.direction[1][c], p.direction[2][c])
	}
	head := fmt.Sprintf(
		"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = %s\n"+
			"Offset = %s\nElementSpacing = %s\nDimSize = %d %d %d\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n",
		row(axes...), row(p.origin[:]...), row(p.spacing[:]...), p.size[0], p.size[1], p.size[2],
	)
	data, err := binary.Append([]byte(head), binary.LittleEndian, p.voxels)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, slices.Clip(data), 0o600); err != nil {
		t.Fatal(err)
	}
}
