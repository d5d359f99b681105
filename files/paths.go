package files

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Absolute returns path in the one form in which paths are compared. It looks at
// nothing but the working directory.
func Absolute(path string) string {
	if filepath.IsAbs(path) {
		// Abs would ask Windows, which changes names that it could not have, such
		// as those in archives may be.
		return filepath.Clean(path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// Inside reports whether path is folder or leads into it. An archive is a folder.
func Inside(folder, path string) bool {
	rel, err := filepath.Rel(Absolute(folder), Absolute(path))
	return err == nil && local(rel)
}

// Below names path below folder, with slashes, or by its last part where it is
// folder itself or does not lie in it.
func Below(folder, path string) string {
	rel, err := filepath.Rel(Absolute(folder), Absolute(path))
	if err != nil || rel == "." || !local(rel) {
		rel = filepath.Base(path)
	}
	return filepath.ToSlash(rel)
}

// local reports whether a relative path stays where it begins.
func local(rel string) bool {
	return rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolved returns the absolute path without links; a path that leads nowhere
// stays as it is.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return Absolute(path)
}

// rootNames tells the files of several roots apart: each root's own name, with its
// place where another has the same. A single root needs none.
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
