package files

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/objects"
)

// Absolute returns the normal form of a path, in which paths are compared. It depends on
// the working directory but not on the files. A place in a bucket, s3://bucket/prefix, gets a
// path that no file has.
func Absolute(path string) string {
	if objects.Is(path) {
		return bucketPath(strings.TrimPrefix(path, objects.Scheme))
	}
	if filepath.IsAbs(path) {
		// On Windows, Abs would ask the system, which changes names that are not allowed
		// there. Names in archives may be such names.
		return filepath.Clean(path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// Inside reports whether path is folder or lies in it. An archive is a folder.
func Inside(folder, path string) bool {
	rel, err := filepath.Rel(Absolute(folder), Absolute(path))
	return err == nil && local(rel)
}

// Below returns path relative to folder, with slashes, or its base name if it is folder
// itself or does not lie in it.
func Below(folder, path string) string {
	rel, err := filepath.Rel(Absolute(folder), Absolute(path))
	if err != nil || rel == "." || !local(rel) {
		rel = filepath.Base(path)
	}
	return filepath.ToSlash(rel)
}

// beneath returns the path of the entry of a folder with that name. The path of the folder is
// clean.
func beneath(folder, name string) string {
	if os.IsPathSeparator(folder[len(folder)-1]) {
		return folder + name // the root of a disk
	}
	return folder + string(filepath.Separator) + name
}

// local reports whether a relative path does not lead out of its folder.
func local(rel string) bool {
	return rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// rootNames returns names that tell several roots apart: their base names, with a number if
// two are equal. A single root has an empty name.
func rootNames(roots []string) []string {
	names := make([]string, len(roots))
	if len(roots) == 1 {
		return names
	}
	count := map[string]int{}
	for i, root := range roots {
		names[i] = filepath.Base(Absolute(root))
		count[names[i]]++
	}
	for i, name := range names {
		if count[name] > 1 {
			names[i] = fmt.Sprintf("%s(%d)", name, i+1)
		}
	}
	return names
}
