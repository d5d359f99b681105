package reader

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/dicomio/dicomwrite"
	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// voxels is a box of voxels, with the ends included.
type voxels struct{ i0, j0, i1, j1, k int }

// runs returns the voxels with a label.
func (v voxels) runs(size [3]int, label uint16) (runs []drawing.Run) {
	for j := v.j0; j <= v.j1; j++ {
		runs = append(runs, drawing.Run{First: v.i0 + size[0]*(j+size[1]*v.k), Length: v.i1 - v.i0 + 1, Label: label})
	}
	return runs
}

// outline draws a box of voxels with the polygon tool: a click at each corner, which lies between voxels, and Enter.
func (b *browser) outline(v voxels) {
	b.t.Helper()
	get1[any](b, fmt.Sprintf("t2map.goTo(%d)", v.k))
	b.idle()
	b.press("p")
	for _, corner := range [][2]int{{v.i0, v.j0}, {v.i1 + 1, v.j0}, {v.i1 + 1, v.j1 + 1}, {v.i0, v.j1 + 1}} {
		x, y := b.at(float64(corner[0])-0.5, float64(corner[1])-0.5, float64(v.k))
		b.drag([][2]float64{{x, y}})
	}
	b.press(kb.Enter)
	b.idle()
}

// begin begins a drawing from a mask with a name.
func (b *browser) begin(start string) {
	b.t.Helper()
	b.wait("document.querySelectorAll('#starts button').length > 0")
	get1[any](b, fmt.Sprintf("[...document.querySelectorAll('#starts button')].find(e => e.textContent.toLowerCase().includes(%q)).click()", start))
	b.wait("t2map.step >= 0")
	b.idle()
}

// sign signs what is drawn.
func (b *browser) sign(name string, meaning int) {
	b.t.Helper()
	b.ctrl(kb.Enter, false)
	b.wait("document.querySelector('#dialog[open] form')")
	get1[any](b, fmt.Sprintf(`(() => {
		const form = document.querySelector("#dialog form");
		form.querySelector("input").value = %q;
		form.querySelector("select").selectedIndex = %d;
		form.querySelectorAll("textarea[required]").forEach(e => e.value = "as agreed");
		form.querySelectorAll("input[type=password]").forEach(e => e.value = window.word);
		form.requestSubmit();
	})()`, name, meaning))
	b.wait("!document.querySelector('#dialog[open]')")
	b.idle()
}

// drawn returns the mask of the page.
func (b *browser) drawn() []drawing.Run {
	b.t.Helper()
	return get1[[]drawing.Run](b, "t2map.runs()")
}

// What is drawn with the mouse is, voxel for voxel, what the page shows, what a second program reads from the mask, and
// what the tables count. Undo, redo, copy and interpolation are those of the server.
func TestBrowserDraws(t *testing.T) {
	phantom := func(t *testing.T) *trial { return newTrial(t, "S01") }
	for name, c := range map[string]struct {
		trial func(*testing.T) *trial
		box   voxels
		far   int // a slice further
	}{
		"phantom":  {phantom, voxels{20, 30, 27, 34, 1}, 4},
		"the knee": {kneeTrial, voxels{100, 120, 111, 127, 0}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			x := c.trial(t)
			mapped := make(chan batch.Outcome, 1)
			s := x.serve(readerOne, func(o *Options) { o.Signed = func() { mapped <- x.run() } })
			b := newBrowser(t, s, 1440, 900)
			id := strings.TrimPrefix(s.first(), "/api/cases/")
			b.open(id)
			b.begin("nothing")
			size := get[Study](s, s.first()).Grid.Size
			expect := func(step string, want []drawing.Run) {
				t.Helper()
				if got := b.drawn(); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", step, got, want)
				}
				served := labelsOf(s.send("GET", s.first()+"/mask", nil).body)
				if got := drawing.Runs(served); !slices.Equal(got, want) {
					t.Errorf("%s: the server has %v, want %v", step, got, want)
				}
			}
			near := c.box
			label := s.server.labels()[0].Value
			b.outline(near)
			expect("outline", near.runs(size, label))
			b.ctrl("z", false)
			expect("undo", nil)
			b.ctrl("z", true)
			expect("redo", near.runs(size, label))
			far := near
			far.k = c.far
			b.outline(far)
			b.press("g") // between the slices
			b.idle()
			var all []drawing.Run
			for k := near.k; k <= far.k; k++ {
				one := near
				one.k = k
				all = append(all, one.runs(size, label)...)
			}
			expect("interpolation", all)
			get1[any](b, fmt.Sprintf("t2map.goTo(%d)", near.k))
			b.ctrl("z", false)
			b.ctrl("z", false)
			expect("undone twice", near.runs(size, label))
			b.press("n") // a copy in the next slice
			b.idle()
			copied := near
			copied.k++
			expect("copy", append(near.runs(size, label), copied.runs(size, label)...))
			b.ctrl("z", false)
			b.outline(far)
			b.press("g")
			b.idle()
			expect("interpolation again", all)
			b.picture("drawn-" + strings.ReplaceAll(name, " ", "-"))
			if got := get1[int](b, "t2map.values.rows[0].voxels"); got != lengths(all) {
				t.Errorf("the page says %d voxels", got)
			}
			b.sign("R. Ader", 1)
			out := <-mapped
			if out.Mapped != 1 {
				t.Fatalf("%+v", out)
			}
			s.server.follow.wait()
			checkMask(t, x, all)
			b.checkQuiet()
		})
	}
}

