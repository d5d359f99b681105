package batch

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
)

// Identity is who and when a study is.
type Identity struct {
	// Subject and Visit are the trial's codes.
	Subject, Visit string
	// Side is L or R where the manifest or the layout says so, else "".
	Side string
	// Mask is the mask file that the manifest names, else "".
	Mask string
	// From says where subject and visit come from.
	From string
}

// identify finds the identity of a study: from the manifest, else from the
// layout, else from the clinical-trial attributes, else from PatientID and the
// name of its folder.
func (s Settings) identify(st dicomio.Study, m *manifest) (Identity, error) {
	switch {
	case m != nil:
		return m.identify(st)
	case s.layout() != "":
		l, err := parseLayout(s.layout())
		if err != nil {
			return Identity{}, err
		}
		return l.identify(st)
	}
	folder := path.Base(files.WithoutEndings(st.Name()))
	switch {
	case st.TrialSubject != "" && st.TrialTimepoint != "":
		return Identity{Subject: st.TrialSubject, Visit: st.TrialTimepoint, From: "clinical-trial attributes"}, nil
	case st.TrialSubject != "":
		return Identity{Subject: st.TrialSubject, Visit: folder, From: "ClinicalTrialSubjectID and folder name"}, nil
	case st.PatientID != "":
		return Identity{Subject: st.PatientID, Visit: folder, From: "PatientID and folder name"}, nil
	}
	return Identity{Subject: folder, From: "folder name (PatientID is empty)"}, nil
}

func (s Settings) layout() string { return cmp.Or(s.Layout, s.Protocol.Layout) }

// layout is a pattern of study folders: segments with {subject}, {visit}, {side}
// and *.
type layout struct {
	pattern string
	// Both match the same folders; where several splits are possible, lazy makes
	// each part as short as can be and greedy as long.
	lazy, greedy *regexp.Regexp
}

// parseLayout reads a pattern such as {subject}/{visit}.
func parseLayout(pattern string) (layout, error) {
	l := layout{pattern: pattern}
	if pattern == "" {
		return l, nil
	}
	if !utf8.ValidString(pattern) {
		return l, fmt.Errorf("layout %q is not UTF-8", pattern)
	}
	if !strings.Contains(pattern, "{subject}") {
		return l, hinted("write it as '{subject}/{visit}'", "layout %q has no {subject}", pattern)
	}
	expr := regexp.QuoteMeta(strings.Trim(filepath.ToSlash(pattern), "/"))
	expr = strings.ReplaceAll(expr, `\*`, `[^/]*`)
	for name, part := range map[string]string{"subject": `[^/]+?`, "visit": `[^/]+?`, "side": `[LR]`} {
		expr = strings.Replace(expr, `\{`+name+`\}`, `(?P<`+name+`>`+part+`)`, 1)
	}
	if strings.Contains(expr, `\{`) {
		return l, hinted("the names are {subject}, {visit} and {side}, each once", "layout %q has a name that is unknown or there twice", pattern)
	}
	expr = `^` + expr + `(?:/.*)?$`
	l.lazy, l.greedy = regexp.MustCompile(expr), regexp.MustCompile(strings.ReplaceAll(expr, `+?`, `+`))
	return l, nil
}

// identify matches the beginning of the study's folder below the searched one.
func (l layout) identify(st dicomio.Study) (Identity, error) {
	folder := files.WithoutEndings(below(st.Root, st.Folder))
	found := l.lazy.FindStringSubmatch(folder)
	if found != nil && !slices.Equal(found, l.greedy.FindStringSubmatch(folder)) {
		return Identity{}, hinted("name the study in a manifest, or choose a layout that splits one way only", "folder %s can be split in several ways by the layout %s", folder, l.pattern)
	}
	if found == nil {
		return Identity{}, hinted("rename the folder or name the study in a manifest", "folder %s does not match the layout %s", folder, l.pattern)
	}
	id := Identity{From: "layout"}
	for i, name := range l.lazy.SubexpNames() {
		switch name {
		case "subject":
			id.Subject = found[i]
		case "visit":
			id.Visit = found[i]
		case "side":
			id.Side = found[i]
		}
	}
	return id, nil
}
