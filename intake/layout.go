package intake

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/protocol"
)

// layout is a pattern of study folders, with {subject}, {visit}, {side} and *.
type layout struct {
	pattern string
	// Both match the same folders. If a folder can be split in several ways, lazy makes each part as short as
	// possible, and greedy as long as possible.
	lazy, greedy *regexp.Regexp
}

// parseLayout reads a pattern such as {subject}/{visit}.
func parseLayout(pattern string) (layout, error) {
	l := layout{pattern: pattern}
	if pattern == "" {
		return l, nil
	}
	if err := protocol.CheckLayout(pattern); err != nil {
		return l, err
	}
	expr := regexp.QuoteMeta(strings.Trim(filepath.ToSlash(pattern), "/"))
	expr = strings.ReplaceAll(expr, `\*`, `[^/]*`)
	for name, part := range map[string]string{"subject": `[^/]+?`, "visit": `[^/]+?`, "side": `[LR]`} {
		expr = strings.Replace(expr, `\{`+name+`\}`, `(?P<`+name+`>`+part+`)`, 1)
	}
	expr = `^` + expr + `(?:/.*)?$`
	l.lazy, l.greedy = regexp.MustCompile(expr), regexp.MustCompile(strings.ReplaceAll(expr, `+?`, `+`))
	return l, nil
}

// identify matches the beginning of the path of the study's folder, relative to the folder that is the given number
// of levels above the searched one.
func (l layout) identify(st dicomio.Place, levels int) (pipeline.Identity, error) {
	folder, _ := folderBelow(st, levels)
	id, matched, several := l.match(folder)
	if several {
		return pipeline.Identity{}, hint.Errorf("name the study in a manifest, or choose an unambiguous layout",
			"the layout %s splits the folder %s in several ways", l.pattern, folder)
	}
	if !matched {
		advice := "rename the folder, correct the layout, or name the study in a manifest"
		if l.matchesAbove(st, levels) {
			advice = "if the folders above the searched one are meant, search one of those, or begin the layout with " +
				"the name of a folder, as in 'data/{subject}/{visit}'; else correct the layout, or name the study in " +
				"a manifest"
		}
		return pipeline.Identity{}, hint.Errorf(advice, "the folder does not match the layout %s", l.pattern)
	}
	return id, nil
}

// anchored reports whether the first part of the layout contains a part of a folder's name, so that the layout can
// begin only at that folder.
func (l layout) anchored() bool {
	first, _, _ := strings.Cut(strings.Trim(filepath.ToSlash(l.pattern), "/"), "/")
	return strings.ContainsFunc(inBraces.ReplaceAllString(first, ""),
		func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

var inBraces = regexp.MustCompile(`\{[a-z]*\}`)

// matchesAbove reports whether the layout would match if it began at a higher folder.
func (l layout) matchesAbove(st dicomio.Place, levels int) bool {
	for {
		levels++
		folder, ok := folderBelow(st, levels)
		if !ok {
			return false
		}
		if _, matched, _ := l.match(folder); matched {
			return true
		}
	}
}

// match matches the beginning of a path. several says that it can be split in several ways. A folder with a generic
// name, such as dicom, is neither subject nor visit.
func (l layout) match(folder string) (id pipeline.Identity, matched, several bool) {
	groups := l.lazy.FindStringSubmatch(folder)
	if groups == nil {
		return id, false, false
	}
	id.SourceText, id.Source = "layout", pipeline.FromLayout
	for i, name := range l.lazy.SubexpNames() {
		switch name {
		case "subject":
			id.Subject = groups[i]
		case "visit":
			id.Visit = groups[i]
		case "side":
			id.Side = groups[i]
		}
	}
	if dicomio.Wraps(id.Subject) || dicomio.Wraps(id.Visit) {
		return pipeline.Identity{}, false, false
	}
	return id, true, !slices.Equal(groups, l.greedy.FindStringSubmatch(folder))
}

// folderBelow returns the path of the study's folder, with slashes, relative to the folder that is the given number
// of levels above the searched one. It returns false if there are fewer folders. If the files of a study lie under
// several searched folders, the path begins at the folder that holds them all.
func folderBelow(st dicomio.Place, levels int) (string, bool) {
	top, folder := files.Absolute(st.Root), files.Absolute(st.Folder)
	if !files.Inside(top, folder) {
		top = folder
		levels = max(levels, 1)
	}
	for range levels {
		parent := filepath.Dir(top)
		if parent == top {
			return "", false
		}
		top = parent
	}
	if top == folder {
		return "", true
	}
	return files.WithoutEndings(files.Below(top, folder)), true
}
