package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/table"
)

// EarlierStudy is the identity of earlier results of a study.
type EarlierStudy struct {
	Subject, Visit, Side string
	Folder               string // below the output folder
	Series               string // its hash
}

// name formats the identity for people.
func (e EarlierStudy) name() string { return identityName(e.Subject, e.Visit) }

func identityName(subject, visit string) string {
	return fmt.Sprintf("%.80q", strings.TrimSuffix(subject+"/"+visit, "/"))
}

// Earlier are the identities of the results in the output folder, by the hash of the study: one for each knee.
type Earlier map[string][]EarlierStudy

// displaced returns the earlier results that results of the knee may replace.
func (all Earlier) displaced(knee Knee) []EarlierStudy {
	var knees []EarlierStudy
	for _, e := range all[knee.Study] {
		if knee.Same(Knee{knee.Study, e.Series, e.Side}) {
			knees = append(knees, e)
		}
	}
	return knees
}

// knownSide returns the side of a job whose series may not be chosen yet. It is empty if the study has series of both
// knees and the identity has no side.
func knownSide(j pipeline.Job) string {
	if side := j.Side(); side != "" || len(j.Study.Trains) == 0 {
		return side
	}
	first := j.Study.Trains[0]
	for _, t := range j.Study.Trains {
		if t.Side != first.Side {
			return ""
		}
	}
	return pipeline.Job{Train: first}.Side()
}

// KnownSeries returns the hash of a job's series. It is empty if the study has several series and none is chosen yet.
func KnownSeries(j pipeline.Job) string {
	if j.Train.Hash == "" && len(j.Study.Trains) == 1 {
		return j.Study.Trains[0].Hash
	}
	return j.Train.Hash
}

// renamed is the function renamed for a job whose series may not be chosen yet.
func (s *Intake) renamed(j pipeline.Job) error {
	return renamed(j.Study.Place, j.Identity, Knee{j.Study.Hash, KnownSeries(j), knownSide(j)}, s.Earlier)
}

// renamed returns an error if the output folder holds results of the knee under another identity: new results would
// remove the old rows from the tables.
func renamed(place dicomio.Place, id pipeline.Identity, knee Knee, earlier Earlier) error {
	for _, old := range earlier.displaced(knee) {
		if old.Subject == id.Subject && old.Visit == id.Visit {
			continue
		}
		advice := "search the same folder as before, correct the manifest or the layout, or accept the new name with " +
			"--rename"
		if anon := codeOf(place); old.Subject == anon || old.Visit == anon {
			advice = "accept the new name with --rename" // the user has followed the advice of the warning
		}
		return hint.Errorf(advice,
			"identity: the study is now %s (from %s), but the output folder holds its results as %s, in the folder %s",
			identityName(id.Subject, id.Visit), id.SourceText, old.name(), old.Folder)
	}
	return nil
}

// alikeSubjects returns the subjects whose names are alike, each with the other one, among the lines and the earlier
// results that they do not replace.
func alikeSubjects(lines []*Line, earlier Earlier) map[string]string {
	var subjects table.Names
	alike := map[string]string{}
	for _, e := range earlier.notDisplaced(lines) {
		subjects.Add(e.Subject)
	}
	for _, j := range lines {
		if other, alikeNames := subjects.Add(j.Identity.Subject); alikeNames {
			alike[j.Identity.Subject], alike[other] = other, j.Identity.Subject
		}
	}
	return alike
}

// notDisplaced returns the earlier results that results of the lines do not replace.
func (all Earlier) notDisplaced(lines []*Line) []EarlierStudy {
	displaced := map[string]bool{} // by folder
	for _, j := range lines {
		for _, e := range all.displaced(j.Knee()) {
			displaced[e.Folder] = true
		}
	}
	var kept []EarlierStudy
	for _, studies := range all {
		for _, e := range studies {
			if !displaced[e.Folder] {
				kept = append(kept, e)
			}
		}
	}
	return kept
}

// alikeVisits remarks on visits of the run whose names are alike. The names may be right, if they belong to different
// subjects, but t2map trial refuses them.
func alikeVisits(lines []*Line) []string {
	var visits table.Names
	var pairs []string
	for _, j := range lines {
		if other, alike := visits.Add(j.Identity.Visit); alike {
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

// Knee is a knee of a study: the hash of the study, the hash of the series that shows the knee, and the side.
// Series and side are empty if they are not known.
type Knee struct{ Study, Series, Side string }

// Same reports whether k and other may be the same knee. One series shows one knee, even if its side was corrected.
// Two series may show the same knee unless their sides differ.
func (k Knee) Same(other Knee) bool {
	return k.Study == other.Study && (k.Series != "" && k.Series == other.Series || SameSide(k.Side, other.Side))
}

// SameSide reports whether two sides may be equal: an unknown side may be left or right.
func SameSide(a, b string) bool { return a == b || a == "" || b == "" }