func lengths(runs []drawing.Run) (n int) {
	for _, r := range runs {
		n += r.Length
	}
	return n
}

// checkMask compares what a second program reads from the signed mask, and what the tables count, with the voxels that were
// drawn.
func checkMask(t *testing.T, x *trial, want []drawing.Run) {
	t.Helper()
	result := x.results[0]
	key := reads.Key{Study: result.Study, Series: result.Series}
	mask := filepath.Join(x.settings.Out, "reads", "R1", key.String(), "1", "mask.nii.gz")
	got, affine := nibabel(t, mask)
	if diff := slices.Compare(flat(got), flat(want)); diff != 0 {
		t.Errorf("nibabel reads %v, drawn %v", got, want)
	}
	g := readLabels(t, filepath.Join(result.Dir, report.CompartmentsFile)).Geometry
	for r := range 3 {
		for c := range 4 {
			sign := 1.0
			if r < 2 {
				sign = -1 // NIfTI is RAS
			}
			if math.Abs(sign*affine[r][c]-g.Affine[r][c]) > 1e-3 {
				t.Errorf("affine %v, of the series %v", affine, g.Affine)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(x.settings.Out, "compartments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(rows[0], "voxels")
	total := 0
	for _, row := range rows[1:] {
		n := 0
		fmt.Sscan(row[column], &n)
		total += n
	}
	if total != lengths(want) {
		t.Errorf("compartments.csv has %d voxels, drawn %d", total, lengths(want))
	}
}

func flat(runs []drawing.Run) (all []int) {
	for _, r := range runs {
		all = append(all, r.First, r.Length, int(r.Label))
	}
	return all
}

// nibabel reads a mask with nibabel.
func nibabel(t *testing.T, path string) (runs []drawing.Run, affine [4][4]float64) {
	t.Helper()
	const program = `
import sys, json, nibabel, numpy
image = nibabel.load(sys.argv[1])
data = numpy.asarray(image.dataobj).flatten(order="F")
runs = []
for v in numpy.flatnonzero(data):
    if runs and runs[-1][0] + runs[-1][1] == v and runs[-1][2] == data[v]: runs[-1][1] += 1
    else: runs.append([int(v), 1, int(data[v])])
print(json.dumps([runs, image.affine.tolist()]))`
	text, err := exec.Command("/usr/bin/python3", "-c", program, path).Output()
	if err != nil {
		t.Skipf("nibabel is not installed: %v", err)
	}
	var out [2]json.RawMessage
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out[0], &runs); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out[1], &affine); err != nil {
		t.Fatal(err)
	}
	return runs, affine
}

// kneeTrial is the real knee.
func kneeTrial(t *testing.T) *trial {
	t.Helper()
	scan, err := filepath.Abs("../../shared/data/knee-ge-mese")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(scan); err != nil {
		t.Skip("../shared/data/knee-ge-mese is not here")
	}
	scheme, err := segment.ParseScheme([]byte("name: rule\nlabels:\n  2: medial\n  3: patellofemoral\n"))
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{t: t, dir: t.TempDir()}
	x.settings = batch.Settings{Roots: []string{scan}, Out: filepath.Join(x.dir, "results"),
		Protocol: protocol.Protocol{Scheme: scheme}}
	x.run()
	return x
}

// Series of any orientation are shown as radiologists expect, and the voxel under the pointer is the one that is drawn:
// rows and columns exchanged, mirrored, slices in the other order, and oblique.
func TestBrowserOrientations(t *testing.T) {
	program := chromium(t)
	c, s := math.Cos(0.3), math.Sin(0.3)
	for name, directions := range map[string][3][3]float64{ // of i, j and k, LPS
		"sagittal":             {{0, 1, 0}, {0, 0, -1}, {-1, 0, 0}},
		"sagittal, mirrored":   {{0, -1, 0}, {0, 0, -1}, {1, 0, 0}},
		"sagittal, upside":     {{0, 1, 0}, {0, 0, 1}, {1, 0, 0}},
		"sagittal, transposed": {{0, 0, -1}, {0, 1, 0}, {1, 0, 0}},
		"sagittal, turned":     {{0, 0, 1}, {0, -1, 0}, {1, 0, 0}},
		"oblique":              {{s, c, 0}, {0, 0, -1}, {-c, s, 0}},
		"coronal":              {{1, 0, 0}, {0, 0, -1}, {0, 1, 0}},
		"axial, mirrored":      {{-1, 0, 0}, {0, 1, 0}, {0, 0, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			x := orientedTrial(t, directions)
			site := x.serve(readerOne, func(o *Options) { o.Signed = func() { x.run() } })
			b := site.tab(t, program, 1024, 768)
			b.open(strings.TrimPrefix(site.first(), "/api/cases/"))
			study := get[Study](site, site.first())
			b.begin("nothing")
			box := voxels{3, 5, 9, 8, 2}
			b.outline(box)
			want := box.runs(study.Grid.Size, 1)
			if got := b.drawn(); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			p := get1[[2]float64](b, "t2map.drawnAt(3, 5)")
			if u, v := b.at(3, 5, 2); math.Hypot(u-p[0], v-p[1]) > 1.5 {
				t.Errorf("voxel (3, 5) is drawn at %v, and the pointer finds it at %g, %g", p, u, v)
			}
			checkDirections(t, b, study)
			b.picture("orientation-" + strings.NewReplacer(",", "", " ", "-").Replace(name))
			b.sign("R. Ader", 1)
			site.server.follow.wait()
			checkMask(t, x, want)
			b.checkQuiet()
		})
	}
}

// checkDirections compares where voxels are in the window with where they are in the patient: anterior is on the left of
// sagittal slices, the patient's right on the left of others, and the head, or the front, at the top.
func checkDirections(t *testing.T, b *browser, study Study) {
	t.Helper()
	g := volume.Geometry{Size: study.Grid.Size, Affine: study.Grid.Affine}
	x0, y0 := b.at(3, 5, 2)
	from := g.Position(3, 5, 2)
	for _, step := range [][2]float64{{1, 0}, {0, 1}} {
		x, y := b.at(3+step[0], 5+step[1], 2)
		to := g.Position(3+step[0], 5+step[1], 2)
		right, down := 0, 2 // axes of the patient
		rightSign, downSign := 1.0, -1.0
		switch study.Grid.Plane {
		case sagittal:
			right = 1
		case axial:
			down, downSign = 1, 1
		}
		if d := rightSign * (to[right] - from[right]); math.Abs(d) > 0.5 && math.Signbit(d) != math.Signbit(x-x0) {
			t.Errorf("%s: a step of %g mm is shown %g pixels to the right", study.Grid.Plane, d, x-x0)
		}
		if d := downSign * (to[down] - from[down]); math.Abs(d) > 0.5 && math.Signbit(d) != math.Signbit(y-y0) {
			t.Errorf("%s: a step of %g mm is shown %g pixels down", study.Grid.Plane, d, y-y0)
		}
	}
}

// orientedTrial is a series of 16 × 12 × 5 voxels whose directions are those of i, j and k.
func orientedTrial(t *testing.T, d [3][3]float64) *trial {
	t.Helper()
	const columns, rows, slicesOf, echoes, spacing, thickness = 16, 12, 5, 5, 1.5, 4.0
	x := &trial{t: t, dir: t.TempDir()}
	folder := filepath.Join(x.dir, "studies", "s")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for k := range slicesOf {
		for e := range echoes {
			te := 10 * float64(e+1)
			im := dicomwrite.Image{
				Series: dicomwrite.Series{StudyUID: "1.2.3", SeriesUID: "1.2.3.1", FrameOfReferenceUID: "1.2.3.9", PatientID: "S01",
					TrialSubject: "S01", TrialTimepoint: "baseline", Manufacturer: "test", Laterality: "R", SeriesNumber: 1},
				Grid: dicomwrite.Grid{Rows: rows, Columns: columns, PixelSpacing: [2]float64{spacing, spacing},
					Orientation:    [6]float64{d[0][0], d[0][1], d[0][2], d[1][0], d[1][1], d[1][2]},
					SliceThickness: thickness, SpacingBetweenSlices: thickness},
				InstanceUID: fmt.Sprintf("1.2.3.1.%d.%d", k+1, e+1), InstanceNumber: k*echoes + e + 1, EchoNumber: e + 1,
				TE: te, TR: 2000,
			}
			for c := range 3 {
				im.Position[c] = thickness * float64(k) * d[2][c]
			}
			for j := range rows {
				for i := range columns {
					im.Pixels = append(im.Pixels, int32(100+900*math.Exp(-te/float64(30+2*i+j+k))))
				}
			}
			f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d-%d.dcm", k, e)))
			if err != nil {
				t.Fatal(err)
			}
			if err := dicomwrite.WriteImage(f, im); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	scheme, err := segment.Named("compartments")
	if err != nil {
		t.Fatal(err)
	}
	x.settings = batch.Settings{Roots: []string{filepath.Join(x.dir, "studies")}, Out: filepath.Join(x.dir, "results"),
		Protocol: protocol.Protocol{Scheme: scheme}}
	return x
}

// A click shows the decay of a voxel, with the numbers of the fit; what the text says is what the server has computed.
func TestBrowserVoxel(t *testing.T) {
	x := newTrial(t, "S01")
	s := x.serve(readerOne)
	b := newBrowser(t, s, 1440, 900)
	b.open(strings.TrimPrefix(s.first(), "/api/cases/"))
	mask := readLabels(t, filepath.Join(x.results[0].Dir, report.CompartmentsFile))
	v := slices.IndexFunc(mask.Data, func(l uint16) bool { return l == 1 })
	p := mask.Index(v)
	get1[any](b, fmt.Sprintf("t2map.goTo(%d)", p[2]))
	b.idle()
	px, py := b.at(float64(p[0]), float64(p[1]), float64(p[2]))
	b.drag([][2]float64{{px, py}})
	b.idle()
	want := get[Voxel](s, fmt.Sprintf("%s/voxel?v=%d", s.first(), v))
	shown := get1[Voxel](b, "t2map.pin.answer")
	if fmt.Sprint(shown) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", shown, want)
	}
	text := get1[string](b, "document.getElementById('fits').innerText")
	for _, f := range want.Fits {
		if number := fmt.Sprintf("%.1f", float64(f.T2)); !strings.Contains(text, number) {
			t.Errorf("%q has no T2 of %s by %s", text, number, f.Method)
		}
	}
	t2 := readFloats(t, filepath.Join(x.results[0].Dir, report.T2File))
	if float32(want.Fits[0].T2) != t2[v] {
		t.Errorf("T2 %g, in the map %g", float64(want.Fits[0].T2), t2[v])
	}
	b.picture("voxel")
	b.do(chromedp.MouseClickXY(px, py, chromedp.ButtonModifiers(input.ModifierShift))) // the mean of a brush
	b.idle()
	mean := get1[Voxel](b, "t2map.pin.answer")
	radius := get1[float64](b, "t2map.pin.radius")
	wanted := get[Voxel](s, fmt.Sprintf("%s/brush?v=%d&mm=%g", s.first(), v, radius))
	if mean.Voxels != wanted.Voxels || fmt.Sprint(mean.Fits) != fmt.Sprint(wanted.Fits) || radius <= 0 {
		t.Errorf("a brush of %g mm: %+v, want %+v", radius, mean, wanted)
	}
	b.checkQuiet()
}
