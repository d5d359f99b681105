package batch

import (
	"fmt"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/printable"
)

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

// treeNotes returns notes on the searched folders: links, system folders, and gzip files that are also present
// uncompressed.
func treeNotes(tree *files.Tree) []string {
	out := linkNotes(tree.Links())
	if folders := tree.LitterFolders(); len(folders) > 0 {
		out = append(out, fmt.Sprintf("folders of operating systems and other programs were not searched, though they "+
			"hold files (%d): %s", len(folders), printable.FirstNames(folders)))
	}
	if packed := tree.Packed(); len(packed) > 0 {
		out = append(out, fmt.Sprintf("gzip files were ignored because the uncompressed files are beside them (%d): %s",
			len(packed), printable.FirstNames(packed)))
	}
	return out
}
