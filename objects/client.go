package objects

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/t2map/t2map/hint"
)

// Bucket is a bucket of a server. Its methods may be used concurrently.
type Bucket struct {
	name   string
	client *minio.Client
	// pause is the time before the first repetition of a request. It doubles with each, up to longestPause.
	pause    time.Duration
	attempts int
	// down says that the last request failed although it was repeated. Until one succeeds, requests are not repeated:
	// a run that reads thousands of files must not wait for each.
	down *atomic.Bool
}

// The pauses of eight attempts take 11 to 23 s together: the time in which a server that was restarted answers again,
// and in which Amazon's servers reduce their load (SlowDown).
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
	mostAttempts = 8
)

// environment holds the variables that select the server and the credentials.
type environment struct {
	endpoint, region, key, secret, token, profile, file string
}

func readEnvironment() environment {
	return environment{
		endpoint: cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL")),
		region:   cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		key:      os.Getenv("AWS_ACCESS_KEY_ID"), secret: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		token: os.Getenv("AWS_SESSION_TOKEN"), profile: os.Getenv("AWS_PROFILE"),
		file: os.Getenv("AWS_SHARED_CREDENTIALS_FILE"),
	}
}

// clients are used again, because each asks for credentials and opens connections of its own.
var clients struct {
	sync.Mutex
	byEnvironment map[environment]server
}

// server is a client and the state that all its buckets share.
type server struct {
	*minio.Client
	down *atomic.Bool
}

// Open returns the bucket. It makes no request, except to the metadata service of a machine with a role.
func Open(bucket string) (*Bucket, error) {
	clients.Lock()
	defer clients.Unlock()
	env := readEnvironment()
	s, known := clients.byEnvironment[env]
	if !known {
		client, err := env.client()
		if err != nil {
			return nil, err
		}
		if clients.byEnvironment == nil {
			clients.byEnvironment = map[environment]server{}
		}
		s = server{client, new(atomic.Bool)}
		clients.byEnvironment[env] = s
	}
	return &Bucket{name: bucket, client: s.Client, down: s.down, pause: firstPause, attempts: mostAttempts}, nil
}

// WithPause returns the bucket with another pause before the first repetition of a request, for tests.
func (b *Bucket) WithPause(pause time.Duration) *Bucket {
	other := *b
	other.pause = pause
	return &other
}

// client returns a client of the server.
func (e environment) client() (*minio.Client, error) {
	host, secure, lookup := "s3.amazonaws.com", true, minio.BucketLookupAuto
	region := e.region
	if e.endpoint != "" {
		u, err := url.Parse(e.endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil ||
			u.Path != "" && u.Path != "/" || u.RawQuery != "" { // the text may hold a password
			return nil, hint.Errorf("for example http://storage.example:9000",
				"AWS_ENDPOINT_URL is not the address of a server")
		}
		host, secure, lookup = u.Host, u.Scheme == "https", minio.BucketLookupPath
		region = cmp.Or(region, "us-east-1") // what servers other than Amazon's expect unless they say otherwise
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("certificates of this machine: %w", err)
	}
	transport.MaxIdleConnsPerHost = 64 // more than files that are read at a time
	transport.ResponseHeaderTimeout = time.Minute
	found, err := e.credentials()
	if err != nil {
		return nil, err
	}
	// One attempt: requests are repeated here, together with the reading of their answers.
	return minio.New(host, &minio.Options{Creds: found, Secure: secure, Region: region, BucketLookup: lookup,
		Transport: transport, MaxRetries: 1})
}
