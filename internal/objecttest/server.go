// Package objecttest starts a real S3 server for tests, behind a proxy that counts and can break requests.
package objecttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/t2map/t2map/objects"
)

// Key and Secret are the credentials of the server.
const Key, Secret = "T2MAPTESTKEY", "t2map-test-secret-7f3a"

// Server is an S3 server with one bucket, named trial.
type Server struct {
	// URL is the address of the proxy.
	URL   string
	port  int
	dir   string
	inner *exec.Cmd

	mu     sync.Mutex
	fail   func(n int, r *http.Request) (status int, fails bool)
	hang   func(r *http.Request) bool
	count  int
	served map[string]int64 // bytes, by key
	sent   int64
	calls  []string
}

// Bucket is the name of the bucket.
const Bucket = "trial"

// Start starts a server with an empty bucket, and points the environment to it. It skips the test if the server is not
// installed: go install github.com/versity/versitygw/cmd/versitygw.
func Start(t testing.TB) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{dir: dir, port: freePort(t), served: map[string]int64{}}
	if err := os.Mkdir(filepath.Join(dir, Bucket), 0o777); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	t.Cleanup(s.Kill)
	target, err := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", s.port))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: s.countAnswer,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, fails := s.fails(r); fails && status == 0 {
			panic(http.ErrAbortHandler)
		} else if fails {
			http.Error(w, Repeated(r), status)
			return
		}
		if s.hangs(r) {
			_, _ = io.Copy(io.Discard, r.Body) // the end of the connection is noticed after the body
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	s.URL = front.URL
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", Key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", Secret)
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return s
}

// Repeated is an answer that repeats everything that a server knows of the credentials.
func Repeated(r *http.Request) string {
	header := r.Header.Get("Authorization")
	return "<?xml version=\"1.0\"?><Error><Code>" + Secret + "</Code><Message>" + Key + " " + Secret + " " + header +
		"</Message><Resource>" + header + "</Resource><RequestId>" + Key + "</RequestId></Error>"
}

// Leaked returns the parts of the credentials that a text repeats.
func Leaked(text string) (found []string) {
	for _, secret := range []string{Key, Secret, "Signature=", "AWS4-HMAC", "Credential=", "X-Amz-"} {
		if strings.Contains(text, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// program returns the path of the server.
func program(t testing.TB) string {
	const name = "versitygw"
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if out, err := exec.Command("go", "env", "GOPATH").Output(); err == nil {
		if path, err := exec.LookPath(filepath.Join(strings.TrimSpace(string(out)), "bin", name)); err == nil {
			return path
		}
	}
	t.Skip("the S3 server versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
	return ""
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Restart starts the server again after Kill.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	var log bytes.Buffer
	address := fmt.Sprintf("127.0.0.1:%d", s.port)
	s.inner = exec.Command(program(t), "--access", Key, "--secret", Secret, "--port", address, "--quiet", "posix",
		s.dir)
	s.inner.Stdout, s.inner.Stderr = &log, &log
	if err := s.inner.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Kill()
			t.Fatal("the S3 server does not start: ", log.String())
		}
	}
}

// Kill ends the server at once.
func (s *Server) Kill() {
	_ = s.inner.Process.Kill()
	_ = s.inner.Wait()
}

// Break lets fail decide for each request, by its number, whether it is answered with a status, or with 0 whether the
// connection is broken. A nil fail breaks nothing.
func (s *Server) Break(fail func(n int, r *http.Request) (status int, fails bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// Hang lets hang decide for each request whether it gets no answer until the client ends it. A nil hang answers all.
func (s *Server) Hang(hang func(r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang = hang
}

func (s *Server) hangs(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hang != nil && s.hang(r)
}

func (s *Server) fails(r *http.Request) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.sent += max(0, r.ContentLength)
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	if s.fail == nil {
		return 0, false
	}
	return s.fail(s.count, r)
}

func (s *Server) countAnswer(r *http.Response) error {
	r.Body = &counted{r.Body, s, r.Request.URL.Path}
	return nil
}

// counted counts the bytes that are read.
type counted struct {
	io.ReadCloser
	s   *Server
	key string
}

// Read reads and counts.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.s.mu.Lock()
	c.s.served[c.key] += int64(n)
	c.s.mu.Unlock()
	return n, err
}

// Count is what a server has done.
type Count struct {
	// Requests is the number of requests, and Calls are their methods and paths.
	Requests int
	Calls    []string
	// Served are the bytes of answers about objects whose keys begin with a prefix, and Received those of all bodies of
	// requests.
	Served, Received int64
}

// Reset returns the counts since the last Reset. Only objects below prefix are in Served.
func (s *Server) Reset(prefix string) Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Count{Requests: s.count, Received: s.sent, Calls: s.calls}
	for key, n := range s.served {
		if strings.HasPrefix(key, "/"+Bucket+"/"+prefix) {
			c.Served += n
		}
	}
	s.count, s.sent, s.served, s.calls = 0, 0, map[string]int64{}, nil
	return c
}

// Folder returns the folder in which the server keeps the objects of the bucket as files.
func (s *Server) Folder() string { return filepath.Join(s.dir, Bucket) }

// Upload stores all files of a folder below a prefix of the bucket, through the server.
func Upload(t testing.TB, folder, prefix string) {
	t.Helper()
	b, err := objects.Open(Bucket)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return b.PutFile(context.Background(), objects.Location{Prefix: prefix}.Key(filepath.ToSlash(name)), path)
	})
	if err != nil {
		t.Fatal(err)
	}
}
