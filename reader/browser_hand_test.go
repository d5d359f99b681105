package reader

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// push moves the left button, pressed or not, at a voxel of the slice that is shown.
func (b *browser) push(kind input.MouseType, i, j float64, pointer input.DispatchMouseEventPointerType) {
	b.t.Helper()
	x, y := b.at(i, j, get1[float64](b, "t2map.slice"))
	e := input.DispatchMouseEvent(kind, x, y).WithButton(input.Left).WithClickCount(1).WithPointerType(pointer)
	if kind == input.MouseMoved {
		e = e.WithButtons(1)
	}
	b.do(e)
}

// touch puts fingers at voxels of the slice that is shown, or lifts them all.
func (b *browser) touch(kind input.TouchType, voxels ...[2]float64) {
	b.t.Helper()
	points := []*input.TouchPoint{}
	for n, v := range voxels {
		x, y := b.at(v[0], v[1], get1[float64](b, "t2map.slice"))
		points = append(points, &input.TouchPoint{X: x, Y: y, ID: float64(n + 1)})
	}
	b.do(input.DispatchTouchEvent(kind, points))
}

// slicesOf returns the slices that have voxels.
func slicesOf(runs []drawing.Run, inSlice int) (all []int) {
	for _, r := range runs {
		all = append(all, r.First/inSlice)
	}
	return slices.Compact(all)
}

// A stroke stays in its slice with its tool whatever else the hands do, a polygon in its slice and study. Fingers that zoom
// draw nothing and lose nothing.
func TestBrowserHands(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "S01", "S02")
	s := x.serve(readerOne)
	b := s.tab(t, program, 1440, 900)
	items := get[[]Item](s, "/api/cases")
	size := get[Study](s, s.first()).Grid.Size
	inSlice := size[0] * size[1]
	b.open(items[0].ID)
	b.begin("nothing")
	get1[any](b, "t2map.goTo(2)")
	b.idle()
	b.press("b")
	b.push(input.MousePressed, 20, 20, input.Mouse)
	b.push(input.MouseMoved, 22, 20, input.Mouse)
	u, v := b.at(22, 20, 2)
	b.do(input.DispatchMouseEvent(input.MouseWheel, u, v).WithDeltaX(0).WithDeltaY(120))
	b.press("e")
	b.press(kb.ArrowDown)
	b.push(input.MouseMoved, 26, 20, input.Mouse)
	b.push(input.MouseReleased, 26, 20, input.Mouse)
	b.idle()
	stroke := b.drawn()
	if got := slicesOf(stroke, inSlice); !slices.Equal(got, []int{2}) || lengths(stroke) < 7 || get1[int](b, "t2map.step") != 1 {
		t.Errorf("a stroke in slice 2 is in slices %v: %v", got, stroke)
	}

	b.press("p")
	for _, corner := range [][2]float64{{30, 30}, {36, 30}} {
		b.push(input.MousePressed, corner[0], corner[1], input.Mouse)
		b.push(input.MouseReleased, corner[0], corner[1], input.Mouse)
	}
	// Two fingers zoom; the points stay.
	b.touch(input.TouchStart, [2]float64{20, 40})
	b.touch(input.TouchStart, [2]float64{20, 40}, [2]float64{30, 40})
	b.touch(input.TouchMove, [2]float64{19, 40}, [2]float64{31, 40})
	b.touch(input.TouchEnd)
	b.idle()
	get1[any](b, "t2map.goTo(4)")
	b.idle()
	b.push(input.MousePressed, 10, 10, input.Mouse) // in another slice
	b.push(input.MouseReleased, 10, 10, input.Mouse)
	b.wait("document.getElementById('notices').innerText.includes('slice 3')")
	get1[any](b, "t2map.goTo(2)")
	b.idle()
	for _, corner := range [][2]float64{{36, 36}, {30, 30}} { // the first point closes it
		b.push(input.MousePressed, corner[0], corner[1], input.Mouse)
		b.push(input.MouseReleased, corner[0], corner[1], input.Mouse)
	}
	b.idle()
	if got := get1[int](b, "t2map.step"); got != 2 || get1[any](b, "t2map.pin") != nil {
		t.Errorf("step %d after a polygon, pinned %v", got, get1[any](b, "t2map.pin"))
	}
	if got := slicesOf(b.drawn(), inSlice); !slices.Equal(got, []int{2}) {
		t.Errorf("a polygon in slice 2 is in slices %v", got)
	}

	// A hand rests beside a pen that draws; from then on a finger moves.
	b.press("b")
	b.push(input.MousePressed, 24, 44, input.Pen)
	b.touch(input.TouchStart, [2]float64{34, 50})
	b.push(input.MouseMoved, 27, 44, input.Pen)
	b.push(input.MouseReleased, 27, 44, input.Pen)
	b.touch(input.TouchEnd)
	b.idle()
	if got := get1[int](b, "t2map.step"); got != 3 {
		t.Errorf("step %d after a stroke of a pen", got)
	}

	// Points of a polygon do not come along to another study.
	b.press("p")
	for _, corner := range [][2]float64{{30, 30}, {36, 30}, {36, 36}} {
		b.push(input.MousePressed, corner[0], corner[1], input.Mouse)
		b.push(input.MouseReleased, corner[0], corner[1], input.Mouse)
	}
	b.do(chromedp.Click("#items .item:nth-child(2)", chromedp.ByQuery))
	b.wait(fmt.Sprintf("t2map.ready && t2map.id === %q", items[1].ID))
	b.idle()
	before := get1[int](b, "t2map.slice")
	b.press(kb.ArrowDown) // turns a slice, not the lines of the list
	b.idle()
	if got := get1[int](b, "t2map.slice"); got != before+1 {
		t.Errorf("slice %d after slice %d", got, before)
	}
	b.begin("nothing")
	b.press(kb.Enter)
	b.idle()
	if got := b.drawn(); len(got) > 0 || get1[int](b, "t2map.step") != 0 {
		t.Errorf("another study has %v", got)
	}

	// What is signed is what the dialog shows, and not what another tab draws meanwhile.
	at := "/api/cases/" + items[1].ID
	b.ctrl(kb.Enter, false)
	b.wait("document.querySelector('#dialog[open] form')")
	draft := get[Study](s, at).Draft
	g := Gesture{Version: Version{Drawing: draft.Drawing}, Tool: "brush", Label: 1, Slice: 1, Points: [][2]float64{{9, 9}}, RadiusMM: 5}
	if got := s.send("POST", at+"/stroke", g); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	b.wait("t2map.step === 1")
	get1[any](b, `(() => {
		const form = document.querySelector("#dialog form");
		form.querySelector("input").value = "R. Ader";
		form.querySelector("select").selectedIndex = 1;
		form.requestSubmit();
	})()`)
	b.wait("document.getElementById('dialog').innerText.includes('Nothing was signed')")
	if got := get[[]Item](s, "/api/cases")[1].State; got != reads.Draft {
		t.Errorf("the study is %s", got)
	}
	b.checkQuiet()
}

