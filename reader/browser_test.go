package reader

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/t2map/t2map/phantom"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// browser is a tab of Chromium with the page of a site.
type browser struct {
	t    *testing.T
	ctx  context.Context
	site *site

	mu       sync.Mutex
	requests []string // URLs
	bodies   []network.RequestID
	logged   []string // exceptions, and what the console got
}

// newBrowser opens the page in a window of that size of a new Chromium. WebGL is computed by the processor.
func newBrowser(t *testing.T, s *site, width, height int) *browser {
	t.Helper()
	return s.tab(t, chromium(t), width, height)
}

// chromium starts Chromium, or skips the test where there is none. Tabs of the context share it.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	home, err := os.MkdirTemp("", "t2map-chromium-*") // not TempDir, which fails if Chromium still writes to it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.UserDataDir(home),
		chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true),
		chromedp.Flag("ignore-gpu-blocklist", true), chromedp.Flag("disable-gpu", false),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")) // other requests have nowhere to go
	parent, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	quiet := func(string, ...any) {} // of events of newer browsers
	ctx, stop := chromedp.NewContext(parent, chromedp.WithErrorf(quiet))
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil { // so that tabs do not start browsers of their own
		t.Fatal(err)
	}
	return ctx
}

// tab opens the page in a tab of a browser.
func (s *site) tab(t *testing.T, parent context.Context, width, height int) *browser {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent)
	t.Cleanup(stop)
	const patience = 3 * time.Minute
	ctx, stop = context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	b := &browser{t: t, ctx: ctx, site: s}
	chromedp.ListenTarget(ctx, b.listen)
	b.do(network.Enable(), runtime.Enable(), chromedp.EmulateViewport(int64(width), int64(height)), chromedp.Navigate(s.address))
	return b
}

// listen notes what the page requests and reports.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.Method+" "+e.Request.URL)
	case *network.EventLoadingFinished:
		b.bodies = append(b.bodies, e.RequestID)
	case *runtime.EventExceptionThrown:
		b.logged = append(b.logged, "exception: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			var texts []string
			for _, a := range e.Args {
				texts = append(texts, string(a.Value)+a.Description)
			}
			b.logged = append(b.logged, string(e.Type)+": "+strings.Join(texts, " "))
		}
	}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// wait waits until an expression is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	err := chromedp.Run(b.ctx, chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond),
		chromedp.WithPollingTimeout(time.Minute)))
	if err != nil {
		b.t.Fatalf("%s: %v; the page says %q, %q", expression, err, get1[string](b, "document.getElementById('banners').innerText"),
			get1[string](b, "document.getElementById('notices').innerText"))
	}
}

// get evaluates an expression, which may be a promise.
func get1[T any](b *browser, expression string) (value T) {
	b.t.Helper()
	var text string
	b.do(chromedp.Evaluate("Promise.resolve("+expression+").then(x => JSON.stringify(x === undefined ? null : x))", &text,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		b.t.Fatalf("%s: %s: %v", expression, text, err)
	}
	return value
}

// front shows the tab: what is hidden is not drawn.
func (b *browser) front() {
	b.t.Helper()
	b.do(page.BringToFront())
}

// idle waits until the page has sent all steps and drawn their answers.
func (b *browser) idle() {
	b.t.Helper()
	get1[any](b, "t2map.idle()")
}

// open opens a study.
func (b *browser) open(id string) {
	b.t.Helper()
	b.do(chromedp.Evaluate("location.hash = "+fmt.Sprintf("%q", id), nil))
	b.wait("window.t2map && t2map.ready")
	b.idle()
}

// at returns where the middle of a voxel is in the window.
func (b *browser) at(i, j, k float64) (x, y float64) {
	b.t.Helper()
	p := get1[[]float64](b, fmt.Sprintf("t2map.clientOf(%g, %g, %g)", i, j, k))
	if len(p) != 2 {
		b.t.Fatalf("voxel (%g, %g, %g) is not shown", i, j, k)
	}
	return p[0], p[1]
}

// drag presses the left button at the first of the points, moves through the others, and releases it.
func (b *browser) drag(points [][2]float64) {
	b.t.Helper()
	mouse := func(kind input.MouseType, p [2]float64) chromedp.Action {
		e := input.DispatchMouseEvent(kind, p[0], p[1]).WithButton(input.Left).WithClickCount(1)
		if kind == input.MouseMoved {
			e = e.WithButtons(1)
		}
		return e
	}
	actions := []chromedp.Action{mouse(input.MousePressed, points[0])}
	for _, p := range points[1:] {
		actions = append(actions, mouse(input.MouseMoved, p))
	}
	b.do(append(actions, mouse(input.MouseReleased, points[len(points)-1]))...)
	b.idle()
}

// picture writes a picture of the window, for those who look, if T2MAP_PICTURES names a folder.
func (b *browser) picture(name string) {
	b.t.Helper()
	if dir := os.Getenv("T2MAP_PICTURES"); dir != "" {
		b.pictureIn(dir, name)
	}
}

// pictureIn writes a picture of the window into a folder.
func (b *browser) pictureIn(dir, name string) {
	b.t.Helper()
	var png []byte
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().Do(ctx)
		return err
	}))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// checkQuiet fails if the page has reported an error or requested anything from elsewhere.
