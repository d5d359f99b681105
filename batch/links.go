package batch

import (
	"fmt"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/printable"
)

// notes are what a run remarks on the files of the cohort: links, folders of operating systems, and gzip files that
// are also present uncompressed.
type notes struct {
	Links  []files.Link `json:"links,omitempty"`
	Litter []string     `json:"litter,omitempty"` // folders
	Packed []string     `json:"packed,omitempty"`
}

func notesOf(tree *files.Tree) notes {
	return notes{tree.Links(), tree.LitterFolders(), tree.Packed()}
}

func (n *notes) add(other notes) {
	n.Links = append(n.Links, other.Links...)
	n.Litter = append(n.Litter, other.Litter...)
	n.Packed = append(n.Packed, other.Packed...)
}

// text returns the remarks.
func (n notes) text() []string {
	out := linkNotes(n.Links)
	if len(n.Litter) > 0 {
		out = append(out, fmt.Sprintf("folders of operating systems and other programs were not searched, though they "+
			"hold files (%d): %s", len(n.Litter), printable.FirstNames(n.Litter)))
	}
	if len(n.Packed) > 0 {
		out = append(out, fmt.Sprintf("gzip files were ignored because the uncompressed files are beside them (%d): %s",
			len(n.Packed), printable.FirstNames(n.Packed)))
	}
	return out
}

// linkNotes returns notes on links that lead out of the searched folders, and on broken links.
func linkNotes(links []files.Link) []string {
	var outside, dangling []string
	for _, l := range links {
		if l.Kind == files.LinkOutside {
			outside = append(outside, l.Name)
		} else {
			dangling = append(dangling, l.Name)
		}
	}
	var out []string
	if n := len(outside); n > 0 {
		out = append(out, fmt.Sprintf("links that lead out of the searched folders were followed (%d): %s", n,
			printable.FirstNames(outside)))
	}
	if n := len(dangling); n > 0 {
		out = append(out, fmt.Sprintf("broken links were ignored (%d): %s", n,
			printable.FirstNames(dangling)))
	}
	return out
}
