package intake

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/table"
)

// anchor settles from which folder on the layout is matched for each root, and returns a remark for
// each root where that is above the root, or where nothing but the folders says so.
func (s *Intake) anchor(studies []dicomio.Study) []string {
	s.levels = map[string]int{}
	if s.layout() == "" || s.Manifest != "" {
		return nil
	}
	l, err := parseLayout(s.layout())
	if err != nil {
		return nil // prepare has seen it
	}
	byRoot := map[string][]dicomio.Study{}
	var roots []string
	for _, st := range studies {
		if byRoot[st.Root] == nil {
			roots = append(roots, st.Root)
		}
		byRoot[st.Root] = append(byRoot[st.Root], st)
	}
	subjects := map[string]bool{}
	for _, studies := range s.earlier {
		for _, e := range studies {
			subjects[e.Subject] = true
		}
	}
	vouched := func(st dicomio.Study, id pipeline.Identity) bool {
		return s.earlier.vouch(st, id) || subjects[id.Subject]
	}
	named := func(st dicomio.Study, id pipeline.Identity) bool {
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

// unsure says from which folder on the layout is matched, and what the first study becomes, if it could
// begin at another folder as well and nothing else than the folders says who any of the studies is.
func (l layout) unsure(
	root string, studies []dicomio.Study, vouched func(dicomio.Study, pipeline.Identity) bool,
) string {
	text := ""
	if l.anchored() {
		return text
	}
	for _, st := range studies {
		folder, _ := folderBelow(st, 0)
		id, matched, _ := l.match(folder)
		switch {
		case !matched:
		case vouched(st, id):
			return ""
		case text == "":
			text = fmt.Sprintf("the layout %s is matched from below the folder %.80q on, and only the folders say who "+
				"the studies are: the first one is subject "+
				"%.80q", l.pattern, filepath.Base(files.Absolute(root)), id.Subject)
			if id.Visit != "" {
				text += fmt.Sprintf(", visit %.80q", id.Visit)
			}
		}
	}
	return text
}

// namesPatient reports whether an attribute of a study names its patient and does not contradict the
// identity by being its visit.
func namesPatient(st dicomio.Study, id pipeline.Identity) bool {
	for _, code := range []string{st.PatientID, st.TrialSubject} {
		if !saysNothing(code) && (!table.IsAlike(code, id.Visit) || table.IsAlike(code, id.Subject)) {
			return true
		}
	}
	return false
}

// levelsAbove returns how far above the searched folder the first part of the layout is, for the studies
// below it: 0 if any of them matches from there. So data, data/KN-101 and data/KN-101/V1 give one
// study one identity.
//
// Where folders above have to give the subject, something else has to say that each of the studies which
// they name so is that of a patient, and of one: a study that lies too high, such as data/KN-101 for
// {subject}/{visit}, does not match, rather than be visit KN-101 of a subject data.
func (l layout) levelsAbove(studies []dicomio.Study, named func(dicomio.Study, pipeline.Identity) bool) int {
	for levelsAbove := 0; ; levelsAbove++ {
		matches := false
		patients := map[string]string{} // by subject
		for _, st := range studies {
			folder, ok := folderBelow(st, levelsAbove)
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

// vouchedLevels returns a place for the layout's first part above the given levels where something other than the
// folders says that all subjects are right, if it does not at these levels. A study in data/KN-101/V1/T2map is
// V1/T2map for {subject}/{visit} when data/KN-101 is searched, and KN-101/V1 when its PatientID is
// KN-101 or its results are there under that name. It returns levels if it finds no such
// place, or if all that match there are vouched for.
func (l layout) vouchedLevels(
	studies []dicomio.Study, levels int, vouched func(dicomio.Study, pipeline.Identity) bool,
) int {
	// count returns how many studies match, and how many of those are vouched for.
	count := func(levels int) (matched, sure int, ok bool) {
		for _, st := range studies {
			folder, ok := folderBelow(st, levels)
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

// vouch reports whether something else than its folders says that a study has this identity: the
// attributes for the subject, or its earlier results.
func (all Earlier) vouch(st dicomio.Study, id pipeline.Identity) bool {
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
