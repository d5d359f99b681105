package reader

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
)

var update = flag.Bool("update", false, "write the pictures of the page in docs anew")

// The pictures of the documentation are those of the page. Their bytes depend on the browser and its letters, so that the test
// compares none; it fails if a view cannot be made.
func TestBrowserPictures(t *testing.T) {
	program := chromium(t)
	x := likeAKnee(t)
	keep := func(b *browser, name string) {
		t.Helper()
		b.idle()
		if *update {
			b.pictureIn(filepath.Join("..", "docs"), name)
		}
		b.picture(name)
		b.checkQuiet()
	}
	s := x.serve(readerOne)
	at := s.first()
	id := at[len("/api/cases/"):]
	b := s.tab(t, program, 1440, 900)
	b.open(id)
	mask := readLabels(t, filepath.Join(x.results[0].Dir, report.CompartmentsFile))
	voxel := slices.IndexFunc(mask.Data, func(l uint16) bool { return l > 0 })
	most := 0 // the slice with most of the mask
	counts := make([]int, mask.Size[2])
	for v, l := range mask.Data {
		if l > 0 {
			counts[mask.Index(v)[2]]++
		}
	}
	most = slices.Index(counts, slices.Max(counts))
	for v := range mask.Data {
		if l := mask.Data[v]; l > 0 && mask.Index(v)[2] == most {
			voxel = v
		}
	}
	show := func(b *browser) {
		t.Helper()
		get1[any](b, fmt.Sprintf("t2map.goTo(%d)", most))
		b.idle()
	}
	show(b)
	p := mask.Index(voxel)
	u, v := b.at(float64(p[0]), float64(p[1]), float64(most))
	b.begin("the mask of the study")
	show(b)
	b.press("v")
	b.click(u, v)
	keep(b, "reader-look")
	b.press("b")
	b.do(chromedp.MouseEvent("mouseMoved", u-40, v+10))
	keep(b, "reader-draw")
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}).Do(ctx)
	}), chromedp.EmulateViewport(1024, 768))
	keep(b, "reader-dark")
	b.sign("R. Ader", 1)
	two := x.serve(gate.User{Code: "R2", Role: gate.Reader})
	draft := post[Draft](two, at+"/begin", Begin{Start: "mask"})
	state := Version{draft.Drawing, draft.Step.Step}
	for _, k := range []int{most - 1, most, most + 1} {
		g := Gesture{Version: state, Tool: "smooth", Label: 2, Slice: k, RadiusMM: 2}
		step := post[Step](two, at+"/stroke", g)
		state.Step = step.Step
		g = Gesture{Version: state, Tool: "brush", Label: 0, Slice: k, RadiusMM: 6, Points: [][2]float64{{float64(p[0]), float64(p[1])}}}
		state.Step = post[Step](two, at+"/stroke", g).Step
	}
	post[Done](two, at+"/sign", Signature{Version: state, State: reads.Signed, Name: "R. Eader", Meaning: "I have corrected this mask"})
	judge := x.serve(gate.User{Code: "A1", Role: gate.Adjudicator})
	c := judge.tab(t, program, 1440, 900)
	c.open(id)
	show(c)
	keep(c, "reader-adjudicate")
}

// likeAKnee is a phantom with as many voxels as a scan has, and a mask of tissues on its grid.
func likeAKnee(t *testing.T) *trial {
	t.Helper()
	scheme, err := segment.Named("skm-tea")
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{t: t, dir: t.TempDir()}
	for n, visit := range []string{"baseline", "month12"} {
		p, err := phantom.New(t.Context(), phantom.Options{Subject: "S01", Visit: visit, Seed: 7, Matrix: 224, Slices: 21,
			Shift: [3]float64{2 * float64(n)}})
		if err == nil {
			err = p.WriteAs(t.Context(), filepath.Join(x.dir, "studies", visit), phantom.Form{Mask: phantom.MaskTissuesAlone})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	x.settings = batch.Settings{Roots: []string{filepath.Join(x.dir, "studies")}, Out: filepath.Join(x.dir, "results"),
		Protocol: protocol.Protocol{Scheme: scheme}}
	x.run()
	return x
}
