package gate

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const host = "127.0.0.1:8080"

// clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) time() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)} }

// asked is a request; method GET, the right host and path "/" unless they are given.
type asked struct {
	method, host, path string
	header             map[string]string
	cookie             *http.Cookie
	form               url.Values
	peer               string
}

// ask sends a request to a gate. The handler behind it answers with the user.
func ask(g *Gate, a asked) *http.Response {
	if a.method == "" {
		a.method = http.MethodGet
	}
	if a.host == "" {
		a.host = host
	}
	if a.path == "" {
		a.path = "/"
	}
	r := httptest.NewRequest(a.method, "http://"+host+a.path, strings.NewReader(a.form.Encode()))
	r.Host, r.RemoteAddr = a.host, a.peer+":40000"
	if a.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	if a.cookie != nil {
		r.AddCookie(a.cookie)
	}
	w := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := UserOf(r)
		fmt.Fprintf(w, "%s %s %s", u.Code, u.Role, r.URL.RawQuery)
	})).ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func withToken(t *testing.T, c *clock) *Gate {
	t.Helper()
	g, err := New(Options{Hosts: LocalHosts(host), Token: NewToken(), User: User{"R1", Reader}, Now: c.time})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// enter returns the cookie that the first address gives.
func enter(t *testing.T, g *Gate) *http.Cookie {
	t.Helper()
	r := ask(g, asked{path: strings.TrimPrefix(g.Address(), "http://"+host)})
	cookies := r.Cookies()
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("%d, %q, %v", r.StatusCode, r.Header, cookies)
	}
	return cookies[0]
}

// The token becomes a cookie, which scripts and other sites do not get, and leaves the address.
func TestToken(t *testing.T) {
	g := withToken(t, newClock())
	c := enter(t, g)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Value == g.o.Token || len(c.Value) < 40 {
		t.Errorf("%+v", c)
	}
	r := ask(g, asked{path: "/api/worklist", cookie: c})
	if text := body(t, r); r.StatusCode != http.StatusOK || text != "R1 reader " {
		t.Errorf("%d %s", r.StatusCode, text)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cache-Control": "no-store"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if p := r.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") ||
		strings.Contains(p, "unsafe-inline") || strings.Contains(p, "'unsafe-eval'") || strings.Contains(p, "http") {
		t.Errorf("policy %q", p)
	}
}

// Nothing is shown without the token or the cookie, to another name of the server, or to a page of another server.
func TestRefused(t *testing.T) {
	g := withToken(t, newClock())
	c := enter(t, g)
	wrong := strings.Repeat("A", len(g.o.Token))
	for name, one := range map[string]struct {
		asked
		want int
	}{
		"no token":            {asked{}, 401},
		"an empty token":      {asked{path: "/?token="}, 401},
		"a wrong token":       {asked{path: "/?token=" + wrong}, 401},
		"part of the token":   {asked{path: "/?token=" + g.o.Token[:len(g.o.Token)-1]}, 401},
		"a token elsewhere":   {asked{path: "/api/worklist?token=" + g.o.Token}, 401},
		"a posted token":      {asked{method: "POST", path: "/?token=" + g.o.Token}, 401},
		"another cookie":      {asked{cookie: &http.Cookie{Name: c.Name, Value: wrong}}, 401},
		"the token as cookie": {asked{cookie: &http.Cookie{Name: c.Name, Value: g.o.Token}}, 401},
		"another host":        {asked{host: "evil.example:8080", cookie: c}, 421},
		"a host with a token": {asked{host: "evil.example", path: "/?token=" + g.o.Token}, 421},
		"another port":        {asked{host: "127.0.0.1:8081", cookie: c}, 421},
		"no host":             {asked{host: " ", cookie: c}, 421},
		"a login":             {asked{method: "POST", path: "/login", form: url.Values{"code": {"R1"}}}, 401},
		"a request from a port": {asked{path: "/api/worklist", cookie: c, header: map[string]string{"Sec-Fetch-Site": "same-site"}},
			403},
		"an origin with GET": {asked{path: "/api/worklist", cookie: c, header: map[string]string{
			"Origin": "http://127.0.0.1:9"}}, 403},
		"a link elsewhere": {asked{cookie: c, header: map[string]string{"Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate"}}, 200},
		"a link into it": {asked{path: "/api/worklist", cookie: c, header: map[string]string{"Sec-Fetch-Site": "cross-site",
			"Sec-Fetch-Mode": "navigate"}}, 403},
		"upper case": {asked{host: "LOCALHOST:8080", cookie: c}, 200},
		"a post from a site": {asked{method: "POST", cookie: c, header: map[string]string{"Sec-Fetch-Site": "cross-site",
			"Origin": "https://evil.example"}}, 403},
		"a post from a port": {asked{method: "POST", cookie: c, header: map[string]string{"Sec-Fetch-Site": "same-site",
			"Origin": "http://127.0.0.1:9"}}, 403},
		"an old browser":       {asked{method: "POST", cookie: c, header: map[string]string{"Origin": "http://evil.example"}}, 403},
		"an unknown origin":    {asked{method: "DELETE", cookie: c, header: map[string]string{"Origin": "null"}}, 403},
		"the page":             {asked{cookie: c}, 200},
		"localhost":            {asked{host: "localhost:8080", cookie: c}, 200},
		"a post from the page": {asked{method: "POST", cookie: c, header: map[string]string{"Origin": "http://" + host}}, 200},
	} {
		r := ask(g, one.asked)
		text := body(t, r)
		if r.StatusCode != one.want || (one.want == 200) != strings.HasPrefix(text, "R1 reader") ||
			strings.Contains(text, g.o.Token) {
			t.Errorf("%s: %d %q, want %d", name, r.StatusCode, text, one.want)
		}
		if r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no policy", name)
		}
	}
}

