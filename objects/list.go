package objects

import (
	"context"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Info describes an object, or a folder: the common beginning of keys, with a slash at its end and nothing else.
type Info struct {
	Key      string
	Size     int64
	ETag     string
	Modified time.Time // to the second, the resolution of HTTP (RFC 9110 5.6.7)
}

// Folder reports whether this is a folder.
func (i Info) Folder() bool { return strings.HasSuffix(i.Key, "/") && i.ETag == "" }

func newInfo(o minio.ObjectInfo) Info {
	return Info{Key: o.Key, Size: o.Size, ETag: strings.Trim(o.ETag, `"`),
		Modified: o.LastModified.UTC().Truncate(time.Second)}
}

// Name returns s3://bucket/key.
func (b *Bucket) Name(key string) string { return Location{b.name, key}.String() }

// List calls visit with all objects whose keys begin with prefix, in the order of the bytes of their keys, until visit
// returns false. If deep is false, keys with a slash after the prefix are visited once as the folder that they share.
// The objects are then in their order, and so are the folders, but a folder may follow objects that it sorts before.
// Objects are listed in pages of a thousand.
func (b *Bucket) List(ctx context.Context, prefix string, deep bool, visit func(Info) bool) error {
	last := "" // the greatest key of the pages that were visited: the client visits a page as a whole or not at all
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return b.again(ctx, b.Name(prefix), func() error {
		start := last
		options := minio.ListObjectsOptions{Prefix: prefix, Recursive: deep, StartAfter: start}
		for o := range b.client.ListObjectsIter(ctx, b.name, options) {
			if o.Err != nil {
				return o.Err
			}
			// The keys in the last folder sort after its name, so that a repetition lists the folder again. Only start
			// can tell: the objects of a page come before its folders, whatever their order.
			if o.Key <= start && start != "" {
				continue
			}
			last = max(last, o.Key)
			if !visit(newInfo(o)) {
				return nil
			}
		}
		return nil
	})
}

// Stat describes the object with that key.
func (b *Bucket) Stat(ctx context.Context, key string) (i Info, err error) {
	err = b.again(ctx, b.Name(key), func() error {
		o, err := b.client.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
		i = newInfo(o)
		i.Key = key
		return err
	})
	return i, err
}
