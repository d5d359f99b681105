package batch

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
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
	case st.TrialSubject != "" && st.TrialTimepoint != "":
		return Identity{Subject: st.TrialSubject, Visit: st.TrialTimepoint, From: "clinical-trial attributes"}, nil
	}
	folder := folderOf(st)
	if st.PatientID == "" {
		return Identity{Subject: folder, From: "folder name (PatientID is empty)"}, nil
	}
	return Identity{Subject: st.PatientID, Visit: folder, From: "PatientID and folder name"}, nil
}

// wrappers are names of folders that hold a study's files and say nothing of it.
var wrappers = []string{"dicom", "dcm", "images"}

// folderOf returns the name of the deepest folder of the study that says
// something.
func folderOf(st dicomio.Study) string {
	dir := absolute(st.Folder)
	for slices.Contains(wrappers, strings.ToLower(filepath.Base(dir))) && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
	}
	return filepath.Base(dir)
}

func (s Settings) layout() string { return cmp.Or(s.Layout, s.Protocol.Layout) }

// layout is a pattern of study folders: segments with {subject}, {visit}, {side}
// and *.
type layout struct {
	pattern string
	re      *regexp.Regexp
}

// parseLayout reads a pattern such as {subject}/{visit}.
func parseLayout(pattern string) (layout, error) {
	l := layout{pattern: pattern}
	if pattern == "" {
		return l, nil
	}
	if !strings.Contains(pattern, "{subject}") {
		return l, hinted("write it as '{subject}/{visit}'", "layout %q has no {subject}", pattern)
	}
	expr := regexp.QuoteMeta(strings.Trim(filepath.ToSlash(pattern), "/"))
	for _, r := range [][2]string{{`\{subject\}`, `(?P<subject>[^/]+?)`}, {`\{visit\}`, `(?P<visit>[^/]+?)`}, {`\{side\}`, `(?P<side>[LR])`}, {`\*`, `[^/]*`}} {
		expr = strings.Replace(expr, r[0], r[1], 1)
		if r[0] == `\*` {
			expr = strings.ReplaceAll(expr, r[0], r[1])
		}
	}
	if strings.Contains(expr, `\{`) {
		return l, hinted("the names are {subject}, {visit} and {side}, each once", "layout %q has a name that is unknown or there twice", pattern)
	}
	re, err := regexp.Compile(`^` + expr + `(/.*)?$`)
	if err != nil {
		return l, fmt.Errorf("layout %q: %w", pattern, err)
	}
	l.re = re
	return l, nil
}

// identify matches the beginning of the study's folder below the searched one.
func (l layout) identify(st dicomio.Study) (Identity, error) {
	found := l.re.FindStringSubmatch(st.Name())
	if found == nil {
		return Identity{}, hinted("rename the folder or name the study in a manifest", "folder %s does not match the layout %s", st.Name(), l.pattern)
	}
	id := Identity{From: "layout"}
	for i, name := range l.re.SubexpNames() {
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
