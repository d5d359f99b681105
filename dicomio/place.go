package dicomio

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/files"
)

// homes holds the multi-echo studies below each folder.
type homes map[string]map[string]bool

// newHomes records each multi-echo study for the folders of its files and for all folders
// above them, up to the searched one.
func newHomes(groups map[string][]*entry, studies map[string]Study) homes {
	h := homes{}
	for uid, entries := range groups {
		if !studies[uid].MultiEcho() {
			continue // no mask can belong to it
		}
		for _, e := range entries {
			if e.isMask() {
				continue // a mask does not make its folder shared
			}
			root := files.Absolute(e.root)
			for dir := filepath.Dir(files.Absolute(e.path)); files.Inside(root, dir); dir = filepath.Dir(dir) {
				if h[dir] == nil {
					h[dir] = map[string]bool{}
				}
				if h[dir][uid] {
					break
				}
				h[dir][uid] = true
				if dir == filepath.Dir(dir) {
					break
				}
			}
		}
	}
	return h
}

// find returns the topmost folder that contains the study and no other multi-echo study, or
// "".
func (h homes) find(uid string, s Study) string {
	home := ""
	root := files.Absolute(s.Root)
	for dir := files.Absolute(s.Folder); files.Inside(root, dir); dir = filepath.Dir(dir) {
		if len(h[dir]) != 1 || !h[dir][uid] {
			break
		}
		home = dir
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return home
}

// wrappers are names of folders that contain a study's files and do not identify the study.
var wrappers = []string{"dicom", "dcm", "images"}

// Wraps reports whether a folder with this name only contains a study's files and does not
// identify it, such as dicom.
func Wraps(name string) bool { return slices.Contains(wrappers, strings.ToLower(name)) }

// Top returns the study's folder as users see it: Folder, or the one above if Folder is
// only named dicom. It is absolute.
func (p Place) Top() string {
	top := files.Absolute(p.Folder)
	for Wraps(filepath.Base(top)) && filepath.Dir(top) != top {
		top = filepath.Dir(top)
	}
	return top
}

// Name returns the name of the study for users: its folder relative to the searched one, or
// the searched one itself if they are the same or the files lie in several.
func (p Place) Name() string {
	switch top := p.Top(); {
	case !files.Inside(p.Root, p.Folder):
		return filepath.Base(files.Absolute(p.Root))
	case files.Inside(p.Root, top) && top != files.Absolute(p.Root):
		return files.Below(p.Root, top)
	default:
		return filepath.Base(top)
	}
}
