package objects

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// The kinds of an error, in addition to fs.ErrNotExist and fs.ErrPermission.
var (
	// ErrNoBucket: the bucket does not exist.
	ErrNoBucket = errors.New("no such bucket")
	// ErrChanged: the object is no longer the one that was opened or listed.
	ErrChanged = errors.New("changed")
	// ErrExists: the object that was to be created exists.
	ErrExists = errors.New("exists")
	// ErrUnsupported: the server does not know the request.
	ErrUnsupported = errors.New("not supported by the server")
	// ErrUnavailable: the server cannot be reached, or does not answer as it should.
	ErrUnavailable = errors.New("unavailable")
)

// Error describes why a request failed. It has no text of the server.
type Error struct {
	// Name is the name of the object, folder or bucket: s3://bucket/key.
	Name string
	// Problem says what is wrong, and Hint what to do about it.
	Problem, Hint string
	// Kind is one of the kinds above, fs.ErrNotExist or fs.ErrPermission.
	Kind error

	transient bool // see Transient
	general   bool // see General
}

// Transient reports whether the request may succeed later. Package outfile asks for it.
func (e *Error) Transient() bool { return e.transient }

// General reports whether the error is not that of one object, because other requests fail too until something has
// changed: the server cannot be reached or is overloaded, or it does not accept the credentials any more.
func (e *Error) General() bool { return e.transient || e.general }

// Error returns name: problem.
func (e *Error) Error() string { return e.Name + ": " + e.Problem }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Advice returns the hint, for hint.Find.
func (e *Error) Advice() string { return e.Hint }

const (
	credentialsHint = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile of the shared credentials " +
		"file (AWS_PROFILE)"
	regionHint = "name the region of the bucket in AWS_REGION"
	serverHint = "check AWS_ENDPOINT_URL and the network, and run again: what is done is kept"
)

// known are the codes of S3's errors that say more than their HTTP status (Amazon S3 API Reference, "Error
// responses"). Other codes are not shown: they are text of the server.
var known = map[string]Error{
	"NoSuchBucket": {Problem: "the bucket does not exist", Kind: ErrNoBucket,
		Hint: "check its name, and AWS_ENDPOINT_URL"},
	"InvalidBucketName": {Problem: "this cannot be the name of a bucket", Kind: ErrNoBucket,
		Hint: "for example s3://trial/studies"},
	"NoSuchKey": {Problem: "does not exist", Kind: fs.ErrNotExist},
	"InvalidAccessKeyId": {Problem: "the server does not know the access key", Kind: fs.ErrPermission,
		Hint: credentialsHint, general: true},
	"XAdminUserNotFound": {Problem: "the server does not know the access key", Kind: fs.ErrPermission,
		Hint: credentialsHint, general: true}, // Versity
	"SignatureDoesNotMatch": {Problem: "the secret key does not belong to the access key", Kind: fs.ErrPermission,
		Hint: credentialsHint, general: true},
	"ExpiredToken": {Problem: "the credentials have expired", Kind: fs.ErrPermission,
		Hint: "obtain new credentials", general: true},
	"InvalidToken": {Problem: "the server does not accept the session token", Kind: fs.ErrPermission,
		Hint: credentialsHint, general: true},
	"RequestTimeTooSkewed": {Problem: "the clocks of this machine and of the server differ", Kind: fs.ErrPermission,
		Hint: "set the clock", general: true},
	"AuthorizationHeaderMalformed": {Problem: "the bucket is in another region", Kind: ErrUnsupported,
		Hint: regionHint},
	"PermanentRedirect": {Problem: "the bucket is in another region", Kind: ErrUnsupported, Hint: regionHint},
	"PreconditionFailed": {Problem: "has changed since it was listed or opened", Kind: ErrChanged,
		Hint: "make sure that nothing writes to it, and run again"},
	"ConditionalRequestConflict": {Problem: "another program writes to it", Kind: ErrUnavailable, transient: true},
	"InvalidObjectState": {Problem: "is in an archive storage class", Kind: ErrUnsupported,
		Hint: "restore it from the archive first"},
	"QuotaExceeded": {Problem: "the bucket is full", Kind: ErrUnavailable, Hint: "make room in the bucket"},
}

// failure converts an error of the client about the object or bucket with that name. The errors of contexts and of
// this package stay as they are.
func failure(ctx context.Context, name string, err error) error {
	var own *Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &own):
		return err
	}
	var answer minio.ErrorResponse
	e := Error{Problem: "the connection failed", Kind: ErrUnavailable, Hint: serverHint, transient: true,
		general: true}
	if errors.As(err, &answer) {
		e = answered(answer)
	} else {
		connection(&e, err)
	}
	e.Name = name
	return &e
}

// answered describes an answer of the server.
func answered(r minio.ErrorResponse) Error {
	if e, ok := known[r.Code]; ok {
		return e
	}
	e := Error{Problem: fmt.Sprintf("the server answered with status %d", r.StatusCode), Kind: ErrUnavailable,
		Hint: serverHint}
	if text := http.StatusText(r.StatusCode); text != "" {
		e.Problem += " (" + text + ")"
	}
	switch s := r.StatusCode; {
	case s == http.StatusPreconditionFailed:
		return known["PreconditionFailed"]
	case s == http.StatusForbidden, s == http.StatusUnauthorized:
		e = Error{Problem: "the server denies access", Kind: fs.ErrPermission, Hint: credentialsHint +
			", and the permissions for the bucket"}
	case s == http.StatusNotImplemented, s == http.StatusMethodNotAllowed:
		e.Kind = ErrUnsupported
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s >= 500, s == 0:
		e.transient = true
	}
	return e
}

// connection adds why a connection failed, as far as the text is of this machine: an address, not what was sent.
func connection(e *Error, err error) {
	var lookup *net.DNSError
	var operation *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &lookup):
		e.Problem, e.transient = "the address of the server cannot be found", !lookup.IsNotFound
	case errors.As(err, new(x509.UnknownAuthorityError)), errors.As(err, new(x509.HostnameError)),
		errors.As(err, new(x509.CertificateInvalidError)):
		e.Problem, e.transient = "the certificate of the server is not valid here", false
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Problem = "the server ended the connection"
	case errors.As(err, &operation) && operation.Err != nil:
		e.Problem = "the connection failed: " + operation.Err.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Problem = "the server did not answer in time"
	}
}
