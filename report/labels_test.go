package report

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/volume"
)

// labelLine is a line of ITK-SNAP's label descriptions as its parser takes it: seven numbers
// and a name in quotes.
var labelLine = regexp.MustCompile(`^ *(\d+) +(\d+) +(\d+) +(\d+) +([01]) +([01]) +([01]) +"([^"]*)"$`)

// readLabelTable returns names and colours by number.
func readLabelTable(t *testing.T, path string) (names []string, colours []color.RGBA) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if strings.HasPrefix(l, "#") {
			continue
		}
		m := labelLine.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("%s: not a label: %q", filepath.Base(path), l)
		}
		if want := fmt.Sprint(len(names)); m[1] != want {
			t.Errorf("label %s, want %s", m[1], want)
		}
		var c color.RGBA
		if _, err := fmt.Sscan(strings.Join(m[2:5], " "), &c.R, &c.G, &c.B); err != nil {
			t.Fatal(err)
		}
		c.A = 0xff
		names, colours = append(names, m[8]), append(colours, c)
	}
	return names, colours
}

// Each number of a label map has its name in the table beside it, and the colour that the
// picture shows.
func TestLabelTables(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := full()
	if _, err := WriteStudy(dir, s); err != nil {
		t.Fatal(err)
	}
	names, colours := readLabelTable(t, filepath.Join(dir, "compartments.txt"))
	if want := append([]string{"Clear Label"}, s.Regions.Names...); !slices.Equal(names, want) {
		t.Errorf("compartments.txt: %q, want %q", names, want)
	}
	img, sh, _ := drawOverlay(t, s)
	em := sh.textSize(sh.size.X) * 8 / 10 // of the keys; the first begins at three quarters of it
	if swatch := img.At(em*3/4, 3*sh.textSize(sh.size.X)+em/2); swatch != colours[1] {
		t.Errorf("medial is %v in the legend and %v in the table", swatch, colours[1])
	}
	names, colours = readLabelTable(t, filepath.Join(dir, "regions.txt"))
	if len(names) != 31 || names[1] != "medial-tibial-anterior deep" || names[30] != "lateral-meniscus superficial" {
		t.Errorf("regions.txt: %q", names)
	}
	sc := newScene(s)
	var b bytes.Buffer
	if err := writeRegions(&b, sc, s.Result); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	sh = newSheet(sc, false, nil)
	sh.header = picture.Bounds().Dy() - (sh.size.Y - sh.header) // with its keys
	n, seen := s.Echo.Size[0], map[uint16]bool{}
	for v, p := range volume.Slice(s.Regions.Geometry, s.Regions.Part, 1) {
		if p == 0 {
			continue
		}
		at := sh.pixelOf(1, v%n, v/n)
		if got := picture.At(at.X, at.Y); got != colours[p] {
			t.Fatalf("a voxel of %s is %v in regions.png and %v in the table", names[p], got, colours[p])
		}
		seen[p] = true
	}
	if len(seen) < 25 {
		t.Errorf("the test saw %d parts", len(seen))
	}
}

// A name from a scheme cannot break the table.
func TestLabelTableOfHostileNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	var b bytes.Buffer
	if err := writeLabelTable(&b, []labelRow{{number: 1, name: "a\"\n    2 0 0 0 1 1 1 \"b"}, {number: 2, name: `c\`},
		{number: 3, name: ""}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if names, _ := readLabelTable(t, path); len(names) != 4 || names[2] != "c'" {
		t.Errorf("names %q", names)
	}
}