func (b *browser) checkQuiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.logged {
		b.t.Errorf("the page reports %s", text)
	}
	for _, url := range b.requests {
		if !strings.Contains(url, " "+strings.SplitAfter(b.site.address, "/?")[0][:len("http://127.0.0.1:")]) && !strings.Contains(url, " data:") && !strings.Contains(url, " blob:") {
			b.t.Errorf("the page requests %s", url)
		}
	}
}

// The page opens a study, turns slices and echoes, shows a second series at the same place, and shows names as they are
// written, also if they look like markup.
func TestBrowserLooks(t *testing.T) {
	program := chromium(t)
	const evil = "<img src=x onerror=document.title='evil'>"
	x := newTrial(t, evil)
	for n, visit := range []string{"<b>V2</b>"} {
		p, err := phantom.New(t.Context(), phantom.Options{Subject: evil, Visit: visit, Seed: uint64(n), Matrix: 64, Slices: 6})
		if err == nil {
			err = p.Write(t.Context(), filepath.Join(x.dir, "studies", fmt.Sprint("v", n)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := x.serve(gate.User{Code: "R1", Role: gate.Reader})
	b := s.tab(t, program, 1440, 900)
	items := get[[]Item](s, "/api/cases")
	post[Done](s, "/api/cases/"+items[0].ID+"/sign", Signature{State: reads.Query, Text: evil, Name: evil})
	b.open(items[0].ID)
	if text := get1[string](b, "document.getElementById('reads').textContent"); strings.Count(text, evil) != 2 {
		t.Errorf("the query is shown as %q", text)
	}
	if text := get1[string](b, "document.getElementById('items').innerText"); len(items) != 2 || !strings.Contains(text, evil) {
		t.Errorf("%d studies: %q", len(items), text)
	}
	slice := func() int { return get1[int](b, "t2map.slice") }
	before := slice()
	u, v := b.at(30, 30, float64(before))
	b.do(input.DispatchMouseEvent(input.MouseWheel, u, v).WithDeltaX(0).WithDeltaY(120))
	b.idle()
	if got := slice(); got == before {
		t.Errorf("the wheel has not turned slice %d", got)
	}
	b.press(kb.ArrowUp)
	b.press(kb.ArrowRight)
	b.idle()
	if got := get1[int](b, "t2map.echo"); got != 1 {
		t.Errorf("echo %d", got)
	}
	for n := range 7 {
		b.press(fmt.Sprint(n))
		b.idle()
	}
	panes := get1[int](b, "document.querySelectorAll('#panes canvas').length")
	b.press("c")
	b.wait(fmt.Sprintf("document.querySelectorAll('#panes canvas').length > %d", panes))
	b.idle()
	b.picture("second")
	b.press("?")
	b.wait("document.querySelector('#dialog[open]')")
	b.picture("keys")
	if n := get1[int](b, "document.querySelectorAll('img, #items b b, script:not([src])').length"); n != 0 || get1[string](b, "document.title") == "evil" {
		t.Errorf("%d elements came from names", n)
	}
	b.checkQuiet()
}

// press presses a key.
func (b *browser) press(key string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(key))
}

// ctrl presses a key with Ctrl, and with Shift.
func (b *browser) ctrl(key string, shift bool) {
	b.t.Helper()
	modifiers := input.ModifierCtrl
	if shift {
		modifiers |= input.ModifierShift
	}
	b.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers)))
	b.idle()
}
