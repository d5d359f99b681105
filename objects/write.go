package objects

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/minio/minio-go/v7"
)

// writing are the options of all writes: the server checks the MD5 of the bytes, which is part of the signature. With
// a server without TLS, the client would also sign the bytes themselves, but its reader that does so is not safe if a
// request is answered before its body is sent: net/http closes the body twice at the same time then.
var writing = minio.PutObjectOptions{SendContentMd5: true, DisableContentSha256: true}

// PutFile stores a file. Large files are stored in parts; the object exists when all parts are stored.
func (b *Bucket) PutFile(ctx context.Context, key, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return b.again(ctx, b.Name(key), func() error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := b.client.PutObject(ctx, b.name, key, f, info.Size(), writing)
		return err
	})
}

// Put stores data, and returns the ETag of the object. If absent is true, it is an error of kind ErrExists if the
// object exists. If etag is not "", it is an error of kind ErrChanged if the object has another.
func (b *Bucket) Put(ctx context.Context, key string, data []byte, absent bool, etag string) (string, error) {
	options := writing
	options.DisableMultipart = true
	switch {
	case absent:
		options.SetMatchETagExcept("*")
	case etag != "":
		options.SetMatchETag(etag)
	}
	var stored string
	err := b.again(ctx, b.Name(key), func() error {
		info, err := b.client.PutObject(ctx, b.name, key, bytes.NewReader(data), int64(len(data)), options)
		stored = newInfo(minio.ObjectInfo{ETag: info.ETag}).ETag
		return err
	})
	if absent && errors.Is(err, ErrChanged) {
		err = &Error{Name: b.Name(key), Problem: "exists", Kind: ErrExists}
	}
	return stored, err
}

// Get reads a whole object, which must not have more bytes than most.
func (b *Bucket) Get(ctx context.Context, key string, most int64) (data []byte, i Info, err error) {
	o, err := b.OpenObject(ctx, key)
	if err != nil {
		return nil, Info{}, err
	}
	if o.Size > most {
		return nil, o.Info, &Error{Name: b.Name(key), Problem: "is larger than expected", Kind: ErrUnsupported}
	}
	data = make([]byte, o.Size)
	if _, err = o.ReadAt(data, 0); err == io.EOF {
		err = nil
	}
	return data, o.Info, err
}

// Copy copies an object within the bucket.
func (b *Bucket) Copy(ctx context.Context, from, key string) error {
	return b.again(ctx, b.Name(from), func() error {
		_, err := b.client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: b.name, Object: key},
			minio.CopySrcOptions{Bucket: b.name, Object: from})
		return err
	})
}

// Remove removes an object. It is not an error if there is none.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	return b.again(ctx, b.Name(key), func() error {
		return b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
	})
}
