package reader

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/t2map/t2map/drawing"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// A server that is killed while a reader draws loses nothing: the page says that it is gone, keeps what is drawn meanwhile,
// and sends it when the server is back. A new tab shows the same.
func TestBrowserSurvivesKill(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "S01")
	binary := filepath.Join(t.TempDir(), "t2map")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/t2map").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := port.Addr().String()
	port.Close()
	serve := func() (*exec.Cmd, string) {
		c := exec.Command(binary, "read", x.settings.Out, "--studies", x.settings.Roots[0], "--scheme", "compartments",
			"--reader", "R1", "--addr", address)
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if text := strings.TrimSpace(lines.Text()); strings.HasPrefix(text, "http") {
				return c, text
			}
		}
		t.Fatal("the server has printed no address")
		return nil, ""
	}
	server, first := serve()
	s := &site{t: t, address: first}
	b := s.tab(t, program, 1440, 900)
	result := x.results[0]
	b.open(reads.Key{Study: result.Study, Series: result.Series}.String())
	b.begin("nothing")
	size := [3]int{64, 64, 6}
	one, two := voxels{10, 10, 14, 12, 2}, voxels{30, 30, 33, 32, 2}
	b.outline(one)
	if err := server.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	_ = server.Wait()
	b.press("p")
	for _, corner := range [][2]int{{two.i0, two.j0}, {two.i1 + 1, two.j0}, {two.i1 + 1, two.j1 + 1}, {two.i0, two.j1 + 1}} {
		u, v := b.at(float64(corner[0])-0.5, float64(corner[1])-0.5, float64(two.k))
		b.click(u, v)
	}
	b.press("\r")
	b.wait("document.querySelector('#banners').innerText !== ''")
	b.picture("server-gone")
	server, second := serve()
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	s.address = second
	again := s.tab(t, program, 1024, 768) // it also gives the cookie of the new server to the first tab
	want := append(one.runs(size, 1), two.runs(size, 1)...)
	b.front()
	b.wait(fmt.Sprintf("t2map.runs().length === %d", len(want)))
	b.idle()
	if got := b.drawn(); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("%v, want %v", got, want)
	}
	again.front()
	again.open(reads.Key{Study: result.Study, Series: result.Series}.String())
	if got := again.drawn(); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("a new tab shows %v, want %v", got, want)
	}
	again.wait("document.querySelector('#banners').innerText.includes('tab')")
	again.picture("two-tabs")
}

func sorted(runs []drawing.Run) []drawing.Run {
	return slices.SortedFunc(slices.Values(runs), func(a, b drawing.Run) int { return a.First - b.First })
}

// click presses and releases the left button.
func (b *browser) click(x, y float64) {
	b.t.Helper()
	b.do(chromedp.MouseClickXY(x, y))
}

// Two readers draw independently; an adjudicator sees both masks with their agreement, takes one and signs.
func TestBrowserAdjudication(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "S01")
	boxes := map[string]voxels{"R1": {10, 10, 19, 14, 2}, "R2": {12, 10, 19, 14, 2}}
	for _, reader := range []string{"R1", "R2"} {
		s := x.serve(gate.User{Code: reader, Role: gate.Reader})
		b := s.tab(t, program, 1440, 900)
		b.open(strings.TrimPrefix(s.first(), "/api/cases/"))
		if got := b.drawn(); get[Study](s, s.first()).Draft != nil || len(got) > 0 && reader == "R2" && len(got) == 5 {
			t.Errorf("reader %s sees %v", reader, got)
		}
		b.begin("nothing")
		b.outline(boxes[reader])
		b.sign("Reader "+reader, 1)
		b.checkQuiet()
	}
	s := x.serve(gate.User{Code: "A1", Role: gate.Adjudicator})
	b := s.tab(t, program, 1440, 900)
	b.open(strings.TrimPrefix(s.first(), "/api/cases/"))
	get1[any](b, "t2map.goTo(2)")
	b.idle()
	text := get1[string](b, "document.getElementById('compare').innerText")
	for _, part := range []string{"reader R1", "reader R2", "0.889"} { // 2·40/(50 + 40)
		if !strings.Contains(text, part) {
			t.Errorf("%q has no %q", text, part)
		}
	}
	b.begin("reader r2")
	b.picture("adjudication")
	b.sign("A. Judicator", 1)
	if out := x.run(); len(out.Failures) > 0 || x.results[0].Compartments[0].Voxels != 40 {
		t.Errorf("%+v", out.Failures)
	}
	b.checkQuiet()
}

// A blinded page has no subject, visit, path or hash of the tables: not in its nodes, its address and title, its requests and
// their answers, nor in what it stores.
func TestBrowserBlinded(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "SUBJA", "SUBJB")
	s := x.serve(readerOne, func(o *Options) {
		b, err := o.Store.Blind(0)
		if err != nil {
			t.Fatal(err)
		}
		o.Blinding = b
	})
	b := s.tab(t, program, 1440, 900)
	b.open(get[[]Item](s, "/api/cases")[0].ID)
	b.begin("the mask of the study")
	b.outline(voxels{10, 10, 14, 12, 2})
	b.picture("blinded")
	b.sign("R. Ader", 1)
	all := get1[string](b, `(async () => [document.documentElement.outerHTML, location.href, document.title,
		JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie,
		JSON.stringify(await indexedDB.databases())].join("\n"))()`)
	b.mu.Lock()
	all += strings.Join(b.requests, "\n")
	requests := slices.Clone(b.bodies)
	b.mu.Unlock()
	for _, id := range requests {
		b.do(chromedp.ActionFunc(func(ctx context.Context) error {
			body, err := network.GetResponseBody(id).Do(ctx)
			if err == nil && len(body) < 1<<20 {
				all += string(body)
			}
			return nil
		}))
	}
	secrets := []string{"SUBJ", "month12", x.dir}
	for _, r := range x.results {
		secrets = append(secrets, r.Study, r.Series)
	}
	if len(requests) < 5 || !strings.Contains(all, "to read") {
		t.Errorf("%d answers", len(requests))
	}
	for _, secret := range secrets {
		if n := strings.Index(all, secret); n >= 0 {
			t.Errorf("the page has %q: %s", secret, all[max(0, n-100):min(len(all), n+100)])
		}
	}
	b.checkQuiet()
}
