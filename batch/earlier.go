package batch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/table"
)

// seriesKey names a series by the hashes of its study and itself.
type seriesKey struct{ study, series string }

// earlierStudy is who a study was when its results were written.
type earlierStudy struct {
	subject, visit string
	folder         string // below the results
}

// name names it for people.
func (e earlierStudy) name() string { return identityName(e.subject, e.visit) }

func identityName(subject, visit string) string {
	return fmt.Sprintf("%.80q", strings.TrimSuffix(subject+"/"+visit, "/"))
}

// identities returns who the studies were whose results stand in the output folder.
func (l *ledger) identities() map[seriesKey]earlierStudy {
	all := map[seriesKey]earlierStudy{}
	for _, r := range l.results() {
		all[seriesKey{r.Study, r.Series}] = earlierStudy{r.Subject, r.Visit, l.below(r)}
	}
	return all
}

// renamed returns an error where the results of the job's series are there under another identity: its
// rows would be gone from the tables. Rename takes the new one.
func renamed(j Job, earlier map[seriesKey]earlierStudy, rename bool) error {
	old, known := earlier[seriesKey{j.Study.Hash, j.Train.Hash}]
	if !known || rename || old.subject == j.Identity.Subject && old.visit == j.Identity.Visit {
		return nil
	}
	return hinted("search the folder that was searched before, correct manifest or layout, or take the new name with --rename",
		"identity: the study is %s now (from %s), and its results are there as %s in the folder %s",
		identityName(j.Identity.Subject, j.Identity.Visit), j.Identity.From, old.name(), old.folder)
}

// checkIdentities takes out the jobs whose identity cannot be right beside those of others or of
// earlier results, and returns them with their errors: a study under another name than before (see
// renamed), and subjects with names that are alike (see table.Keys).
func checkIdentities(jobs []Job, earlier map[seriesKey]earlierStudy, rename bool) (sound []Job, refused []Job, errs []error) {
	var subjects table.Names
	alike := map[string]string{}
	replaced := map[seriesKey]bool{}
	for _, j := range jobs {
		replaced[seriesKey{j.Study.Hash, j.Train.Hash}] = true
	}
	for key, e := range earlier {
		if !replaced[key] {
			subjects.Add(e.subject)
		}
	}
	for _, j := range jobs {
		if other, found := subjects.Add(j.Identity.Subject); found {
			alike[j.Identity.Subject], alike[other] = other, j.Identity.Subject
		}
	}
	for _, j := range jobs {
		err := renamed(j, earlier, rename)
		if other := alike[j.Identity.Subject]; err == nil && other != "" {
			err = hinted("write it in one way, in the folders' names or in a manifest; two subjects need names that cannot be taken for each other",
				"identity: subject %.40q differs from %.40q %s", j.Identity.Subject, other, table.Alike)
		}
		if err != nil {
			refused, errs = append(refused, j), append(errs, err)
			continue
		}
		sound = append(sound, j)
	}
	return sound, refused, errs
}

// identified returns the jobs whose identity can be right; the others fail.
func (s Settings) identified(jobs []Job, out *Outcome, earlier *ledger) []Job {
	jobs, refused, errs := checkIdentities(jobs, earlier.names, s.Rename)
	for i, j := range refused {
		out.fail(s, j, ofSetting(errs[i]), earlier)
	}
	out.Remarks = append(out.Remarks, alikeVisits(jobs)...)
	return jobs
}

// alikeVisits remarks visits of the run that are alike: each may be right, as one subject's and
// another's, but a trial takes them for one visit and refuses them.
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
	return []string{fmt.Sprintf("visits %s differ %s: a trial refuses them", text, table.Alike)}
}
