package anatomy_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/t2map/t2map/segment/anatomy"
)

// realTissues are the labels of the real knee; see its README.
var realTissues = [...]anatomy.Tissue{
	anatomy.NoTissue, anatomy.FemoralCartilage, anatomy.MedialTibialCartilage, anatomy.LateralTibialCartilage, anatomy.PatellarCartilage,
	anatomy.Femur, anatomy.Tibia, anatomy.Patella, anatomy.Fibula, anatomy.LateralMeniscus, anatomy.MedialMeniscus,
}

// realKnee reads the right knee of ../shared/data/knee-dess-seg: one NRRD file of bytes in
// gzip, in LPS.
func realKnee(t testing.TB) anatomy.Mask {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "knee-dess-seg", "labels.nrrd"))
	if err != nil {
		t.Skipf("the real knee is not here: %v", err)
	}
	header, data, _ := bytes.Cut(file, []byte("\n\n"))
	var m anatomy.Mask
	for line := range strings.Lines(string(header)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.NewReplacer("(", " ", ")", " ", ",", " ").Replace(value)
		switch key {
		case "sizes":
			_, err = fmt.Sscan(value, &m.Size[0], &m.Size[1], &m.Size[2])
		case "space directions":
			a := &m.Affine
			_, err = fmt.Sscan(value, &a[0][0], &a[1][0], &a[2][0], &a[0][1], &a[1][1], &a[2][1], &a[0][2], &a[1][2], &a[2][2])
		case "space origin":
			_, err = fmt.Sscan(value, &m.Affine[0][3], &m.Affine[1][3], &m.Affine[2][3])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	labels, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	m.Data = make([]anatomy.Tissue, len(labels))
	for v, l := range labels {
		m.Data[v] = realTissues[l]
	}
	return m
}

func TestRealKnee(t *testing.T) {
	m := realKnee(t)
	k, err := anatomy.Examine(m)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", k.Side())
	d, err := k.Divide(anatomy.UnknownSide)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v\n%+v\n%+v\n%+v", *d.Femur, *d.Tibia, *d.Patella, d.Notes)
	count := map[anatomy.Region]int{}
	for _, r := range d.Data {
		count[r]++
	}
	for _, r := range anatomy.Regions() {
		t.Logf("%v %d", r, count[r])
	}
	if p := os.Getenv("ZZDUMP"); p != "" {
		b := make([]byte, len(d.Data))
		for v, r := range d.Data {
			b[v] = byte(r)
		}
		os.WriteFile(p, b, 0o666)
	}
}

func BenchmarkRealKnee(b *testing.B) {
	m := realKnee(b)
	b.ReportAllocs()
	for b.Loop() {
		k, err := anatomy.Examine(m)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Divide(k.Side().Side); err != nil {
			b.Fatal(err)
		}
	}
}
