package batch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// earlierStudy is the identity under which results of a study were written.
type earlierStudy struct {
	subject, visit, side string
	folder               string // below the output folder
	series               string
}

// name names it for people.
func (e earlierStudy) name() string { return identityName(e.subject, e.visit) }

func identityName(subject, visit string) string {
	return fmt.Sprintf("%.80q", strings.TrimSuffix(subject+"/"+visit, "/"))
}

// earlierStudies are the identities of the studies whose results are in the output folder, by the
// hash of the study: one for each knee.
type earlierStudies map[string][]earlierStudy

// identities returns the studies whose results are in the output folder.
func (l *ledger) identities() earlierStudies {
	all := earlierStudies{}
	for _, r := range l.results() {
		all[r.Study] = append(all[r.Study], earlierStudy{r.Subject, r.Visit, r.Side, l.below(r), r.Series})
	}
	return all
}

// of returns the earlier results that new ones of the job may displace.
func (all earlierStudies) of(j Job) []earlierStudy {
	var of []earlierStudy
	knee := scanned{j.Study.Hash, knownSeries(j), knownSide(j)}
	for _, e := range all[j.Study.Hash] {
		if knee.same(scanned{j.Study.Hash, e.series, e.side}) {
			of = append(of, e)
		}
	}
	return of
}

// knownSide returns the side of a job, whose series may not be chosen yet: empty where the study has
// series of both knees and the identity does not say which one.
func knownSide(j Job) string {
	if side := sideOf(j); side != "" || len(j.Study.Trains) == 0 {
		return side
	}
	first := j.Study.Trains[0]
	for _, t := range j.Study.Trains {
		if t.Side != first.Side {
			return ""
		}
	}
	return sideOf(Job{Train: first})
}

// knownSeries returns the hash of a job's series: empty where the study has several and none is chosen
// yet.
func knownSeries(j Job) string {
	if j.Train.Hash == "" && len(j.Study.Trains) == 1 {
		return j.Study.Trains[0].Hash
	}
	return j.Train.Hash
}

// renamed returns an error where the output folder holds results of the job's study under another
// identity: new results would remove the old rows from the tables.
func renamed(j Job, earlier earlierStudies) error {
	for _, old := range earlier.of(j) {
		if old.subject == j.Identity.Subject && old.visit == j.Identity.Visit {
			continue
		}
		advice := "search the same folder as before, correct the manifest or the layout, or accept the new name with --rename"
		if anon := codeOf(j.Study); old.subject == anon || old.visit == anon {
			advice = "accept the new name with --rename" // what the warning advised to choose
		}
		return hint.Errorf(advice,
			"identity: the study is now %s (from %s), but the output folder holds its results as %s, in the folder %s",
			identityName(j.Identity.Subject, j.Identity.Visit), j.Identity.From, old.name(), old.folder)
	}
	return nil
}

// checkIdentities returns an error for each job whose identity cannot be right, given the other jobs
// and the earlier results, and nil for the others: subjects whose names are alike (see table.Keys), and
// studies that would be taken for one patient or one visit (see clashes).
func checkIdentities(jobs []Job, earlier earlierStudies) []error {
	alike := alikeSubjects(jobs, earlier)
	clash := clashes(jobs, earlier)
	errs := make([]error, len(jobs))
	for n, j := range jobs {
		errs[n] = clash[n]
		if other := alike[j.Identity.Subject]; other != "" {
			errs[n] = hint.Errorf("write the name of a subject in one way, in the folders' names or in a manifest, and give two subjects names that cannot be confused",
				"identity: subject %.40q differs from %.40q %s", j.Identity.Subject, other, table.Alike)
		}
	}
	return errs
}

// alikeSubjects returns the subjects whose names are alike, each with another one: among the jobs, and
// between the jobs and the earlier results that stay.
func alikeSubjects(jobs []Job, earlier earlierStudies) map[string]string {
	var subjects table.Names
	alike := map[string]string{}
	for _, e := range earlier.without(jobs) {
		subjects.Add(e.subject)
	}
	for _, j := range jobs {
		if other, found := subjects.Add(j.Identity.Subject); found {
			alike[j.Identity.Subject], alike[other] = other, j.Identity.Subject
		}
	}
	return alike
}

// without returns the earlier results that the jobs do not displace.
func (all earlierStudies) without(jobs []Job) []earlierStudy {
	displaced := map[string]bool{} // by folder
	for _, j := range jobs {
		for _, e := range all.of(j) {
			displaced[e.folder] = true
		}
	}
	var stay []earlierStudy
	for _, of := range all {
		for _, e := range of {
			if !displaced[e.folder] {
				stay = append(stay, e)
			}
		}
	}
	return stay
}

// identified returns the jobs whose identity can be right; the others fail, and their earlier results
// stay in the tables.
func (s Settings) identified(jobs []Job, out *Outcome, earlier *ledger) []Job {
	for n, texts := range doubtful(jobs) {
		jobs[n].Identity.Warnings = append(jobs[n].Identity.Warnings, texts...)
	}
	var sound []Job
	for n, err := range checkIdentities(jobs, earlier.identities()) {
		if err != nil {
			out.fail(s, jobs[n], ofSetting(err), earlier)
			continue
		}
		sound = append(sound, jobs[n])
	}
	out.Remarks = append(out.Remarks, alikeVisits(sound)...)
	return sound
}

// alikeVisits notes visits of the run whose names are alike: each may be right, for a subject of its
// own, but a trial takes them for one visit and refuses them.
func alikeVisits(jobs []Job) []string {
	var visits table.Names
	var pairs []string
	for _, j := range jobs {
		if other, found := visits.Add(j.Identity.Visit); found {
			pairs = append(pairs, fmt.Sprintf("%.40q and %.40q", other, j.Identity.Visit))
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	slices.Sort(pairs)
	const shown = 3
	text := strings.Join(pairs[:min(shown, len(pairs))], ", ")
	if len(pairs) > shown {
		text += ", …"
	}
	return []string{fmt.Sprintf("visits %s differ %s: t2map trial refuses them", text, table.Alike)}
}
