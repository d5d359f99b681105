package objects

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/hint"
)

// Scheme begins the name of a place in a bucket: s3://bucket/prefix.
const Scheme = "s3://"

// Location is a place in a bucket.
type Location struct {
	Bucket string
	// Prefix begins the keys of the objects. It has no slash at its beginning and end.
	Prefix string
}

// Is reports whether a name is that of a place in a bucket.
func Is(name string) bool { return strings.HasPrefix(name, Scheme) }

// Parse divides s3://bucket/prefix.
func Parse(name string) (Location, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(name, Scheme), "/")
	if !Is(name) || bucket == "" {
		return Location{}, hint.Errorf("for example s3://trial/studies", "%q does not name a bucket", name)
	}
	return Location{Bucket: bucket, Prefix: strings.Trim(prefix, "/")}, nil
}

// String returns s3://bucket/prefix.
func (l Location) String() string { return strings.TrimSuffix(Scheme+l.Bucket+"/"+l.Prefix, "/") }

// Key returns the key of the object with this name below the location.
func (l Location) Key(name string) string {
	if l.Prefix == "" {
		return name
	}
	return l.Prefix + "/" + name
}

// Folder returns what all keys below the location begin with: the prefix with a slash, or "".
func (l Location) Folder() string { return l.Key("") }

// IsFileName reports whether the name of an object below a location can be that of a file below a folder of this
// machine: it has no empty parts and no dots alone between slashes, and leads nowhere else. On Windows it has neither
// backslashes nor names of devices.
func IsFileName(name string) bool { return isFileName(name, os.PathSeparator) }

func isFileName(name string, separator rune) bool {
	foreign := separator != '/' && strings.ContainsRune(name, separator)
	return fs.ValidPath(name) && name != "." && !foreign && filepath.IsLocal(filepath.FromSlash(name))
}
