package intake

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/table"
)

// anchor determines for each root the folder at which the layout begins. It returns a remark for each root for which
// this folder is above the root, and one remark if only the folders say where the layout begins.
func (s *Intake) anchor(studies []Notice) []string {
	s.levels = map[string]int{}
	if s.layout() == "" || s.Manifest != "" {
		return nil
	}
	l, err := parseLayout(s.layout())
	if err != nil {
		return nil // cannot occur: New has parsed it
	}
	byRoot := map[string][]Notice{}
	var roots []string
	for _, st := range studies {
		if byRoot[st.Root] == nil {
			roots = append(roots, st.Root)
		}
		byRoot[st.Root] = append(byRoot[st.Root], st)
	}
	subjects := map[string]bool{}
	for _, studies := range s.Earlier {
		for _, e := range studies {
			subjects[e.Subject] = true
		}
	}
	vouched := func(st Notice, id pipeline.Identity) bool {
		return s.Earlier.vouch(st, id) || subjects[id.Subject]
	}
	named := func(st Notice, id pipeline.Identity) bool {
		return l.anchored() || vouched(st, id) || namesPatient(st, id)
	}
	var remarks []string
	unsure := ""
	for _, root := range roots {
		levels := l.vouchedLevels(byRoot[root], l.levelsAbove(byRoot[root], named), vouched)
		if s.levels[root] = levels; levels == 0 {
			unsure = cmp.Or(unsure, l.unsure(root, byRoot[root], vouched))
			continue
		}
		parts := strings.Split(filepath.ToSlash(files.Absolute(root)), "/")
		first := strings.Join(parts[max(0, len(parts)-levels):], "/")
		remarks = append(remarks, fmt.Sprintf("the layout %s is matched from %s on: the searched folder and the "+
			"folders above it", l.pattern, first))
	}
	if unsure != "" {
		remarks = append(remarks, unsure)
	}
	return remarks
}

// unsure says at which folder the layout begins, and the identity of the first study, if the layout could also
// begin at another folder and only the folders identify the studies.
func (l layout) unsure(
	root string, studies []Notice, vouched func(Notice, pipeline.Identity) bool,
) string {
	text := ""
	if l.anchored() {
		return text
	}
	for _, st := range studies {
		folder, _ := folderBelow(st.Place, 0)
		id, matched, _ := l.match(folder)
		switch {
		case !matched:
		case vouched(st, id):
			return ""
		case text == "":
			text = fmt.Sprintf("the layout %s is matched from below the folder %.80q on, and only the folders identify "+
				"the studies: the first one is subject %.80q",
				l.pattern, filepath.Base(files.Absolute(root)), id.Subject)
			if id.Visit != "" {
				text += fmt.Sprintf(", visit %.80q", id.Visit)
			}
		}
	}
	return text
}

// namesPatient reports whether an attribute of a study names its patient, and not the visit of the identity.
func namesPatient(st Notice, id pipeline.Identity) bool {
	for _, code := range []string{st.PatientID, st.TrialSubject} {
		if !saysNothing(code) && (!table.IsAlike(code, id.Visit) || table.IsAlike(code, id.Subject)) {
			return true
		}
	}
	return false
}

// levelsAbove returns how many levels above the searched folder the layout begins: 0 if any of the studies matches
// below the searched folder. A study therefore has the same identity whether data, data/KN-101 or data/KN-101/V1 is
// searched.
//
// If the subject is the name of a folder above, another source must confirm that each study belongs to a patient, and
// that studies of one subject belong to one patient. A study that lies too high, such as data/KN-101 for
// {subject}/{visit}, then does not match, instead of becoming visit KN-101 of a subject data.
func (l layout) levelsAbove(studies []Notice, named func(Notice, pipeline.Identity) bool) int {
	for levelsAbove := 0; ; levelsAbove++ {
		matches := false
		patients := map[string]string{} // by subject
		for _, st := range studies {
			folder, ok := folderBelow(st.Place, levelsAbove)
			if !ok {
				return 0
			}
			id, matched, _ := l.match(folder)
			if !matched {
				continue
			}
			matches = true
			if levelsAbove > 0 && !named(st, id) {
				return 0
			}
			patient := cmp.Or(st.PatientID, st.TrialSubject)
			if known := patients[id.Subject]; levelsAbove > 0 && known != "" && patient != "" && known != patient {
				return 0
			}
			if patient != "" {
				patients[id.Subject] = patient
			}
		}
		if matches {
			return levelsAbove
		}
	}
}

// vouchedLevels returns the first number of levels, from the given one on, at which another source than the folders
// confirms the subjects of all matching studies; if there is none, it returns levels. For {subject}/{visit}, a
// study in data/KN-101/V1/T2map is V1/T2map if data/KN-101 is searched, but KN-101/V1 if its PatientID is KN-101 or
// if it has earlier results under that name.
func (l layout) vouchedLevels(
	studies []Notice, levels int, vouched func(Notice, pipeline.Identity) bool,
) int {
	// count returns how many studies match, and how many of these are confirmed.
	count := func(levels int) (matched, sure int, ok bool) {
		for _, st := range studies {
			folder, ok := folderBelow(st.Place, levels)
			if !ok {
				return 0, 0, false
			}
			id, matches, several := l.match(folder)
			if !matches || several {
				continue
			}
			if matched++; vouched(st, id) {
				sure++
			}
		}
		return matched, sure, true
	}
	matched, sure, ok := count(levels)
	if !ok || sure == matched {
		return levels
	}
	for level := levels + 1; ; level++ {
		n, sure, ok := count(level)
		switch {
		case !ok:
			return levels
		case n >= matched && sure == n:
			return level
		}
	}
}

// vouch reports whether another source than the folders confirms the identity of a study: the subject is in its
// attributes, or the identity is that of its earlier results.
func (all Earlier) vouch(st Notice, id pipeline.Identity) bool {
	for _, code := range []string{st.PatientID, st.TrialSubject} {
		if code != "" && table.IsAlike(code, id.Subject) {
			return true
		}
	}
	for _, e := range all[st.Hash] {
		if e.Subject == id.Subject && e.Visit == id.Visit {
			return true
		}
	}
	return false
}
