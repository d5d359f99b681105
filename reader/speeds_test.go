package reader

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
)

// TestSpeeds prints how long a reader waits, on the study in the folder T2MAP_SPEEDS; see docs/reader.sh. Times are those of
// the page, from the event to the frame that is drawn.
func TestSpeeds(t *testing.T) {
	folder := os.Getenv("T2MAP_SPEEDS")
	if folder == "" {
		t.Skip("T2MAP_SPEEDS names no study")
	}
	scheme, err := segment.Named("skm-tea")
	if err != nil {
		t.Fatal(err)
	}
	x := &trial{t: t, dir: t.TempDir()}
	x.settings = batch.Settings{Roots: []string{folder}, Out: filepath.Join(x.dir, "results"), Protocol: protocol.Protocol{Scheme: scheme}}
	program := chromium(t)
	const rounds = 5
	var opened, complete []float64
	var s *site
	var b *browser
	for range rounds {
		if s != nil {
			s.close()
		}
		s = x.serve(readerOne) // a new server, which has nothing in memory
		b = s.tab(t, program, 1440, 900)
		b.wait("window.t2map && document.querySelectorAll('#items button, #items a, #items [role=option]').length > 0")
		ms := get1[[2]float64](b, fmt.Sprintf(`(async () => {
			const began = performance.now();
			location.hash = %q;
			while (!t2map.ready) await new Promise(done => setTimeout(done, 2));
			await new Promise(done => requestAnimationFrame(done));
			const shown = performance.now();
			await t2map.idle();
			return [shown - began, performance.now() - began];
		})()`, strings.TrimPrefix(s.first(), "/api/cases/")))
		opened, complete = append(opened, ms[0]), append(complete, ms[1])
	}
	size := get[Study](s, s.first()).Grid.Size
	fmt.Printf("study of %d × %d × %d voxels\n", size[0], size[1], size[2])
	report := func(what string, ms []float64, limit float64) {
		slices.Sort(ms)
		text := fmt.Sprintf("%-28s median %6.0f ms, slowest %6.0f ms", what, ms[len(ms)/2], ms[len(ms)-1])
		if limit > 0 {
			text += fmt.Sprintf(", limit %4.0f ms", limit)
		}
		fmt.Println(text)
	}
	report("study opened", opened, 1000)
	report("with its T2 map and values", complete, 0)
	b.begin("the mask of the study")
	timed := func(n int, script string) []float64 {
		return get1[[]float64](b, fmt.Sprintf(`(async () => {
			const all = [], pause = ms => new Promise(done => setTimeout(done, ms));
			for (let n = 0; n < %d; n++) {
				await t2map.idle();
				const began = performance.now();
				%s
				await t2map.idle();
				all.push(performance.now() - began);
				await pause(30);
			}
			return all;
		})()`, n, script))
	}
	report("slice changed", timed(30, "t2map.goTo((t2map.slice + 1) % "+fmt.Sprint(size[2])+");"), 50)
	get1[any](b, fmt.Sprintf("t2map.goTo(%d)", size[2]/2))
	b.idle()
	u, v := b.at(float64(size[0]/2), float64(size[1]/2), float64(size[2]/2))
	pointer := func(kind string, x, y float64, more string) string {
		return fmt.Sprintf(`document.elementFromPoint(%g, %g).dispatchEvent(new PointerEvent(%q, {clientX: %g + n %% 7, clientY: %g,
			pointerId: 1, pointerType: "mouse", button: 0, buttons: 1, bubbles: true, isPrimary: true%s}));`, x, y, kind, x, y, more)
	}
	get1[any](b, "(() => { HTMLElement.prototype.setPointerCapture = () => {}; return 0; })()")
	report("click to curve", timed(30, pointer("pointerdown", u, v, "")+pointer("pointerup", u, v, "")), 50)
	b.press("b")
	report("stroke to updated means", timed(30, pointer("pointerdown", u, v, "")+pointer("pointermove", u+20, v+10, "")+
		pointer("pointerup", u+20, v+10, "")), 200)
	fmt.Printf("%-28s %6.0f MB, limit 500 MB\n", "memory of the tab", float64(rendererBytes(t))/1e6)
	b.do(chromedp.Stop())
	b.checkQuiet()
}

// rendererBytes returns the memory of the largest process of this Chromium that draws a page: its proportional set size.
func rendererBytes(t *testing.T) (most int64) {
	t.Helper()
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(line), "--type=renderer") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "smaps_rollup"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			var kilobytes int64
			if n, _ := fmt.Sscanf(line, "Pss: %d kB", &kilobytes); n == 1 {
				most = max(most, kilobytes<<10)
			}
		}
	}
	return most
}