// Sessions end when they are not used, after a day, and when the user ends them.
func TestSessionsEnd(t *testing.T) {
	at := newClock()
	g := withToken(t, at)
	code := func(c *http.Cookie) int { return ask(g, asked{cookie: c}).StatusCode }
	idle, busy := enter(t, g), enter(t, g)
	for range 3 {
		at.now = at.now.Add(idleLimit - time.Minute)
		if code(busy) != 200 {
			t.Fatal("a session in use has ended")
		}
	}
	if code(idle) != 401 {
		t.Error("a session goes on without requests")
	}
	at.now = at.now.Add(sessionLimit - 3*(idleLimit-time.Minute) + time.Second)
	if code(busy) != 401 {
		t.Error("a session goes on after a day")
	}
	left := enter(t, g)
	if r := ask(g, asked{method: "POST", path: logoutPath, cookie: left}); r.StatusCode != 303 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d, %v", r.StatusCode, r.Cookies())
	}
	if code(left) != 401 {
		t.Error("a session goes on after its end")
	}
	first := enter(t, g)
	for range mostSessions {
		at.now = at.now.Add(time.Millisecond)
		enter(t, g)
	}
	if n := len(g.sessions); n > mostSessions || code(first) != 401 {
		t.Errorf("%d sessions; the oldest: %d", n, code(first))
	}
}

// cheap returns a line of accounts that takes little time to check.
func cheap(t *testing.T, u User, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), leastCost)
	if err != nil {
		t.Fatal(err)
	}
	return u.Code + ":" + string(u.Role) + ":" + string(hash) + "\n"
}

