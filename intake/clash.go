package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/table"
)

// clashes returns an error for each job, by its index, whose study may be confused with another patient or visit:
//
//   - studies without PatientID in folders of one name (…/a/v1, …/b/v1), which would be one subject;
//   - studies of one subject to which a manifest gives no visit, unless they show different knees;
//   - studies that a layout names after the folder of a series, though PatientID says that subjects
//     with other names are the same patient (see doubtful).
func clashes(lines []*Line, earlier Earlier) map[int]error {
	all := map[int]error{}
	kept := map[string][]EarlierStudy{} // by subject
	for _, e := range earlier.notDisplaced(lines) {
		kept[e.Subject] = append(kept[e.Subject], e)
	}
	bySubject := map[string][]int{}
	for n, j := range lines {
		bySubject[j.Identity.Subject] = append(bySubject[j.Identity.Subject], n)
	}
	patients := patientsOf(lines)
	for n, j := range lines {
		others := bySubject[j.Identity.Subject]
		switch j.Identity.Source {
		case pipeline.FromFolder:
			if len(kept[j.Identity.Subject]) > 0 || slices.ContainsFunc(others,
				func(k int) bool { return lines[k].Top() != j.Top() }) {
				all[n] = hint.Errorf("name the studies in a manifest (--manifest) or by the folders above them "+
					"(--layout)",
					"identity: PatientID (0010,0020) is empty, and studies in several folders named %.40q would be "+
						"one subject", j.Identity.Subject)
			}
		case pipeline.FromManifest:
			if j.Identity.Visit != "" {
				continue
			}
			earlierToo := slices.ContainsFunc(kept[j.Identity.Subject], func(e EarlierStudy) bool {
				return e.Visit == "" && SameSide(e.Side, j.Side)
			})
			if earlierToo || slices.ContainsFunc(others, func(k int) bool {
				return k != n && lines[k].Identity.Visit == "" && mayShowOneKnee(j, lines[k])
			}) {
				all[n] = hint.Errorf("give each row a visit", "identity: there are several studies of subject %.40q, "+
					"and the manifest gives no visit to distinguish them", j.Identity.Subject)
			}
		case pipeline.FromLayout:
			other := patients.another(j)
			if folder := j.SeriesFolder; folder != "" && other != "" {
				all[n] = hint.Errorf("begin the layout with the name of a folder, as in 'data/{subject}/{visit}'; or "+
					"search the folder that holds the subjects",
					"identity: the layout takes the folder %.40q, which is named after a series, for a part of the "+
						"name, and subjects %.40q and %.40q have one PatientID (0010,0020)",
					folder, j.Identity.Subject, other)
			}
		}
	}
	return all
}

// mayShowOneKnee reports whether two jobs of one patient may show the same knee.
func mayShowOneKnee(a, b *Line) bool { return SameSide(a.Side, b.Side) }

