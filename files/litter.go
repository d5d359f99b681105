package files

import (
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// litterFiles and litterFolders are names, in lower case, that operating systems, file
// servers and version control give to files and to folders of their own. A folder takes all
// below it with it, so that only names are here that nobody gives to a folder of data:
// recycler or lost+found may be anything.
var (
	litterFiles = map[string]bool{
		// macOS: Finder settings. Windows: thumbnails, folder settings.
		".ds_store": true, "thumbs.db": true, "ehthumbs.db": true, "desktop.ini": true,
	}
	litterFolders = map[string]bool{
		// macOS: resource forks in archives, the file server's forks, indexes and the bin of
		// a volume.
		"__macosx": true, ".appledouble": true, ".spotlight-v100": true, ".fseventsd": true,
		".temporaryitems": true, ".trashes": true, ".documentrevisions-v100": true,
		// Windows: bin, restore points. Linux: the bin of a home folder.
		"$recycle.bin": true, "system volume information": true, ".trash": true,
		// Synology and QNAP: indexes, bins. Snapshots hold what was deleted.
		"@eadir": true, "#recycle": true, "@recycle": true, "#snapshot": true, "@recently-snapshot": true,
		// Version control.
		".git": true, ".svn": true,
	}
)

// litter reports whether a file or folder of that name is what a program left beside
// the data: neither an image nor a mask, whatever is in it.
func litter(name string, isDir bool) bool {
	lower := strings.ToLower(name)
	if isDir {
		return litterFolders[lower] || strings.HasPrefix(lower, ".trash-") // a volume's bin, by user (freedesktop.org trash specification)
	}
	switch {
	case litterFiles[lower]:
		return true
	case strings.HasPrefix(name, "._") && len(name) > 2: // AppleDouble: what macOS knows of the file behind the prefix
		return true
	case strings.HasPrefix(lower, ".nfs"), strings.HasPrefix(lower, ".fuse_hidden"): // deleted while it was open
		return true
	case strings.HasPrefix(name, ".~lock.") && strings.HasSuffix(name, "#"), strings.HasPrefix(name, "~$"): // open in an office program
		return true
	}
	return strings.HasSuffix(name, "~") && len(name) > 1 // an editor's backup
}

// inLitter reports whether an archive's entry, a file, is litter, and in which folder of
// that kind it lies, or "".
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

// holdsFile reports whether a file lies anywhere below the folder, as far as it can be read.
func holdsFile(folder string) bool {
	found := false
	_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if found = !d.IsDir(); found {
			return fs.SkipAll
		}
		return nil
	})
	return found
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

// LitterFolders returns the folders among Litter that hold files, as entries are named.
func (t *Tree) LitterFolders() []string { return t.litterFolders }

// Packed returns the files in gzip that were passed over because their content lies beside
// them, IM_0001.dcm beside IM_0001.dcm.gz.
func (t *Tree) Packed() []string { return t.packed }

// label names p as entries are named.
func (w *walker) label(p string) string { return path.Join(w.prefix, Below(w.root, p)) }
