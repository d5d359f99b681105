package objects_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/t2map/t2map/internal/objecttest"
	"github.com/t2map/t2map/objects"
)

// metadata is the metadata service of a machine with a role.
type metadata struct {
	status atomic.Int64 // of its answers
	fails  atomic.Int64 // the number of requests that it answers with 503 first
	life   time.Duration
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case m.fails.Add(-1) >= 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	case m.status.Load() != http.StatusOK:
		w.WriteHeader(int(m.status.Load()))
	case r.Method == http.MethodPut:
		fmt.Fprint(w, "token")
	case strings.HasSuffix(r.URL.Path, "/role"):
		fmt.Fprintf(w, `{"Code": "Success", "AccessKeyId": %q, "SecretAccessKey": %q, "Expiration": %q}`,
			objecttest.Key, objecttest.Secret, time.Now().Add(m.life).UTC().Format(time.RFC3339Nano))
	default:
		fmt.Fprintln(w, "role")
	}
}

// withRole starts a metadata service, and takes all other credentials away.
func withRole(t *testing.T) *metadata {
	t.Helper()
	m := &metadata{life: time.Hour}
	m.status.Store(http.StatusOK)
	service := httptest.NewServer(m)
	t.Cleanup(service.Close)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.URL)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "absent"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "absent")) // and a client of its own
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	return m
}

func put(t *testing.T) error {
	b, err := objects.Open(objecttest.Bucket)
	if err != nil {
		return err
	}
	_, err = b.WithPause(time.Millisecond).Put(t.Context(), "a", nil, false, "")
	return err
}

// A role whose service does not answer is not taken for none, and is asked again.
func TestRole(t *testing.T) {
	objecttest.Start(t)
	m := withRole(t)
	m.status.Store(http.StatusServiceUnavailable)
	var e *objects.Error
	if err := put(t); !errors.As(err, &e) || !e.Transient() || !e.General() || !strings.Contains(err.Error(), "role") {
		t.Errorf("a service that is overloaded: %v", err)
	}
	m.status.Store(http.StatusOK)
	m.fails.Store(2)
	if err := put(t); err != nil {
		t.Errorf("a service that was overloaded: %v", err)
	}
}

// Credentials that cannot be renewed do not become anonymous requests.
func TestRoleThatIsRenewed(t *testing.T) {
	objecttest.Start(t)
	m := withRole(t)
	m.life = time.Second
	check(t, put(t))
	m.status.Store(http.StatusServiceUnavailable)
	time.Sleep(m.life)
	var e *objects.Error
	if err := put(t); !errors.As(err, &e) || !e.Transient() {
		t.Errorf("the credentials have expired: %v", err)
	}
	m.status.Store(http.StatusOK)
	check(t, put(t))
}

// Requests are anonymous if no source of credentials is configured.
func TestNoCredentials(t *testing.T) {
	objecttest.Fake(t) // it checks no credentials
	m := withRole(t)
	other := filepath.Join(t.TempDir(), "config")
	check(t, os.WriteFile(other, []byte("[profile lab]\nregion = eu-west-1\n"), 0o600))
	for name, change := range map[string]func(t *testing.T){
		"the service knows no role": func(*testing.T) { m.status.Store(http.StatusNotFound) },
		"no service": func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
		},
		"a file without a profile": func(t *testing.T) { t.Setenv("AWS_CONFIG_FILE", other) },
		"no home":                  withoutHome,
		"no home and no such file": func(t *testing.T) {
			withoutHome(t)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "absent"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m.status.Store(http.StatusNotFound)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "absent"))
			change(t)
			if err := put(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// withoutHome removes the home directory, and the names of files in it, from the environment.
func withoutHome(t *testing.T) {
	for _, name := range []string{"HOME", "USERPROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "")
	}
}

// A source that is configured and gives no credentials is an error, which does not show what the source says.
func TestSourcesThatFail(t *testing.T) {
	objecttest.Fake(t)
	withRole(t).status.Store(http.StatusNotFound)
	file := filepath.Join(t.TempDir(), "credentials")
	check(t, os.WriteFile(file, []byte("[half]\naws_secret_access_key = "+objecttest.Secret+"\n[none]\nregion = here\n"+
		"[default]\ncredential_process = false "+objecttest.Secret+"\n"), 0o600))
	for _, c := range []struct{ name, value, want string }{
		{"AWS_ACCESS_KEY_ID", objecttest.Key, "only one"},
		{"AWS_PROFILE", "half", "file gives none"},
		{"AWS_PROFILE", "absent", "file gives none"},
		{"AWS_PROFILE", "none", "AWS_PROFILE names"},
		{"AWS_PROFILE", "", "file gives none"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1", "role"},
	} {
		t.Run(c.name+" "+c.value, func(t *testing.T) {
			if c.want != "role" {
				t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
			}
			t.Setenv(c.name, c.value)
			err := put(t)
			var e *objects.Error
			if !errors.As(err, &e) || !e.General() || !strings.Contains(err.Error(), c.want) ||
				len(objecttest.Leaked(fmt.Sprintf("%+v %s", err, e.Hint))) > 0 {
				t.Errorf("%v", err)
			}
		})
	}
}