// doubtful returns warnings about identities that are doubtful but used, by the index of the job.
func doubtful(lines []*Line) map[int][]string {
	all := map[int][]string{}
	byVisit := map[[2]string][]int{} // by subject and visit
	for n, j := range lines {
		key := [2]string{j.Identity.Subject, j.Identity.Visit}
		byVisit[key] = append(byVisit[key], n)
	}
	patients := patientsOf(lines)
	for n, j := range lines {
		id := j.Identity
		if id.Source == pipeline.FromLayout {
			const advice = "if the layout begins at the wrong folder, begin it with the name of a folder, as in " +
				"'data/{subject}/{visit}'"
			if patients.another(j) != "" {
				all[n] = append(all[n], "the layout gives several subjects to one PatientID (0010,0020): "+advice)
			} else if code := j.SubjectAsVisit; code != "" {
				all[n] = append(all[n], fmt.Sprintf("the layout takes %.40q for the visit, but %s names the subject "+
					"so: %s", id.Visit, code, advice))
			} else if folder := j.SeriesFolder; folder != "" {
				all[n] = append(all[n], fmt.Sprintf("the layout takes the folder %.40q, which is named after a "+
					"series, for a part of the study's name: %s", folder, advice))
			}
		}
		another := func(k int) bool {
			return lines[k].Hash != j.Hash && lines[k].Top() != j.Top() &&
				mayShowOneKnee(j, lines[k])
		}
		other := slices.IndexFunc(byVisit[[2]string{id.Subject, id.Visit}], another)
		if id.Source == pipeline.FromFolder || other < 0 {
			continue
		}
		if id.Source == pipeline.FromManifest {
			if id.Visit != "" { // without a visit they fail
				lines := []int{id.Line, lines[byVisit[[2]string{id.Subject, id.Visit}][other]].Identity.Line}
				slices.Sort(lines)
				all[n] = append(all[n], fmt.Sprintf("lines %d and %d of the manifest name studies of one subject, "+
					"visit and side: give each its own visit or side", lines[0], lines[1]))
			}
			continue
		}
		visit := "have no visit"
		if id.Visit != "" {
			visit = fmt.Sprintf("are visit %.40q", id.Visit)
		}
		all[n] = append(all[n], fmt.Sprintf("studies of this subject in several folders %s: if they are several "+
			"visits, name them in a manifest (--manifest) or by their folders (--layout)", visit))
	}
	return all
}

// subjectAsVisit returns the attribute that names the subject as the layout names the visit, or "". It is "" if the
// visit is the name of the study's own folder, because then no further folder could name the visit.
func subjectAsVisit(j pipeline.Job) string {
	visit := j.Identity.Visit
	if visit == "" || table.IsAlike(folderOf(j.Study.Place), visit) {
		return ""
	}
	for _, name := range []struct{ code, attribute string }{{j.Study.PatientID, "PatientID (0010,0020)"},
		{j.Study.TrialSubject, "ClinicalTrialSubjectID (0012,0040)"}} {
		if !saysNothing(name.code) && table.IsAlike(name.code, visit) {
			return name.attribute
		}
	}
	return ""
}

// patients are the subjects that a layout gives to the studies of each PatientID.
type patients map[string][]string

// patientsOf collects the subjects of each PatientID. A PatientID that many files share, such as "anonymous" or 0, is
// ignored.
func patientsOf(lines []*Line) patients {
	p := patients{}
	for _, j := range lines {
		id := j.PatientID
		if j.Identity.Source != pipeline.FromLayout || saysNothing(id) {
			continue
		}
		if !slices.Contains(p[id], j.Identity.Subject) {
			p[id] = append(p[id], j.Identity.Subject)
		}
	}
	return p
}

// saysNothing reports whether a PatientID identifies no patient, because many files share it.
func saysNothing(id string) bool { return dicomio.General(id) || strings.Trim(id, "0 ._-") == "" }

// another returns another subject of the job's patient, or "".
func (p patients) another(l *Line) string {
	for _, subject := range p[l.PatientID] {
		if subject != l.Identity.Subject {
			return subject
		}
	}
	return ""
}

var (
	numberedSeries = regexp.MustCompile(`(?i)^(?:series|serie|ser|se|scan)[-_ ]*0*([0-9]+)$`)
	mapSeries      = regexp.MustCompile(`(?i)^(?:t2[-_ ]*maps?|t2[-_ ]*mapping|mese|multi[-_ ]?echo)$`)
	mentionsT2     = regexp.MustCompile(`(?i)t2|echo|mese`)
)

// seriesFolder returns the visit or the subject if it is named after one of the study's series, by its number
// (series5) or its description, or as a T2 map; else "".
func seriesFolder(j pipeline.Job) string {
	for _, name := range []string{j.Identity.Visit, j.Identity.Subject} {
		if mapSeries.MatchString(name) {
			return name
		}
		number := numberedSeries.FindStringSubmatch(name)
		for _, t := range j.Study.Trains {
			if number != nil && number[1] == strconv.Itoa(t.Number) || mentionsT2.MatchString(name) &&
				table.IsAlike(name, t.Description) {
				return name
			}
		}
	}
	return ""
}