// A question and a rejection need no drawing. A manager sees the states of readers and has no button to draw or sign.
func TestBrowserDecides(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "S01", "S02")
	s := x.serve(readerOne)
	b := s.tab(t, program, 1024, 768)
	items := get[[]Item](s, "/api/cases")
	decide := func(n int, button, field, text string) {
		t.Helper()
		get1[any](b, fmt.Sprintf("(location.hash = %q)", items[n].ID))
		b.wait(fmt.Sprintf("t2map.ready && t2map.id === %q", items[n].ID))
		find := fmt.Sprintf("[...document.querySelectorAll('#head-right .action')].find(e => e.textContent === %q)", button)
		b.wait("!" + find + ".disabled") // until the study is drawn
		get1[any](b, find+".click()")
		b.wait("document.querySelector('#dialog[open] form')")
		get1[any](b, fmt.Sprintf(`(() => {
			const form = document.querySelector("#dialog form");
			form.querySelector(%q).value = %q;
			form.requestSubmit();
		})()`, field, text))
		b.wait("!document.querySelector('#dialog[open]')")
	}
	decide(0, "Query", "textarea", "Which side is it?")
	decide(1, "Reject", "input, select", "motion")
	b.idle()
	items = get[[]Item](s, "/api/cases")
	if items[0].State != reads.Query || items[1].State != reads.Rejected {
		t.Errorf("%s, %s", items[0].State, items[1].State)
	}
	b.checkQuiet()

	m := x.serve(gate.User{Code: "M1", Role: gate.Manager})
	b = m.tab(t, program, 1440, 900)
	b.open(items[0].ID)
	b.press("b")
	list := get1[string](b, "document.getElementById('items').innerText")
	if !strings.Contains(list, "R1 query") || !strings.Contains(list, "R1 rejected") || strings.Contains(list, "to read") {
		t.Errorf("the list of a manager says %q", list)
	}
	if n := get1[int](b, "[...document.querySelectorAll('.action, .start, #rail .tool')].filter(e => e.checkVisibility()).length"); n != 2 {
		t.Errorf("a manager has %d buttons, want look and ruler", n)
	}
	b.picture("manager")
	b.checkQuiet()
}
