package objects

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
)

// headBytes are read when an object is opened. The headers of the scans that the tests use end at 2 kB (GE 3 T), 9 kB
// (Philips) and 15 kB (GE 1.5 T), and 28 kB are looked at because package dicomio reads ahead: they need one request.
const headBytes = 32 << 10

// The beginning of an object is kept as far as it was read one piece after the other, up to mostHead: headers of
// Siemens end at 89 kB, and are read again for their hash.
const mostHead = 256 << 10

// Reads that continue the last one fetch leastAhead, and then twice as much each time, up to mostAhead. Larger reads
// are divided, so that a broken connection repeats mostAtOnce at most.
const (
	leastAhead = 64 << 10
	mostAhead  = 4 << 20
	mostAtOnce = 16 << 20
)

// Object is an open object. ReadAt may be used concurrently. All reads return bytes of the version that was opened:
// if the object is replaced, they return an error of kind ErrChanged.
type Object struct {
	Info
	bucket *Bucket
	ctx    context.Context

	mu     sync.Mutex // guards the fields below
	head   []byte     // the beginning
	window []byte
	start  int64 // of the window
	ahead  int64
}

// OpenObject opens the object with that key. Reads end with ctx.
func (b *Bucket) OpenObject(ctx context.Context, key string) (*Object, error) {
	o := &Object{bucket: b, ctx: ctx}
	err := b.again(ctx, b.Name(key), func() error {
		data, info, err := b.get(ctx, key, "", 0, headBytes)
		o.head, o.Info = data, info
		return err
	})
	if e := (*Error)(nil); errors.As(err, &e) && e.empty() {
		o.head = nil
		o.Info, err = b.Stat(ctx, key)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Close releases the memory of the object. Reads after it are not errors, but slower.
func (o *Object) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.window = nil
	return nil
}

// ReadAt implements io.ReaderAt.
func (o *Object) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 || off >= o.Size {
		return 0, io.EOF
	}
	wanted := int(min(int64(len(p)), o.Size-off))
	o.mu.Lock()
	head := o.head
	o.mu.Unlock()
	if off < int64(len(head)) {
		n = copy(p[:wanted], head[off:])
	}
	if n < wanted {
		var more int
		if wanted-n >= mostAhead {
			more, err = o.fetch(p[n:wanted], off+int64(n))
		} else {
			more, err = o.throughWindow(p[n:wanted], off+int64(n))
		}
		n += more
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// throughWindow reads p, and more ahead of it.
func (o *Object) throughWindow(p []byte, off int64) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := off - o.start; d >= 0 && d < int64(len(o.window)) {
		n = copy(p, o.window[d:])
	}
	if n == len(p) {
		return n, nil
	}
	next := off + int64(n)
	if next == o.start+int64(len(o.window)) || next == int64(len(o.head)) {
		o.ahead = min(max(2*o.ahead, leastAhead), mostAhead)
	} else {
		o.ahead = headBytes
	}
	size := min(max(o.ahead, int64(len(p)-n)), o.Size-next)
	window := make([]byte, size)
	read, err := o.fetch(window, next)
	o.window, o.start = window[:read], next
	if next == int64(len(o.head)) && len(o.head)+read <= mostHead {
		o.head = append(o.head, window[:read]...)
	}
	return n + copy(p[n:], o.window), err
}

// fetch reads p in large pieces.
func (o *Object) fetch(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		piece := p[n:min(n+mostAtOnce, len(p))]
		done := 0 // by attempts that broke off
		err = o.bucket.again(o.ctx, o.bucket.Name(o.Key), func() error {
			got, err := o.bucket.getInto(o.ctx, o.Key, o.ETag, piece[done:], off+int64(n+done))
			done += got
			return err
		})
		n += done
	}
	return n, err
}

// get reads at most size bytes, and describes the object.
func (b *Bucket) get(ctx context.Context, key, etag string, off, size int64) ([]byte, Info, error) {
	body, info, err := b.request(ctx, key, etag, off, size)
	if err != nil {
		return nil, Info{}, err
	}
	defer body.Close()
	data := make([]byte, max(0, min(size, info.Size-off)))
	if _, err = io.ReadFull(body, data); errors.Is(err, io.EOF) && len(data) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return data, info, err
}

// getInto fills p.
func (b *Bucket) getInto(ctx context.Context, key, etag string, p []byte, off int64) (int, error) {
	body, _, err := b.request(ctx, key, etag, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// request asks for a range of an object, of the version with that ETag unless it is "".
func (b *Bucket) request(ctx context.Context, key, etag string, off, size int64) (io.ReadCloser, Info, error) {
	var options minio.GetObjectOptions
	if err := options.SetRange(off, off+size-1); err != nil {
		return nil, Info{}, err
	}
	if etag != "" {
		if err := options.SetMatchETag(etag); err != nil {
			return nil, Info{}, err
		}
	}
	body, o, header, err := (minio.Core{Client: b.client}).GetObject(ctx, b.name, key, options)
	if err != nil {
		if minio.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
			err = &Error{Name: b.Name(key), Problem: emptyRange, Kind: ErrChanged}
		}
		return nil, Info{}, err
	}
	info := newInfo(o)
	info.Key = key
	_, all, partial := strings.Cut(header.Get("Content-Range"), "/")
	if partial {
		if info.Size, err = strconv.ParseInt(all, 10, 64); err != nil {
			err = &Error{Name: b.Name(key), Problem: "the server does not say how large it is", Kind: ErrUnsupported}
		}
	} else if off > 0 {
		err = &Error{Name: b.Name(key), Problem: "the server does not read ranges of objects", Kind: ErrUnsupported}
	}
	if err != nil {
		body.Close()
		return nil, Info{}, err
	}
	return body, info, nil
}

// emptyRange is the problem of a range that begins after the end: that of an empty object, or one that became shorter.
const emptyRange = "is shorter than when it was opened"

func (e *Error) empty() bool { return e.Problem == emptyRange }
