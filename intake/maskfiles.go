package intake

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
)

// fits reports whether a file fits, by its name or by its path below a folder, with slashes.
type fits func(name, whole string) bool

// written matches the patterns exactly, folded regardless of case.
func written(patterns []string) fits {
	return func(name, whole string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			byName, _ := path.Match(p, name)
			byPath, _ := path.Match(filepath.ToSlash(p), whole)
			return byName || byPath
		})
	}
}

func folded(patterns []string) fits {
	var lower []string
	for _, p := range patterns {
		lower = append(lower, strings.ToLower(p))
	}
	fit := written(lower)
	return func(name, whole string) bool { return fit(strings.ToLower(name), strings.ToLower(whole)) }
}

// inPlaces returns the files that fit in the study's folder or below it, else those directly in the nearest folder
// above it that holds no other study. Sibling folders are not searched: they may belong to a visit whose images are
// missing.
func (s *Intake) inPlaces(st dicomio.Study, f fits) []string {
	var paths []string
	for n, dir := range places(st) {
		if paths = s.matching(dir, n == 0, f); len(paths) > 0 {
			break
		}
	}
	return paths
}

// places returns the folders in which a mask of the study may lie: first its own, whose subfolders are searched
// too, then the folders above it that hold no other study, whose subfolders are not searched.
func places(st dicomio.Study) []string {
	if st.Home == "" {
		return nil
	}
	top := files.Absolute(st.Top())
	if !files.Inside(st.Home, top) {
		top = files.Absolute(st.Folder)
	}
	out := []string{top}
	for dir := top; dir != st.Home && files.Inside(st.Home, dir); {
		dir = filepath.Dir(dir)
		out = append(out, dir)
	}
	return out
}

// matching returns the files that fit, directly in the folder or, if deep, anywhere below it.
func (s *Intake) matching(folder string, deep bool, f fits) []string {
	var matches []string
	for _, file := range pathsIn(s.paths, folder, deep) {
		if f(filepath.Base(file), files.Below(folder, file)) {
			matches = append(matches, file)
		}
	}
	return matches
}

// pathsIn returns the paths directly in the folder or, if deep, anywhere below it. The paths are sorted.
func pathsIn(paths []string, folder string, deep bool) []string {
	prefix := strings.TrimSuffix(folder, string(filepath.Separator)) + string(filepath.Separator)
	first, _ := slices.BinarySearch(paths, prefix)
	var out []string
	for _, file := range paths[first:] {
		if !strings.HasPrefix(file, prefix) {
			break // the paths are sorted
		}
		if deep || filepath.Dir(file) == folder {
			out = append(out, file)
		}
	}
	return out
}
