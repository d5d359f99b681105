package files

import (
	"path"
	"strings"
)

// litterNames are names, in lower case, that operating systems, file servers and
// version control give to files and folders of their own.
var litterNames = map[string]bool{
	// macOS: resource forks in archives, Finder settings, the file server's forks, indexes and
	// the bin of a volume.
	"__macosx": true, ".ds_store": true, ".appledouble": true, ".spotlight-v100": true, ".fseventsd": true,
	".temporaryitems": true, ".trashes": true, ".documentrevisions-v100": true,
	// Windows: thumbnails, folder settings, bins, restore points.
	"thumbs.db": true, "ehthumbs.db": true, "desktop.ini": true, "$recycle.bin": true, "recycler": true,
	"system volume information": true,
	// Linux: the bin of a home folder, what a repair of the file system found.
	".trash": true, "lost+found": true,
	// Synology, QNAP and Samba: indexes, bins. Snapshots hold what was deleted.
	"@eadir": true, "#recycle": true, "@recycle": true, ".recycle": true, "#snapshot": true, ".snapshot": true, "@recently-snapshot": true,
	// Version control.
	".git": true, ".svn": true,
}

// litter reports whether a file or folder of that name is what a program left beside
// the data: neither an image nor a mask, whatever is in it.
func litter(name string) bool {
	lower := strings.ToLower(name)
	switch {
	case litterNames[lower]:
		return true
	case strings.HasPrefix(name, "._") && len(name) > 2: // AppleDouble: what macOS knows of the file behind the prefix
		return true
	case strings.HasPrefix(lower, ".trash-"): // a volume's bin, by user (freedesktop.org trash specification)
		return true
	case strings.HasPrefix(lower, ".nfs"), strings.HasPrefix(lower, ".fuse_hidden"): // deleted while it was open
		return true
	case strings.HasPrefix(name, ".~lock.") && strings.HasSuffix(name, "#"), strings.HasPrefix(name, "~$"): // open in an office program
		return true
	}
	return strings.HasSuffix(name, "~") && len(name) > 1 // an editor's backup
}

// inLitter reports whether a part of an archive's entry is litter.
func inLitter(entry string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(entry, `\`, "/"), "/") {
		if litter(part) {
			return true
		}
	}
	return false
}

// LinkKind says where a symbolic link leads that is worth a note.
type LinkKind int

// The kinds of links.
const (
	LinkOutside  LinkKind = iota // to something outside all searched folders, which is read all the same
	LinkDangling                 // to nothing
)

// Link is a symbolic link in a folder that leaves the searched folders or leads to nothing.
type Link struct {
	Name string // below the root, as Entry.Name
	Kind LinkKind
}

// Links returns the links in folders that lead out of the searched ones or to nothing, in
// the order in which they were met. Links in archives are not among them: none of those
// leads out.
func (t *Tree) Links() []Link { return t.links }

// Litter returns the number of files and folders that were passed over because of their
// name: what operating systems and editors leave beside data. A folder counts once,
// whatever it holds; in an archive, every entry counts.
func (t *Tree) Litter() int { return t.litter }

// label names p as entries are named.
func (w *walker) label(p string) string { return path.Join(w.prefix, Below(w.root, p)) }
