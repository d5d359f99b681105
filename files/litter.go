package files

import (
	"path/filepath"
	"slices"
	"strings"
)

// litterFiles and litterFolders are names, in lower case, that operating systems, file
// servers and version control use for files and folders of their own. Everything below such
// a folder is skipped, so that the list has only names that nobody gives to a folder of
// data: a folder named recycler or lost+found may hold anything.
var (
	litterFiles = []string{
		// macOS: Finder settings. Windows: thumbnails, folder settings.
		".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini",
	}
	litterFolders = map[string]bool{
		// macOS: resource forks in archives, forks of the file server, indexes and the bin
		// of a volume.
		"__macosx": true, ".appledouble": true, ".spotlight-v100": true, ".fseventsd": true,
		".temporaryitems": true, ".trashes": true, ".documentrevisions-v100": true,
		// Windows: bin, restore points. Linux: the bin of a home folder.
		"$recycle.bin": true, "system volume information": true, ".trash": true,
		// Synology and QNAP: indexes, bins. Snapshots hold deleted files.
		"@eadir": true, "#recycle": true, "@recycle": true, "#snapshot": true, "@recently-snapshot": true,
		// Version control.
		".git": true, ".svn": true,
	}
)

// litter reports whether a file or folder with that name was left by a program beside the
// data and is neither an image nor a mask.
func litter(name string, isDir bool) bool {
	if isDir {
		lower := strings.ToLower(name)
		// a volume's bin, by user (freedesktop.org trash specification)
		return litterFolders[lower] || strings.HasPrefix(lower, ".trash-")
	}
	switch {
	case slices.ContainsFunc(litterFiles, func(litter string) bool { return strings.EqualFold(name, litter) }):
		return true
	case strings.HasPrefix(name, "._") && len(name) > 2: // AppleDouble: metadata by macOS of the named file
		return true
	case hasPrefixFold(name, ".nfs"), hasPrefixFold(name, ".fuse_hidden"): // deleted while it was open
		return true
	case strings.HasPrefix(name, ".~lock.") && strings.HasSuffix(name, "#"),
		strings.HasPrefix(name, "~$"): // open in an office program
		return true
	}
	return strings.HasSuffix(name, "~") && len(name) > 1 // an editor's backup
}

func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// inLitter reports whether an entry of an archive, which is a file, is litter, and returns
// the litter folder that contains it, or "".
func inLitter(entry string) (folder string, found bool) {
	parts := strings.Split(strings.ReplaceAll(entry, `\`, "/"), "/")
	last := len(parts) - 1
	for n, part := range parts[:last] {
		if litter(part, true) {
			return strings.Join(parts[:n+1], "/"), true
		}
	}
	return "", litter(parts[last], false)
}

// LinkKind says where a symbolic link leads.
type LinkKind int

// The kinds of links that are recorded.
const (
	LinkOutside  LinkKind = iota // to a target outside all searched folders, which is read nevertheless
	LinkDangling                 // to a target that does not exist
)

// Link is a symbolic link that leads out of the searched folders or dangles.
type Link struct {
	Name string // relative to the root, like Entry.Name
	Kind LinkKind
}

// Links returns the links that lead out of the searched folders or dangle, in the order in
// which they were met. Links in archives are not included, since they never lead out.
func (t *Tree) Links() []Link { return t.links }

// Litter returns the number of files and folders that were skipped because of their names:
// files that operating systems and editors leave beside data. A folder counts once,
// whatever it holds; in an archive, every entry counts.
func (t *Tree) Litter() int { return t.litter }

// LitterFolders returns the names of the litter folders that contain files.
func (t *Tree) LitterFolders() []string { return t.litterFolders }

// Packed returns the gzipped files that were skipped because their content lies beside
// them, IM_0001.dcm beside IM_0001.dcm.gz.
func (t *Tree) Packed() []string { return t.packed }

// label returns the name of the entry at p, which is the root or lies in it. Without a prefix it
// is a part of p.
func (w *walker) label(p string) string {
	name := filepath.Base(p)
	if below := strings.TrimPrefix(p, w.root); below != "" && len(below) < len(p) {
		name = filepath.ToSlash(strings.TrimPrefix(below, string(filepath.Separator)))
	}
	if w.prefix == "" {
		return name
	}
	return w.prefix + "/" + name
}