// Users log in with their password; failed logins slow down, for the code and for the client.
func TestLogin(t *testing.T) {
	at := newClock()
	text := "# readers\n\n" + cheap(t, User{"R1", Reader}, "a long password") + cheap(t, User{"A1", Adjudicator}, "another one!")
	accounts, err := ParseAccounts([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Options{Hosts: []string{host}, Accounts: accounts, Secure: true, Now: at.time})
	if err != nil {
		t.Fatal(err)
	}
	if g.Address() != "https://"+host+"/" {
		t.Errorf("address %s", g.Address())
	}
	login := func(peer, code, password string) *http.Response {
		return ask(g, asked{method: "POST", path: "/login", peer: peer,
			form: url.Values{"code": {code}, "password": {password}}})
	}
	if r := ask(g, asked{}); r.StatusCode != 303 || r.Header.Get("Location") != "/login" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := ask(g, asked{path: "/login"}); r.StatusCode != 200 || !strings.Contains(body(t, r), `type="password"`) {
		t.Errorf("%d", r.StatusCode)
	}
	if r := ask(g, asked{path: "/api/worklist"}); r.StatusCode != 401 {
		t.Errorf("%d", r.StatusCode)
	}
	for code, want := range map[string]string{"A1": "A1 adjudicator ", "a1": "A1 adjudicator "} {
		r := login("10.0.0.1", code, "another one!")
		if r.StatusCode != 303 || !r.Cookies()[0].Secure {
			t.Fatalf("%d, %v", r.StatusCode, r.Cookies())
		}
		if text := body(t, ask(g, asked{cookie: r.Cookies()[0]})); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
	for n := range freeOfPair {
		if r := login("10.0.0.2", "R1", fmt.Sprint("guess", n)); r.StatusCode != 401 || len(r.Cookies()) > 0 ||
			!strings.Contains(body(t, r), "not correct") {
			t.Fatalf("guess %d: %d", n, r.StatusCode)
		}
	}
	for _, c := range []struct {
		client, code string
		want         int
	}{{"10.0.0.2", "R1", 429}, {"10.0.0.2", "A1", 303}, {"10.0.0.3", "R1", 303}} {
		password := map[string]string{"R1": "a long password", "A1": "another one!"}[c.code]
		if r := login(c.client, c.code, password); r.StatusCode != c.want ||
			(c.want == 429) != (r.Header.Get("Retry-After") != "") {
			t.Errorf("%+v: %d", c, r.StatusCode)
		}
	}
	at.now = at.now.Add(2 * time.Second)
	if r := login("10.0.0.2", "R1", "a long password"); r.StatusCode != 303 {
		t.Errorf("after the delay: %d", r.StatusCode)
	}
	if r := login("10.0.0.4", "nobody", "a long password"); r.StatusCode != 401 {
		t.Errorf("an unknown code: %d", r.StatusCode)
	}
	large := url.Values{"code": {"R1"}, "password": {"a long password"}, "more": {strings.Repeat("x", mostForm)}}
	if r := ask(g, asked{method: "POST", path: "/login", peer: "10.0.0.5", form: large}); r.StatusCode != 401 {
		t.Errorf("a large form: %d", r.StatusCode)
	}
	if r := ask(g, asked{method: "PUT", path: "/login", form: url.Values{}}); r.StatusCode != 405 {
		t.Errorf("PUT: %d", r.StatusCode)
	}
}

// Many logins at once do not queue without end, and those that are compared are right.
func TestLoginsAtOnce(t *testing.T) {
	accounts, err := ParseAccounts([]byte(cheap(t, User{"R1", Reader}, "a long password")))
	if err != nil {
		t.Fatal(err)
	}
	var right, refused atomic.Int64
	var all sync.WaitGroup
	for n := range 3 * mostTurns {
		all.Go(func() {
			switch _, ok, wait := accounts.check("R1", "a long password", fmt.Sprint("10.0.0.", n), time.Now()); {
			case ok:
				right.Add(1)
			case wait > 0:
				refused.Add(1)
			default:
				t.Error("a right password is not correct")
			}
		})
	}
	all.Wait()
	if right.Load() < mostTurns {
		t.Errorf("%d right, %d have to wait", right.Load(), refused.Load())
	}
}

// Delays double up to a limit. Guesses from everywhere do not keep a user out who has logged in before, other codes do not
// reset the count of a client, and the memory is bounded.
func TestThrottle(t *testing.T) {
	now := newClock().now
	s := newThrottle()
	for n := range 20 {
		want := time.Duration(0)
		if n >= freeOfPair {
			want = min(time.Second<<(n-freeOfPair), longestDelay)
		}
		if got := s.wait("r1", "a", now); got != want && n < freeOfClient {
			t.Errorf("after %d failures: %v, want %v", n, got, want)
		}
		s.failed("r1", "a", now)
	}
	if got := s.wait("r1", "a", now.Add(longestDelay)); got != 0 {
		t.Errorf("after the longest delay: %v", got)
	}
	s = newThrottle()
	s.succeeded("r1", "desk")
	for n := range 600 {
		s.failed("r1", fmt.Sprint("attacker", n), now)
		if got := s.wait("r1", "desk", now); got != 0 {
			t.Fatalf("a user waits %v for others", got)
		}
	}
	if got := s.wait("r1", "new", now); got <= 0 || got > longestDelayOfCode {
		t.Errorf("guesses from everywhere: %v", got)
	}
	s = newThrottle()
	for n := range freeOfClient {
		s.failed(fmt.Sprint("r", n), "insider", now)
		s.succeeded("own", "insider")
	}
	if got := s.wait("r99", "insider", now); got <= 0 {
		t.Error("own logins reset the count")
	}
	s = newThrottle()
	for range freeOfPair {
		s.failed("r1", "a", now)
	}
	for n := range mostCounted - len(s.failures) {
		s.failures[counted{fmt.Sprint("x", n), "y"}] = failures{1, now.Add(-time.Minute)}
	}
	for n := range 50 {
		s.failed(fmt.Sprint("z", n), fmt.Sprint("z", n), now)
		if s.wait("r1", "a", now) <= 0 {
			t.Fatal("many others make the throttle forget")
		}
	}
	if n := len(s.failures); n > mostCounted {
		t.Errorf("%d are counted", n)
	}
}

// Addresses of one IPv6 network are one client.
func TestClients(t *testing.T) {
	for address, want := range map[string]string{"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "pipe": "pipe"} {
		if got := clientOf(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Behind a proxy, clients are told apart by the address that the proxy adds, and by no other.
func TestProxied(t *testing.T) {
	for name, c := range map[string]struct {
		proxied bool
		values  []string
		want    string
	}{
		"no proxy":         {false, []string{"10.0.0.7"}, "192.0.2.1"},
		"a proxy":          {true, []string{"10.0.0.7"}, "10.0.0.7"},
		"an invented one":  {true, []string{"10.9.9.9, 10.0.0.7"}, "10.0.0.7"},
		"two headers":      {true, []string{"10.9.9.9", "10.8.8.8,10.0.0.7"}, "10.0.0.7"},
		"with its port":    {true, []string{"10.0.0.7:4711"}, "10.0.0.7"},
		"IPv6":             {true, []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv6 with a port": {true, []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"no address":       {true, []string{"unknown"}, "192.0.2.1"},
		"an empty one":     {true, []string{"10.9.9.9, "}, "192.0.2.1"},
		"none":             {true, nil, "192.0.2.1"},
	} {
		g, err := New(Options{Hosts: []string{host}, Token: "secret", Proxied: c.proxied})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/login", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = "192.0.2.1:40000", c.values
		if got := g.client(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	accounts, err := ParseAccounts([]byte(cheap(t, User{"R1", Reader}, "a long password")))
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Options{Hosts: []string{host}, Accounts: accounts, Proxied: true})
	if err != nil {
		t.Fatal(err)
	}
	login := func(client, password string) int {
		return ask(g, asked{method: "POST", path: "/login", peer: "127.0.0.1", header: map[string]string{"X-Forwarded-For": client},
			form: url.Values{"code": {"R1"}, "password": {password}}}).StatusCode
	}
	for range freeOfPair {
		login("10.0.0.1", "a wrong password")
	}
	for client, want := range map[string]int{"10.0.0.1": 429, "10.0.0.2, 10.0.0.1": 429, "10.0.0.2": 303} {
		if got := login(client, "a long password"); got != want {
			t.Errorf("%s: %d, want %d", client, got, want)
		}
	}
}

// Browsers omit the usual port, and do not tell ports apart for cookies.
func TestHostsAndCookies(t *testing.T) {
	names := map[string]bool{}
	for _, c := range []struct {
		host   string
		secure bool
		sent   string
	}{{"127.0.0.1:80", false, "127.0.0.1"}, {"reads.example:443", true, "Reads.Example"}, {"127.0.0.1:8081", false,
		"127.0.0.1:8081"}, {"[::1]:8080", false, "[::1]:8080"}} {
		g, err := New(Options{Hosts: []string{c.host}, Token: "secret", Secure: c.secure})
		if err != nil {
			t.Fatal(err)
		}
		r := ask(g, asked{host: c.sent, path: "/?token=secret"})
		if r.StatusCode != 303 {
			t.Fatalf("%s: %d", c.host, r.StatusCode)
		}
		name := r.Cookies()[0].Name
		if names[name] || strings.HasPrefix(name, "__Host-") != c.secure {
			t.Errorf("%s: cookie %s", c.host, name)
		}
		names[name] = true
	}
}

// Files of accounts with mistakes are refused, and errors have no hash.
func TestParseAccounts(t *testing.T) {
	line, err := Line(User{"M1", Manager}, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := ParseAccounts([]byte(line)); err != nil || a.byCode["m1"].user != (User{"M1", Manager}) {
		t.Errorf("%v", err)
	}
	hash := strings.SplitN(line, ":", 3)[2]
	weak, err := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                           "no account",
		"# nobody\n":                 "no account",
		"M1:manager\n":               "line 1: want code:role:hash",
		"\nM1:king:" + hash:          "line 2: the second part is not a role",
		"M 1:manager:" + hash:        "not a valid code",
		"M1:manager:" + hash[:20]:    "not a bcrypt hash",
		"M1:manager:secret":          "not a bcrypt hash",
		"M1:manager:" + string(weak): "not a bcrypt hash",
		line + "\nm1:reader:" + hash: "line 2: its code occurs twice",
		":manager:" + hash:           "not a valid code",
		"../x:manager:" + hash:       "not a valid code",
		"nul:manager:" + hash:        "not a valid code", // a folder of the reads cannot have the name
	} {
		_, err := ParseAccounts([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), hash) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	for _, password := range []string{"", "short", strings.Repeat("x", longestPassword+1), strings.Repeat("é", 40)} {
		if _, err := Line(User{"M1", Manager}, password); err == nil {
			t.Errorf("%q is accepted", password)
		}
	}
	for name, o := range map[string]Options{"nothing": {Hosts: []string{host}}, "no host": {Token: "x"},
		"both": {Hosts: []string{host}, Token: "x", Accounts: &Accounts{}}} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
