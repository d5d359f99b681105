package reader

import (
	"fmt"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

// People with accounts log in by the form, sign with their password, and log out.
func TestBrowserAccounts(t *testing.T) {
	program := chromium(t)
	x := newTrial(t, "S01")
	const password = "correct horse"
	line, err := gate.Line(readerOne, password)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := gate.ParseAccounts([]byte(line + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := batch.OpenWorklist(t.Context(), x.settings)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	store, err := reads.Open(x.settings.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	server := New(Options{Worklist: list, Store: store, Protocol: list.Protocol(), Version: "test"})
	at := httptest.NewUnstartedServer(nil)
	g, err := gate.New(gate.Options{Hosts: gate.LocalHosts(at.Listener.Addr().String()), Accounts: accounts})
	if err != nil {
		t.Fatal(err)
	}
	at.Config.Handler = g.Handler(server)
	at.Start()
	defer at.Close()
	at.Client().Jar, _ = cookiejar.New(nil)
	s := &site{t: t, trial: x, server: server, http: at, store: store, address: g.Address()}
	b := s.tab(t, program, 1024, 768)
	login := func(word string) {
		t.Helper()
		b.do(chromedp.WaitVisible("input[name=code]"), chromedp.SendKeys("input[name=code]", "R1"), chromedp.SendKeys("input[name=password]", word),
			chromedp.Click("button"))
	}
	login("a wrong horse")
	b.do(chromedp.WaitVisible("[role=alert]"))
	b.picture("login")
	login(password)
	b.do(chromedp.WaitVisible("#items *"))
	result := x.results[0]
	b.open(reads.Key{Study: result.Study, Series: result.Series}.String())
	b.begin("the mask of the study")
	b.press("p")
	get1[any](b, fmt.Sprintf("(() => { window.word = %q; return 0; })()", password))
	b.sign("R. Ader", 1)
	own, err := store.Reads("R1", reads.Key{Study: result.Study, Series: result.Series})
	if err != nil || len(own) != 1 || own[0].State != reads.Signed {
		t.Errorf("%v: %+v", err, own)
	}
	get1[any](b, "[...document.querySelectorAll('#head-right button')].find(e => e.textContent === 'Log out').click()")
	b.do(chromedp.WaitVisible("input[name=code]"))
	if text := get1[string](b, "location.pathname"); !strings.HasPrefix(text, "/login") {
		t.Error(text)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
