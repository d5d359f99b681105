package objecttest

import (
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fake starts a server that keeps objects in memory and checks neither credentials nor conditions of writes, as old
// servers do, and points the environment to it. Unlike a server with a file system, it accepts all keys. It has
// objects with the given keys, whose content is their key.
func Fake(t testing.TB, keys ...string) {
	f := &fake{objects: map[string]fakeObject{}}
	for _, key := range keys {
		f.objects[key] = fakeObject{[]byte(key), time.Now()}
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	t.Setenv("AWS_REGION", "us-east-1")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

type fake struct {
	mu      sync.Mutex
	objects map[string]fakeObject
}

type fakeObject struct {
	data     []byte
	modified time.Time
}

func (o fakeObject) etag() string { return fmt.Sprintf(`"%x"`, md5.Sum(o.data)) }

// ServeHTTP answers requests without signatures: GET, HEAD, PUT and DELETE of objects, and listings.
func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/"+Bucket), "/")
	o, known := f.objects[key]
	switch {
	case key == "" && r.Method == http.MethodGet:
		f.list(w, r)
	case r.Method == http.MethodPut:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		o = fakeObject{data, time.Now()}
		f.objects[key] = o
		w.Header().Set("ETag", o.etag())
	case r.Method == http.MethodDelete:
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !known:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
	default:
		w.Header().Set("ETag", o.etag())
		http.ServeContent(w, r, "", o.modified, strings.NewReader(string(o.data)))
	}
}

// list answers in one page, without a delimiter.
func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	type content struct {
		Key          string
		LastModified string
		ETag         string
		Size         int
	}
	var result struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []content
	}
	query := r.URL.Query()
	for key, o := range f.objects {
		if strings.HasPrefix(key, query.Get("prefix")) && key > query.Get("start-after") {
			result.Contents = append(result.Contents, content{key, o.modified.UTC().Format(time.RFC3339), o.etag(),
				len(o.data)})
		}
	}
	slices.SortFunc(result.Contents, func(a, b content) int { return strings.Compare(a.Key, b.Key) })
	w.Header().Set("Content-Type", "application/xml")
	if err := xml.NewEncoder(w).Encode(result); err != nil {
		panic(err)
	}
}
