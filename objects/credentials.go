package objects

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// credentials returns the credentials of the first source that is configured. Without one, requests are anonymous, as
// public buckets allow. If a source is configured and gives no credentials, that is an error: anonymous requests would
// be refused for another reason.
func (e environment) credentials() (found *credentials.Credentials, err error) {
	role := Bucket{pause: firstPause, attempts: 3, down: new(atomic.Bool)}
	err = role.again(context.Background(), "", func() error {
		source, err := e.source()
		// Not a chain of sources: when a chain refreshes credentials, it treats every error as missing credentials.
		if found = credentials.New(source); source == nil {
			found = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
		}
		return err
	})
	return found, err
}

// source returns the first source of credentials that is configured, or nil.
func (e environment) source() (credentials.Provider, error) {
	switch {
	case e.key != "" && e.secret != "":
		return &credentials.EnvAWS{}, nil
	case e.key != "" || e.secret != "":
		return nil, noCredentials("only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set", "set both", false)
	}
	file := &credentials.FileAWSCredentials{}
	v, err := file.RetrieveWithCredContext(&credentials.CredContext{Client: http.DefaultClient})
	switch {
	case err == nil && v.AccessKeyID != "":
		return file, nil
	case err != nil && (e.profile != "" || !isAbsent(err)):
		return nil, noCredentials("the shared credentials file gives none", credentialsHint, false)
	}
	role, err := roleSource()
	if err == nil && role == nil && e.profile != "" {
		err = noCredentials("the profile that AWS_PROFILE names has none", credentialsHint, false)
	}
	return role, err
}

// noCredentials is the error of a source. It has no text of the source, which may repeat what is secret.
func noCredentials(problem, hint string, transient bool) error {
	return &Error{Name: "credentials", Problem: problem, Hint: hint, Kind: fs.ErrPermission, transient: transient,
		general: true}
}

// isAbsent reports whether the credentials file does not exist or does not have a default profile. Without a home
// directory, err says so whatever else is wrong; then there are only the files that the environment names.
func isAbsent(err error) bool {
	if _, homeErr := os.UserHomeDir(); homeErr != nil && err.Error() == homeErr.Error() {
		return !slices.ContainsFunc([]string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"}, func(name string) bool {
			_, err := os.Stat(os.Getenv(name))
			return err == nil
		})
	}
	return errors.Is(err, fs.ErrNotExist) || err.Error() == fmt.Sprintf("section %q does not exist", "default")
}

// roleSource returns the role of the machine or container as a source, or nil if it has none.
func roleSource() (credentials.Provider, error) {
	if os.Getenv("AWS_EC2_METADATA_DISABLED") == "true" {
		return nil, nil
	}
	requests := &watched{RoundTripper: http.DefaultTransport}
	role := &credentials.IAM{Client: &http.Client{Transport: requests, Timeout: 2 * time.Second}}
	named := os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" ||
		os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" ||
		os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
	if !named {
		requests.RoundTripper = &http.Transport{} // no proxy: the service is part of the machine
		role.Endpoint = os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
	}
	_, err := role.RetrieveWithCredContext(&credentials.CredContext{Client: role.Client})
	status, reached := requests.status.Load(), requests.reached.Load()
	busy := status >= 500 || status == http.StatusTooManyRequests
	switch {
	case err == nil:
		return role, nil
	case !named && !busy && (status >= 400 || !reached): // no such service, or one that knows no role
		return nil, nil
	}
	return nil, noCredentials("the role of this machine or container gives none",
		"run again; for public buckets set AWS_EC2_METADATA_DISABLED=true", busy || status == 0)
}

// watched passes requests on, and notes whether a server was reached and the status of its last answer.
type watched struct {
	http.RoundTripper
	reached atomic.Bool
	status  atomic.Int64
}

// RoundTrip passes a request on.
func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	w.status.Store(0)
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { w.reached.Store(true) }}
	answer, err := w.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err == nil {
		w.status.Store(int64(answer.StatusCode))
	}
	return answer, err
}
