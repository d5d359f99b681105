package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a Chromium that a test drives by the DevTools protocol, over pipes.
type browser struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	session string

	mutex    sync.Mutex
	last     int
	answers  map[int]chan json.RawMessage
	requests []string // URLs
	logged   []string // by the console, and exceptions
	loaded   chan struct{}
}

// newBrowser starts Chromium with a window of that size, or skips the test where there is none.
func newBrowser(t *testing.T, width, height int) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	b := &browser{t: t, answers: map[int]chan json.RawMessage{}, loaded: make(chan struct{}, 10)}
	b.start(chromium)
	var target struct{ TargetID string }
	b.get("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.get("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		b.get(domain+".enable", nil, nil)
	}
	b.size(width, height)
	return b
}

// start starts Chromium, and ends it with the test.
func (b *browser) start(chromium string) {
	t := b.t
	t.Helper()
	home := t.TempDir()
	// Requests other than for files have nowhere to go.
	c := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+home,
		"--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "about:blank")
	c.Env = append(os.Environ(), "HOME="+home)
	read, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.ExtraFiles = []*os.File{read, write} // 3 and 4
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	write.Close()
	b.in, b.out = in, bufio.NewReaderSize(out, 1<<20)
	ended := make(chan struct{})
	go func() { b.listen(); close(ended) }()
	t.Cleanup(func() {
		_, _ = fmt.Fprint(in, `{"id":1000000,"method":"Browser.close"}`+"\x00")
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = c.Process.Kill()
		}
		_ = c.Wait()
		in.Close()
		out.Close()
	})
}

// message is an answer or an event.
type message struct {
	ID     int
	Method string
	Params struct {
		Request struct{ URL string }
		Entry   struct{ Text, URL string }
		Type    string
		Args    []struct{ Value any }
		Details struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	Result json.RawMessage
	Error  *struct{ Message string }
}

func (b *browser) listen() {
	for {
		raw, err := b.out.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue
		}
		b.mutex.Lock()
		switch {
		case m.ID != 0:
			if m.Error != nil {
				m.Result, _ = json.Marshal(map[string]string{"failed": m.Error.Message})
			}
			if answer := b.answers[m.ID]; answer != nil {
				answer <- m.Result
			}
		case m.Method == "Network.requestWillBeSent":
			b.requests = append(b.requests, m.Params.Request.URL)
		case m.Method == "Log.entryAdded":
			b.logged = append(b.logged, m.Params.Entry.Text+" "+m.Params.Entry.URL)
		case m.Method == "Runtime.consoleAPICalled":
			b.logged = append(b.logged, fmt.Sprint(m.Params.Type, m.Params.Args))
		case m.Method == "Runtime.exceptionThrown":
			b.logged = append(b.logged, m.Params.Details.Text+" "+m.Params.Details.Exception.Description)
		case m.Method == "Page.javascriptDialogOpening":
			b.logged = append(b.logged, "a dialog opened")
		case m.Method == "Page.loadEventFired":
			b.loaded <- struct{}{}
		}
		b.mutex.Unlock()
	}
}

// get sends a command and decodes the answer into out, unless it is nil.
func (b *browser) get(method string, params, out any) {
	b.t.Helper()
	answer := make(chan json.RawMessage, 1)
	b.mutex.Lock()
	b.last++
	id := b.last
	b.answers[id] = answer
	b.mutex.Unlock()
	command := map[string]any{"id": id, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	raw, err := json.Marshal(command)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(raw, 0)); err != nil {
		b.t.Fatal(err)
	}
	select {
	case raw := <-answer:
		var failed struct{ Failed string }
		if _ = json.Unmarshal(raw, &failed); failed.Failed != "" {
			b.t.Fatalf("%s: %s", method, failed.Failed)
		}
		if out != nil {
			if err := json.Unmarshal(raw, out); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(60 * time.Second):
		b.t.Fatalf("%s: no answer", method)
	}
}

// open opens the page of a folder, with a hash, and returns when it is usable.
func (b *browser) open(dir, hash string) {
	b.t.Helper()
	b.get("Page.navigate", map[string]any{"url": "about:blank"}, nil)
	<-b.loaded
	b.get("Page.navigate", map[string]any{"url": "file://" + filepath.Join(dir, pageFile) + hash}, nil)
	select {
	case <-b.loaded:
	case <-time.After(60 * time.Second):
		b.t.Fatal("the page does not load")
	}
	b.until(`document.documentElement.dataset.ready === "true"`)
}

// evaluate returns the value of an expression in the page, which may be a promise.
func (b *browser) evaluate(expression string, out any) {
	b.t.Helper()
	var answer struct {
		Result  struct{ Value json.RawMessage }
		Details *struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	b.get("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true},
		&answer)
	if answer.Details != nil {
		b.t.Fatalf("%s: %s", expression, answer.Details.Exception.Description)
	}
	if out != nil && len(answer.Result.Value) > 0 {
		if err := json.Unmarshal(answer.Result.Value, out); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
}

// text returns the value of an expression that is a text.
func (b *browser) text(expression string) (out string) {
	b.t.Helper()
	b.evaluate(expression, &out)
	return out
}

// until waits for a condition in the page.
func (b *browser) until(condition string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var met bool
		if b.evaluate("!!("+condition+")", &met); met {
			return
		}
	}
	b.t.Fatalf("never: %s", condition)
}

// press presses and releases a key.
func (b *browser) press(key string) {
	b.t.Helper()
	event := map[string]any{"type": "keyDown", "key": key, "code": key}
	codes := map[string]int{"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	switch code := codes[key]; {
	case code != 0:
		event["windowsVirtualKeyCode"] = code
		if key == "Enter" {
			event["text"] = "\r"
		}
	default:
		event["text"] = key
	}
	b.get("Input.dispatchKeyEvent", event, nil)
	delete(event, "text")
	event["type"] = "keyUp"
	b.get("Input.dispatchKeyEvent", event, nil)
}

// click presses the mouse on the first element of a selector, which must be in the window.
func (b *browser) click(selector string) {
	b.t.Helper()
	var place struct{ X, Y float64 }
	b.evaluate(fmt.Sprintf("(r => ({x: r.x + r.width / 2, y: r.y + r.height / 2}))(document.querySelector(%q)."+
		"getBoundingClientRect())", selector), &place)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.get("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": place.X, "y": place.Y, "button": "left",
			"clickCount": 1}, nil)
	}
}

func (b *browser) size(width, height int) {
	b.t.Helper()
	b.get("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1,
		"mobile": false}, nil)
}

func (b *browser) dark(on bool) {
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.get("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme",
		"value": scheme}}}, nil)
}

// picture writes a PNG of the window, or a PDF, into the folder that T2MAP_PICTURES names, for people to look at.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("T2MAP_PICTURES")
	if dir == "" {
		return
	}
	var raw []byte
	if strings.HasSuffix(name, ".pdf") {
		raw = b.pdf()
	} else {
		raw = b.data("Page.captureScreenshot", nil)
	}
	if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// pdf prints the page.
func (b *browser) pdf() []byte {
	b.t.Helper()
	return b.data("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": true})
}

func (b *browser) data(method string, params any) []byte {
	b.t.Helper()
	var answer struct{ Data []byte } // base64 in JSON
	b.get(method, params, &answer)
	return answer.Data
}
