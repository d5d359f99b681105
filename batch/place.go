package batch

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// place gives every job a folder of its own: subject/visit, with the series' hash
// where the study has several trains, and the study's where two studies share
// subject and visit. A job stays in the folder of its earlier result of the same name, and takes none
// that holds a result which stays: then the hash of the series follows if that is of the same study,
// and the hash of the study if not. Names are compared without case, as the file systems of
// Windows and macOS do.
func place(jobs []pipeline.Job, earlier *ledger) {
	p := placing{out: earlier.out, stay: earlier.staying(jobs), taken: map[string]bool{}}
	alike := map[[2]string][]report.Result{} // by subject and visit
	for _, r := range p.stay {
		key := [2]string{r.Subject, r.Visit}
		alike[key] = append(alike[key], r)
	}
	count := map[string]int{}
	for _, j := range jobs {
		count[strings.ToLower(resultFolders(j)[0])]++
	}
	for i, j := range jobs {
		for _, r := range earlier.byStudy[j.Study.Hash] {
			if folder := earlier.below(r); jobs[i].Dir == "" && sameRows(r, claim(j)) &&
				r.Subject == j.Identity.Subject && r.Visit == j.Identity.Visit && slices.Contains(resultFolders(j),
				folder) {
				p.take(&jobs[i], folder)
			}
		}
	}
	for i, j := range jobs {
		if jobs[i].Dir != "" {
			continue
		}
		folders := resultFolders(j)
		switch other, stands := p.stay[strings.ToLower(folders[0])]; {
		case stands && other.Study == j.Study.Hash:
			folders = folders[1:]
		case stands || count[strings.ToLower(folders[0])] > 1:
			folders = folders[2:]
		}
		free := slices.IndexFunc(folders, p.free)
		p.take(&jobs[i], folders[max(free, 0)]) // where none is free, notAnothers says so
	}
	for i, j := range jobs {
		another := func(r report.Result) bool { return r.Study != j.Study.Hash && intake.SameSide(r.Side, j.Side()) }
		if slices.ContainsFunc(alike[[2]string{j.Identity.Subject, j.Identity.Visit}], another) {
			jobs[i].Identity.Warnings = append(j.Identity.Warnings, "the output folder holds results of another study "+
				"of this subject and visit: if they are several visits, name them in a manifest (--manifest) or by "+
				"their folders (--layout)")
		}
	}
}

// resultFolders are the folders where the results of a job may go, below the output folder and with slashes:
// the first if no other results are there, else one with the hash of the series, of the study, or of both.
func resultFolders(j pipeline.Job) []string {
	base := resultFolder(j.Identity.Subject, j.Identity.Visit)
	withSeries := base + "-" + j.Train.Hash
	first := base
	if len(j.Study.Trains) > 1 {
		first = withSeries
	}
	return []string{first, withSeries, first + "-" + j.Study.Hash, withSeries + "-" + j.Study.Hash}
}

// placing is what is known of folders while jobs are placed, in lower case.
type placing struct {
	out   string
	stay  map[string]report.Result // results that stay
	taken map[string]bool          // by jobs
}

func (p placing) free(folder string) bool {
	_, stays := p.stay[strings.ToLower(folder)]
	return !stays && !p.taken[strings.ToLower(folder)]
}

func (p placing) take(j *pipeline.Job, folder string) {
	p.taken[strings.ToLower(folder)] = true
	j.Dir = filepath.Join(p.out, filepath.FromSlash(folder))
}

// staying returns the results that none of the jobs replaces, by their folders in lower case.
func (l *ledger) staying(jobs []pipeline.Job) map[string]report.Result {
	claims := map[string]report.Result{} // a run has one job for each study
	for _, j := range jobs {
		claims[j.Study.Hash] = claim(j)
	}
	stay := map[string]report.Result{}
	for _, r := range l.all() {
		if claim, ok := claims[r.Study]; !ok || !sameRows(r, claim) {
			stay[strings.ToLower(l.below(r))] = r
		}
	}
	return stay
}

// resultFolder is where the results of a study go, with a slash.
func resultFolder(subject, visit string) string {
	return folderName(subject) + "/" + folderName(cmp.Or(visit, "study"))
}

// reserved are names that Windows keeps for devices, whatever their ending, and
// the tables and other folders beside the studies' folders.
var reserved = []string{"compartments", "studies", "index", asideFolder, "con", "prn", "aux", "nul", "com1", "com2",
	"com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7",
	"lpt8", "lpt9"}

// folderName makes a name that every file system takes of a text from a header:
// letters, digits, dot, dash and underscore stay.
func folderName(text string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(text, "_"))
	if r := []rune(name); len(r) > 64 {
		name = string(r[:64])
	}
	name = strings.TrimRight(name, ".")
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	if name == "" || strings.HasPrefix(name, ".") || slices.Contains(reserved, stem) {
		name = "_" + name
	}
	return name
}
