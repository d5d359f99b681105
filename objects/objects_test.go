package objects_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, name string) *objects.Bucket {
	t.Helper()
	b, err := objects.Open(name)
	check(t, err)
	return b.WithPause(time.Millisecond)
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func TestParse(t *testing.T) {
	for name, want := range map[string]objects.Location{
		"s3://trial":           {"trial", ""},
		"s3://trial/":          {"trial", ""},
		"s3://trial/a/b":       {"trial", "a/b"},
		"s3://trial/a b/ü%20/": {"trial", "a b/ü%20"},
	} {
		if got, err := objects.Parse(name); err != nil || got != want {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	for _, name := range []string{"s3://", "s3:///a", "trial", "S3://trial"} {
		if l, err := objects.Parse(name); err == nil || hint.Find(err) == "" {
			t.Errorf("%s: %+v %v", name, l, err)
		}
	}
}

// All bytes can be read at any place, with few requests and in any order.
func TestReadRanges(t *testing.T) {
	s := objecttest.Start(t)
	b := open(t, objecttest.Bucket)
	for _, size := range []int{0, 1, 16 << 10, 16<<10 + 1, 5 << 20} {
		data, key := noise(size), fmt.Sprint("object ", size)
		_, err := b.Put(t.Context(), key, data, false, "")
		check(t, err)
		s.Reset("")
		o, err := b.OpenObject(t.Context(), key)
		check(t, err)
		if o.Size != int64(size) || time.Since(o.Modified) > time.Hour {
			t.Errorf("%d bytes: %+v", size, o.Info)
		}
		got, err := io.ReadAll(io.NewSectionReader(o, 0, o.Size))
		check(t, err)
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d others", size, len(got))
		}
		c := s.Reset("")
		t.Logf("%d bytes: %d requests, %d bytes served", size, c.Requests, c.Served)
		if c.Requests > 12 {
			t.Errorf("%d bytes: %d requests", size, c.Requests)
		}
		for range 50 {
			p := make([]byte, rand.IntN(size+2))
			off := rand.Int64N(int64(size) + 2)
			n, err := o.ReadAt(p, off)
			want := data[min(int(off), size):min(int(off)+len(p), size)]
			early := (err == io.EOF) != (n < len(p)) && len(p) > 0
			if !bytes.Equal(p[:n], want) || early || err != nil && err != io.EOF {
				t.Fatalf("%d bytes at %d of %d: %d, %v", len(p), off, size, n, err)
			}
		}
		check(t, o.Close())
	}
}

// A replaced object cannot be read as if it were the one that was opened.
func TestChangedObject(t *testing.T) {
	objecttest.Start(t)
	b := open(t, objecttest.Bucket)
	data := noise(200_000)
	_, err := b.Put(t.Context(), "a", data, false, "")
	check(t, err)
	o, err := b.OpenObject(t.Context(), "a")
	check(t, err)
	slices.Reverse(data)
	_, err = b.Put(t.Context(), "a", data, false, "")
	check(t, err)
	if _, err := o.ReadAt(make([]byte, 100), 150_000); !errors.Is(err, objects.ErrChanged) {
		t.Error(err)
	}
	check(t, b.Remove(t.Context(), "a"))
	check(t, b.Remove(t.Context(), "a"))
	if _, err := o.ReadAt(make([]byte, 100), 150_000); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Listings have more than one page. Loose objects lie before and after the folders, so that each page has both.
func TestList(t *testing.T) {
	s := objecttest.Start(t)
	for i := range 2300 {
		makeFile(t, filepath.Join(s.Folder(), "p", fmt.Sprintf("f%02d", i%23), fmt.Sprintf("%04d", i)))
	}
	for i := range 600 {
		makeFile(t, filepath.Join(s.Folder(), "p", fmt.Sprintf("e%04d", i)))
		makeFile(t, filepath.Join(s.Folder(), "p", fmt.Sprintf("f%02d-%04d", i%23, i)))
	}
	makeFile(t, filepath.Join(s.Folder(), "p", "z"))
	b := open(t, objecttest.Bucket)
	for _, fails := range []func(int, *http.Request) (int, bool){nil, thirds(503)} {
		s.Break(fails)
		wantListed(t, b, true, 0, 3501)
		wantListed(t, b, false, 23, 1201)
	}
}

func makeFile(t testing.TB, path string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o777))
	check(t, os.WriteFile(path, []byte("x"), 0o666))
}

// wantListed fails unless a listing has that many folders and objects, each once and in their order.
func wantListed(t *testing.T, b *objects.Bucket, deep bool, folders, files int) {
	t.Helper()
	keys := map[bool][]string{} // by whether they are folders
	check(t, b.List(t.Context(), "p/", deep, func(i objects.Info) bool {
		keys[i.Folder()] = append(keys[i.Folder()], i.Key)
		return true
	}))
	for isFolder, want := range map[bool]int{true: folders, false: files} {
		found := keys[isFolder]
		if len(found) != want || !slices.IsSorted(found) || len(slices.Compact(found)) != want {
			t.Errorf("deep %v: %d keys, want %d (folders: %v)", deep, len(found), want, isFolder)
		}
	}
}

// thirds fails every third request.
func thirds(status int) func(int, *http.Request) (int, bool) {
	return func(n int, _ *http.Request) (int, bool) { return status, n%3 == 0 }
}

// Requests are retried after transient errors, also in the middle of an answer.
func TestRetries(t *testing.T) {
	s := objecttest.Start(t)
	b := open(t, objecttest.Bucket)
	for _, status := range []int{500, 503, 429, 0} {
		s.Break(thirds(status))
		for n := range 10 {
			data := noise(100_000 + n)
			_, err := b.Put(t.Context(), "a", data, false, "")
			check(t, err)
			got, _, err := b.Get(t.Context(), "a", 1<<20)
			check(t, err)
			if !bytes.Equal(got, data) {
				t.Fatal("other bytes")
			}
		}
	}
	s.Break(func(int, *http.Request) (int, bool) { return 503, true })
	s.Reset("")
	_, err := b.Stat(t.Context(), "a")
	// The transport itself repeats requests on connections that were closed.
	if first := s.Reset("").Requests; !errors.Is(err, objects.ErrUnavailable) || first < 8 || first > 10 {
		t.Errorf("%v after %d requests", err, first)
	}
	if _, err = b.Stat(t.Context(), "a"); s.Reset("").Requests > 2 {
		t.Error("requests are repeated although the last one had failed after all repetitions: ", err)
	}
	s.Break(nil)
	_, err = b.Stat(t.Context(), "a")
	check(t, err)
}

// No error repeats what a server says of the credentials.
func TestErrorsHoldNoSecrets(t *testing.T) {
	s := objecttest.Start(t)
	ask := func(b *objects.Bucket) map[string]error {
		errs := map[string]error{}
		_, errs["stat"] = b.Stat(t.Context(), "a")
		_, errs["open"] = b.OpenObject(t.Context(), "a")
		errs["list"] = b.List(t.Context(), "a", true, func(objects.Info) bool { return true })
		_, errs["put"] = b.Put(t.Context(), "a", []byte("text"), false, "")
		errs["copy"] = b.Copy(t.Context(), "a", "b")
		errs["remove"] = b.Remove(t.Context(), "a")
		return errs
	}
	for _, status := range []int{301, 400, 401, 403, 404, 409, 412, 500, 501, 503} {
		s.Break(func(int, *http.Request) (int, bool) { return status, true })
		for name, err := range ask(open(t, objecttest.Bucket)) {
			var e *objects.Error
			if !errors.As(err, &e) || e.Problem == "" {
				t.Errorf("%d: %s: %v", status, name, err)
				continue
			}
			text := fmt.Sprintf("%v %s %+v", err, hint.Find(err), errors.Unwrap(err))
			if found := objecttest.Leaked(text); len(found) > 0 {
				t.Errorf("%d: %s: %q has %q", status, name, text, found)
			}
		}
	}
}

func TestWrongCredentials(t *testing.T) {
	objecttest.Start(t)
	t.Setenv("AWS_SECRET_ACCESS_KEY", objecttest.Secret+"x")
	_, err := open(t, objecttest.Bucket).Put(t.Context(), "a", nil, false, "")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(hint.Find(err), "AWS_SECRET_ACCESS_KEY") {
		t.Error(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "ANOTHER")
	err = open(t, objecttest.Bucket).List(t.Context(), "", true, func(objects.Info) bool { return true })
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "access key") {
		t.Error(err)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://user:"+objecttest.Secret+"@127.0.0.1:1")
	if _, err := objects.Open("trial"); err == nil || len(objecttest.Leaked(err.Error())) > 0 {
		t.Error(err)
	}
}

// The shared credentials file is used without the environment.
func TestSharedCredentials(t *testing.T) {
	objecttest.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[lab]\naws_access_key_id = %s\naws_secret_access_key = %s\n", objecttest.Key,
		objecttest.Secret)
	check(t, os.WriteFile(file, []byte(text), 0o600))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	t.Setenv("AWS_PROFILE", "lab")
	_, err := open(t, objecttest.Bucket).Put(t.Context(), "a", nil, false, "")
	check(t, err)
}

func TestMissing(t *testing.T) {
	objecttest.Start(t)
	for bucket, kind := range map[string]error{"absent": objects.ErrNoBucket, "A B": objects.ErrNoBucket,
		objecttest.Bucket: fs.ErrNotExist} {
		if _, err := open(t, bucket).OpenObject(t.Context(), "a"); !errors.Is(err, kind) {
			t.Errorf("%s: %v", bucket, err)
		}
	}
}

// An object is created once, and replaced only if it is the expected one.
func TestConditions(t *testing.T) {
	objecttest.Start(t)
	b := open(t, objecttest.Bucket)
	tag, err := b.Put(t.Context(), "lock", []byte("one"), true, "")
	check(t, err)
	if _, err := b.Put(t.Context(), "lock", []byte("two"), true, ""); !errors.Is(err, objects.ErrExists) {
		t.Error(err)
	}
	if _, err := b.Put(t.Context(), "lock", []byte("two"), false, "0123"); !errors.Is(err, objects.ErrChanged) {
		t.Error(err)
	}
	_, err = b.Put(t.Context(), "lock", []byte("three"), false, tag)
	check(t, err)
	got, _, err := b.Get(t.Context(), "lock", 100)
	check(t, err)
	if string(got) != "three" {
		t.Errorf("%q", got)
	}
}
