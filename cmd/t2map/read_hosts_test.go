package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/reader/gate"
)

// roundPort returns a free port of this machine that ends with 0, which is part of its name in requests.
func roundPort(t *testing.T) string {
	t.Helper()
	for port := 21000; port < 24000; port += 10 {
		address := net.JoinHostPort("127.0.0.1", big.NewInt(int64(port)).String())
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return big.NewInt(int64(port)).String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// certificate writes a certificate of its own signature and its key, and returns their files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"reads.example"}, NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: public},
		"key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// accountsOf writes a file of accounts.
func accountsOf(t *testing.T, password string, users ...gate.User) string {
	t.Helper()
	var lines []string
	for _, u := range users {
		line, err := gate.Line(u, password)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line+"\n")
	}
	path := filepath.Join(t.TempDir(), "accounts")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A server answers under its names and no others, also with a port that ends with 0, for all addresses, and behind a
// server that encrypts.
func TestReadHosts(t *testing.T) {
	dir, out := studies(t, 1), filepath.Join(t.TempDir(), "results")
	accounts := accountsOf(t, "a long password", gate.User{Code: "R1", Role: gate.Reader})
	cert, key := certificate(t)
	port := roundPort(t)
	named := ""
	if host, err := os.Hostname(); err == nil && !isLocal(host) {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, port)); err == nil {
			named, _ = host, l.Close()
		}
	}
	for name, c := range map[string]struct {
		args             []string
		printed          string
		accepted, others []string
	}{
		"this machine": {[]string{"--addr", "127.0.0.1:" + port, "--reader", "R1"}, "http://127.0.0.1:" + port + "/?token=",
			[]string{"127.0.0.1:" + port, "localhost:" + port}, []string{"reads.example:" + port, "localhost"}},
		"all addresses": {[]string{"--addr", "0.0.0.0:" + port, "--host", "reads.example", "--host", "10.0.0.5", "--accounts", accounts,
			"--without-tls"}, "http://reads.example:" + port + "/", []string{"reads.example:" + port, "READS.example:" + port,
			"10.0.0.5:" + port, "localhost:" + port, "127.0.0.1:" + port}, []string{"0.0.0.0:" + port, "reads.example", "evil.example"}},
		"behind a proxy": {[]string{"--addr", "127.0.0.1:" + port, "--host", "https://reads.example", "--host",
			"https://other.example:8443", "--accounts", accounts, "--without-tls"}, "https://reads.example/",
			[]string{"reads.example", "reads.example:443", "other.example:8443", "127.0.0.1:" + port}, []string{"other.example"}},
		"encrypted": {[]string{"--addr", ":" + port, "--host", "reads.example", "--accounts", accounts, "--tls-cert", cert,
			"--tls-key", key}, "https://reads.example:" + port + "/", []string{"reads.example:" + port}, []string{"reads.example"}},
		"its own name": {[]string{"--addr", named + ":" + port, "--accounts", accounts, "--without-tls"},
			"http://" + strings.ToLower(named) + ":" + port + "/", []string{named + ":" + port}, []string{"reads.example:" + port}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "its own name" && named == "" {
				t.Skip("this machine has no name")
			}
			ctx, stop := context.WithCancel(t.Context())
			var stdout, stderr buffer
			code := make(chan int, 1)
			args := append([]string{"read", dir, "--out", out, "--scheme", "compartments"}, c.args...)
			go func() { code <- execute(ctx, args, &stdout, &stderr) }()
			if got := stdout.until(t, `(https?://\S+)\n`); !strings.HasPrefix(got, c.printed) {
				t.Errorf("address %s, want %s", got, c.printed)
			}
			isTLS, at := slices.Contains(c.args, "--tls-cert"), "127.0.0.1"
			if name == "its own name" {
				at = named
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			ask := func(host string, form url.Values) *http.Response {
				t.Helper()
				scheme, method := "http://", "GET"
				if isTLS {
					scheme = "https://"
				}
				if form != nil {
					method = "POST"
				}
				r, err := http.NewRequestWithContext(t.Context(), method, scheme+net.JoinHostPort(at, port)+"/login",
					strings.NewReader(form.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				r.Host = host
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				response, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				return response
			}
			for _, host := range c.accepted {
				if got := ask(host, nil).StatusCode; got == http.StatusMisdirectedRequest {
					t.Errorf("%s is refused", host)
				}
			}
			for _, host := range c.others {
				if got := ask(host, nil).StatusCode; got != http.StatusMisdirectedRequest {
					t.Errorf("%s: %d", host, got)
				}
			}
			if strings.Contains(c.printed, "token") {
				client.CloseIdleConnections()
			} else if r := ask(c.accepted[0], url.Values{"code": {"R1"}, "password": {"a long password"}}); r.StatusCode != http.StatusSeeOther ||
				r.Cookies()[0].Secure != strings.HasPrefix(c.printed, "https://") {
				t.Errorf("login: %d %v", r.StatusCode, r.Cookies())
			}
			client.CloseIdleConnections()
			stop()
			if got := <-code; got != exitOK {
				t.Errorf("exit status %d: %s", got, &stderr)
			}
		})
	}
}

// Names of servers are those that browsers send.
func TestParseName(t *testing.T) {
	for text, want := range map[string]name{
		"reads.example":              {"", "reads.example", ""},
		"reads.example:8080":         {"", "reads.example", "8080"},
		"https://reads.example/":     {"https", "reads.example", ""},
		"http://10.0.0.5:80":         {"http", "10.0.0.5", "80"},
		"[2001:db8::1]:8443":         {"", "2001:db8::1", "8443"},
		"https://[2001:db8::1]":      {"https", "2001:db8::1", ""},
		"":                           {},
		":8080":                      {},
		"reads.example:":             {},
		"reads.example:0":            {},
		"reads.example:70000":        {},
		"reads.example:http":         {},
		"https://reads.example/page": {},
		"https://r1@reads.example":   {},
		"ftp://reads.example":        {},
		"reads example":              {},
		"réads.example":              {},
		"0.0.0.0":                    {},
		"[::]:8080":                  {},
		"2001:db8::1":                {},
		"https://":                   {},
	} {
		got, err := parseName(text)
		if got != want || (err == nil) != (want != name{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// The address that is printed is one that others can reach, with the port that was chosen.
func TestHosts(t *testing.T) {
	for want, c := range map[string]struct {
		r       reach
		address string
	}{
		"127.0.0.1:4711 localhost:4711 127.0.0.1:4711":             {reach{host: "127.0.0.1"}, "127.0.0.1:4711"},
		"[::1]:8080 localhost:8080 [::1]:8080":                     {reach{host: "::1"}, "[::1]:8080"},
		"127.0.0.1:8080 localhost:8080 localhost:8080":             {reach{host: "localhost"}, "127.0.0.1:8080"},
		"reads.example:8080 10.0.0.5:8080":                         {reach{host: "reads.example"}, "10.0.0.5:8080"},
		"reads.example:8400 127.0.0.1:8400 localhost:8400":         {reach{named: []name{{host: "reads.example"}}}, "[::]:8400"},
		"reads.example:443 a:80 127.0.0.1:8400 localhost:8400":     {reach{named: []name{{"https", "reads.example", ""}, {"http", "a", ""}}}, "[::]:8400"},
		"reads.example:9 10.0.0.5:8400 10.0.0.5:8400":              {reach{host: "10.0.0.5", named: []name{{host: "reads.example", port: "9"}}}, "10.0.0.5:8400"},
		"a:7 127.0.0.1:8400 localhost:8400 LOCALHOST:8400":         {reach{host: "LOCALHOST", named: []name{{host: "a", port: "7"}}}, "127.0.0.1:8400"},
		"[2001:db8::7]:8400 [2001:db8::1]:8400 [2001:db8::1]:8400": {reach{host: "2001:db8::1", named: []name{{host: "2001:db8::7"}}}, "[2001:db8::1]:8400"},
	} {
		if got := strings.Join(c.r.hosts(c.address), " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A client that sends too slowly or too much is cut off. A handler that takes longer than a request may is not.
func TestLimits(t *testing.T) {
	const limit, long = 200 * time.Millisecond, 600 * time.Millisecond
	ended := make(chan error, 1)
	s := httptest.NewUnstartedServer(nil)
	s.Config = limits{header: limit, body: limit, answer: time.Minute, idle: time.Minute}.server(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			if err == nil {
				time.Sleep(long)
				err = r.Context().Err()
			}
			ended <- err
		}))
	s.Start()
	defer s.Close()
	for _, method := range []string{"GET", "POST"} {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("a stroke")
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil {
		t.Error("a slow body has no limit")
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Large", strings.Repeat("x", 2*mostHeader))
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large header: %d", response.StatusCode)
	}
	if l := usualLimits; l.idle == 0 || l.body > 2*time.Minute || l.answer < 5*time.Minute {
		t.Errorf("%+v", l)
	}
}
