// Package gate decides who may use a web server that shows patients' images, on this machine or on others: by a secret
// in the first address, or by accounts with passwords.
//
// It also sets the headers that keep a page from loading anything from elsewhere and from being shown in another page,
// and refuses requests that come from pages of other servers.
package gate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Role is what a user may do.
type Role string

// The roles.
const (
	Reader      Role = "reader"
	Adjudicator Role = "adjudicator"
	Manager     Role = "manager"
)

// User is a person who uses the server.
type User struct {
	// Code names the user in folders and in the record.
	Code string
	Role Role
}

// Options say who may use the server. Set either Token and User, or Accounts.
type Options struct {
	// Hosts are the names of the server in requests, with their ports, such as 127.0.0.1:8080. Other names are refused:
	// a page elsewhere may have given its own name the address of this machine (DNS rebinding).
	Hosts []string
	// Token is the secret in the first address, see NewToken. Whoever has it is User.
	Token string
	User  User
	// Accounts are the users with passwords.
	Accounts *Accounts
	// Secure says that browsers use TLS, of the server or of a proxy.
	Secure bool
	// Proxied says that requests come from a proxy, which adds the address of its client to X-Forwarded-For. Without a
	// proxy, a client could write any address there.
	Proxied bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// NewToken returns a new secret.
func NewToken() string { return rand.Text() + rand.Text() }

// A session ends idleLimit after its last request, and sessionLimit after it began. mostSessions bounds the memory: the
// session that was not used for the longest time ends then.
const (
	idleLimit    = 8 * time.Hour
	sessionLimit = 24 * time.Hour
	mostSessions = 1000
)

// Gate lets requests of known users pass.
type Gate struct {
	o       Options
	token   [sha256.Size]byte
	cookie  string // its name
	origins *http.CrossOriginProtection

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]*session
}

type session struct {
	user        User
	began, last time.Time
}

// New returns a gate.
func New(o Options) (*Gate, error) {
	if (o.Token == "") == (o.Accounts == nil) {
		return nil, errors.New("gate: want a token or accounts")
	}
	if len(o.Hosts) == 0 {
		return nil, errors.New("gate: no hosts")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	first := strings.ToLower(o.Hosts[0])
	o.Hosts = asSent(o.Hosts, o.Secure)
	// Browsers send the cookies of one port to all ports: the name depends on the host and its port.
	name := fmt.Sprintf("t2map-%.4x", sha256.Sum256([]byte(first)))
	if o.Secure {
		name = "__Host-" + name
	}
	return &Gate{o: o, token: sha256.Sum256([]byte(o.Token)), cookie: name, origins: http.NewCrossOriginProtection(),
		sessions: map[[sha256.Size]byte]*session{}}, nil
}

// asSent returns hosts as browsers send them: in lower case, and without the usual port.
func asSent(hosts []string, secure bool) []string {
	usual := ":80"
	if secure {
		usual = ":443"
	}
	out := make([]string, len(hosts))
	for n, host := range hosts {
		out[n] = strings.TrimSuffix(strings.ToLower(host), usual)
	}
	return out
}

// isHost reports whether a name is one of the server.
func (g *Gate) isHost(name string) bool {
	return slices.Contains(g.o.Hosts, asSent([]string{name}, g.o.Secure)[0])
}

// isForeign reports whether a request comes from a page of another server, which may be one on another port of this
// machine. Such a page may only lead to the first page.
func (g *Gate) isForeign(r *http.Request) bool {
	if g.origins.Check(r) != nil {
		return true
	}
	if r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return false
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !g.isHost(u.Host)
}

// tokenName is the name of the token in the first address.
const tokenName = "token"

// Address returns the address that a user opens first.
func (g *Gate) Address() string {
	scheme := "http://"
	if g.o.Secure {
		scheme = "https://"
	}
	if g.o.Accounts != nil {
		return scheme + g.o.Hosts[0] + "/"
	}
	return scheme + g.o.Hosts[0] + "/?" + tokenName + "=" + g.o.Token
}

// policy keeps a page from loading anything from elsewhere, from running text as a program, and from being shown in
// another page. The empty icon of the page is in its address (data).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Handler lets requests of known users pass to next, which gets the user by UserOf.
func (g *Gate) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // without a referrer, a browser sends no origin with a form
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !g.isHost(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "This server has another name. Open the address that t2map read has printed.")
		case g.isForeign(r):
			refuse(w, http.StatusForbidden, "The request comes from a page of another server.")
		default:
			g.pass(w, r, next)
		}
	})
}

