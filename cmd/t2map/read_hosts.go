package main

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
)

// reach says how readers reach the server.
type reach struct {
	host  string // of --addr
	named []name // of --host
	// secure says that browsers use TLS, of the server or of a proxy before it.
	secure bool
}

// name is a name of the server.
type name struct{ scheme, host, port string } // scheme and port may be ""

// reach checks the flags of the network.
func (f *readFlags) reach() (r reach, err error) {
	switch {
	case (f.cert == "") != (f.key == ""):
		return r, usageError{errors.New("--tls-cert and --tls-key must be given together")}
	case f.cert != "" && f.insecure:
		return r, usageError{errors.New("--tls-cert and --without-tls exclude each other")}
	}
	if r.host, _, err = net.SplitHostPort(f.addr); err != nil {
		return r, usageError{hint.Errorf("write it as 127.0.0.1:8080", "--addr %s: not an address with a port",
			printable.Short(f.addr))}
	}
	public := ""
	if !isLocal(r.host) {
		public = "--addr " + f.addr
	}
	for _, text := range f.hosts {
		one, err := parseName(text)
		if err != nil {
			return r, usageError{err}
		}
		r.named = append(r.named, one)
		if !isLocal(one.host) {
			public = "--host " + text
		}
	}
	if public != "" && (f.accounts == "" || f.cert == "" && !f.insecure) {
		return r, usageError{hint.Errorf("add --accounts, and --tls-cert with --tls-key, or --without-tls if a proxy encrypts",
			"%s lets other machines reach the server", printable.Short(public))}
	}
	if isWildcard(r.host) && len(r.named) == 0 {
		return r, usageError{hint.Errorf("add the name that readers type, for instance --host reads.example.org",
			"--addr %s is not a name that readers can type", printable.Short(f.addr))}
	}
	r.secure, err = f.encrypted(r.named)
	return r, err
}

// encrypted reports whether browsers use TLS, as the schemes of the names say behind another server.
func (f *readFlags) encrypted(named []name) (bool, error) {
	count := map[string]int{}
	for _, one := range named {
		count[one.scheme]++
	}
	switch {
	case f.cert != "" && count["http"] > 0:
		return true, usageError{hint.Errorf("omit http://", "--host: with --tls-cert, the server encrypts")}
	case f.cert != "" || count["https"] == 0:
		return f.cert != "", nil
	case !f.insecure:
		return true, usageError{hint.Errorf("add --tls-cert, or --without-tls if a proxy encrypts",
			"--host: the server does not encrypt")}
	case count["https"] < len(named):
		return true, usageError{hint.Errorf("write https:// before all of them", "--host: some names have https:// and others do not")}
	}
	return true, nil
}

// names matches names of computers in the form in which browsers send them.
var names = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$`)

// parseName parses NAME, NAME:PORT, or either with https:// or http:// before it.
func parseName(text string) (name, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "", text
	}
	rest = strings.TrimSuffix(rest, "/")
	u, err := url.Parse("//" + rest)
	if err == nil && u.Host == rest && slices.Contains([]string{"", "http", "https"}, scheme) && isName(u.Hostname()) &&
		(isPort(u.Port()) || rest == u.Hostname() || rest == "["+u.Hostname()+"]") {
		return name{scheme, u.Hostname(), u.Port()}, nil
	}
	return name{}, hint.Errorf("write it as reads.example.org:8443 or https://reads.example.org",
		"--host %s: not the name of a server", printable.Short(text))
}

func isName(host string) bool {
	return !isWildcard(host) && (names.MatchString(host) || net.ParseIP(host) != nil)
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// hosts returns the names of a server that listens on an address, the one to print first.
func (r reach) hosts(address string) []string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return []string{address}
	}
	var all []string
	for _, one := range r.named {
		switch {
		case one.port != "":
		case one.scheme == "https":
			one.port = "443"
		case one.scheme == "http":
			one.port = "80"
		default:
			one.port = port
		}
		all = append(all, net.JoinHostPort(one.host, one.port))
	}
	switch own := net.JoinHostPort(r.host, port); {
	case isWildcard(r.host):
		return append(all, gate.LocalHosts(net.JoinHostPort("127.0.0.1", port))...)
	case isLocal(r.host):
		return append(append(all, gate.LocalHosts(address)...), own)
	default:
		return append(all, own, address)
	}
}

// isLocal reports whether only this machine reaches a host.
func isLocal(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isWildcard reports whether a host stands for all addresses of this machine.
func isWildcard(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// limits bound how long a client may keep a connection: body is the time for header and body together, and answer that for
// making and sending the answer. A body has at most a mebibyte, and the voxels of a study may be 20 MB, which take ten
// minutes at 270 kbit/s.
type limits struct{ header, body, answer, idle time.Duration }

var usualLimits = limits{header: 10 * time.Second, body: time.Minute, answer: 10 * time.Minute, idle: 2 * time.Minute}

// mostHeader is the largest header in bytes; proxies add to that of the browser.
const mostHeader = 1 << 16

// server returns a server with the limits.
func (l limits) server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: l.header, ReadTimeout: l.body, WriteTimeout: l.answer,
		IdleTimeout: l.idle, MaxHeaderBytes: mostHeader}
}