func (g *Gate) pass(w http.ResponseWriter, r *http.Request, next http.Handler) {
	user, known := g.user(r)
	given := r.URL.Query().Get(tokenName)
	switch {
	case r.URL.Path == loginPath && g.o.Accounts != nil:
		g.login(w, r)
	case r.URL.Path == loginStylePath && g.o.Accounts != nil:
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, loginStyle)
	case r.URL.Path == logoutPath && r.Method == http.MethodPost:
		g.end(w, r)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case r.Method == http.MethodGet && r.URL.Path == "/" && given != "" && g.isToken(given):
		g.begin(w, g.o.User)
		http.Redirect(w, r, "/", http.StatusSeeOther) // so that the token is not in the history of the page
	case known:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, visit{user, g})))
	case g.o.Accounts != nil && r.Method == http.MethodGet && r.URL.Path == "/":
		http.Redirect(w, r, loginPath, http.StatusSeeOther)
	case g.o.Accounts != nil:
		refuse(w, http.StatusUnauthorized, "Your session has ended. Log in again.")
	default:
		refuse(w, http.StatusUnauthorized, "Open the address that t2map read has printed: it has a secret that this address lacks.")
	}
}

func (g *Gate) isToken(text string) bool {
	sum := sha256.Sum256([]byte(text))
	return g.o.Token != "" && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

type userKey struct{}

// visit is the user of a request and the gate that has let it pass.
type visit struct {
	user User
	gate *Gate
}

// UserOf returns the user of a request that a Gate has let pass.
func UserOf(r *http.Request) User {
	v, _ := r.Context().Value(userKey{}).(visit)
	return v.user
}

// NeedsPassword reports whether the user of a request has a password, so that a signature needs it.
func NeedsPassword(r *http.Request) bool {
	v, _ := r.Context().Value(userKey{}).(visit)
	return v.gate != nil && v.gate.o.Accounts != nil
}

// Confirm reports whether a password is that of the user of a request; or how long the next attempt has to wait. Failures
// count like failed logins. Without accounts there is nothing to confirm.
func Confirm(r *http.Request, password string) (ok bool, wait time.Duration) {
	if !NeedsPassword(r) {
		return true, 0
	}
	v, _ := r.Context().Value(userKey{}).(visit)
	u, ok, wait := v.gate.o.Accounts.check(v.user.Code, password, clientOf(v.gate.client(r)), v.gate.o.Now())
	return ok && u == v.user, wait
}

// refuse answers with a text and no more.
func refuse(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n"))
}

// begin begins a session.
func (g *Gate) begin(w http.ResponseWriter, u User) {
	secret := NewToken()
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.o.Now()
	g.forget(now)
	g.sessions[sha256.Sum256([]byte(secret))] = &session{u, now, now}
	http.SetCookie(w, g.cookieWith(secret, int(sessionLimit.Seconds())))
}

func (g *Gate) cookieWith(value string, age int) *http.Cookie {
	return &http.Cookie{Name: g.cookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: g.o.Secure,
		SameSite: http.SameSiteStrictMode}
}

// forget removes sessions that have ended, and the oldest if there are too many.
func (g *Gate) forget(now time.Time) {
	var oldest [sha256.Size]byte
	for key, s := range g.sessions {
		if s.ended(now) {
			delete(g.sessions, key)
		} else if o := g.sessions[oldest]; o == nil || s.last.Before(o.last) {
			oldest = key
		}
	}
	if len(g.sessions) >= mostSessions {
		delete(g.sessions, oldest)
	}
}

func (s *session) ended(now time.Time) bool {
	return now.Sub(s.last) > idleLimit || now.Sub(s.began) > sessionLimit
}

// user returns the user of the session of a request.
func (g *Gate) user(r *http.Request) (User, bool) {
	cookie, err := r.Cookie(g.cookie)
	if err != nil {
		return User{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s, now := g.sessions[sha256.Sum256([]byte(cookie.Value))], g.o.Now()
	if s == nil || s.ended(now) {
		return User{}, false
	}
	s.last = now
	return s.user, true
}

// end ends the session of a request.
func (g *Gate) end(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(g.cookie); err == nil {
		g.mu.Lock()
		delete(g.sessions, sha256.Sum256([]byte(cookie.Value)))
		g.mu.Unlock()
	}
	http.SetCookie(w, g.cookieWith("", -1))
}

// client returns the address of the client without its port. Behind a proxy it is the last value of X-Forwarded-For,
// which the proxy has added: the client may have sent those before it.
func (g *Gate) client(r *http.Request) string {
	if all := r.Header.Values("X-Forwarded-For"); g.o.Proxied && len(all) > 0 {
		last := all[len(all)-1]
		last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		if pair, err := netip.ParseAddrPort(last); err == nil {
			return pair.Addr().String()
		}
		if ip, err := netip.ParseAddr(strings.Trim(last, "[]")); err == nil {
			return ip.String()
		}
	}
	return peer(r)
}

// peer returns the address of the other end of the connection without its port.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// LocalHosts returns the names of a server that listens on an address of this machine: the address, and localhost.
func LocalHosts(address string) []string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return []string{address}
	}
	hosts := []string{address}
	if name := "localhost:" + port; !strings.EqualFold(name, address) {
		hosts = append(hosts, name)
	}
	return hosts
}
