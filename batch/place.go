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

// place gives every job its own folder, subject/visit, with the series' hash if the study has several trains, and
// with the study's hash if two studies share the subject and the visit. A job keeps the folder of its earlier result
// if that has the same name. It does not get the folder of a result that the run keeps: its name then has the hash of
// the series if that result is of the same study, and otherwise the hash of the study. Names that differ only in case
// are the same, as in the file systems of Windows and macOS.
func place(jobs []pipeline.Job, earlier *ledger) {
	p := placing{out: earlier.out, kept: earlier.kept(jobs), assigned: map[string]bool{}}
	alike := map[[2]string][]report.Result{} // by subject and visit
	for _, r := range p.kept {
		key := [2]string{r.Subject, r.Visit}
		alike[key] = append(alike[key], r)
	}
	count := map[string]int{}
	for _, j := range jobs {
		count[strings.ToLower(resultFolders(j)[0])]++
	}
	for i, j := range jobs {
		for _, r := range earlier.byStudy[j.Study.Hash] {
			if folder := earlier.relative(r); jobs[i].Dir == "" && sameRows(r, claim(j)) &&
				r.Subject == j.Identity.Subject && r.Visit == j.Identity.Visit && slices.Contains(resultFolders(j),
				folder) {
				p.assign(&jobs[i], folder)
			}
		}
	}
	for i, j := range jobs {
		if jobs[i].Dir != "" {
			continue
		}
		folders := resultFolders(j)
		switch other, ok := p.kept[strings.ToLower(folders[0])]; {
		case ok && other.Study == j.Study.Hash:
			folders = folders[1:]
		case ok || count[strings.ToLower(folders[0])] > 1:
			folders = folders[2:]
		}
		free := slices.IndexFunc(folders, p.free)
		p.assign(&jobs[i], folders[max(free, 0)]) // if none is free, checkOwner returns an error
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

// resultFolders returns the possible folders for the results of a job in order of preference, with slashes and
// relative to the output folder. After the first one they have the hash of the series, of the study, or of both.
func resultFolders(j pipeline.Job) []string {
	base := resultFolder(j.Identity.Subject, j.Identity.Visit)
	withSeries := base + "-" + j.Train.Hash
	first := base
	if len(j.Study.Trains) > 1 {
		first = withSeries
	}
	return []string{first, withSeries, first + "-" + j.Study.Hash, withSeries + "-" + j.Study.Hash}
}

// placing is the state of place. Folders are in lower case.
type placing struct {
	out      string
	kept     map[string]report.Result // results that the run keeps, by folder
	assigned map[string]bool          // folders of jobs
}

func (p placing) free(folder string) bool {
	_, isKept := p.kept[strings.ToLower(folder)]
	return !isKept && !p.assigned[strings.ToLower(folder)]
}

func (p placing) assign(j *pipeline.Job, folder string) {
	p.assigned[strings.ToLower(folder)] = true
	j.Dir = filepath.Join(p.out, filepath.FromSlash(folder))
}

// kept returns the results that none of the jobs replaces, by their folders in lower case.
func (l *ledger) kept(jobs []pipeline.Job) map[string]report.Result {
	claims := map[string]report.Result{} // a run has one job for each study
	for _, j := range jobs {
		claims[j.Study.Hash] = claim(j)
	}
	kept := map[string]report.Result{}
	for _, r := range l.all() {
		if claim, ok := claims[r.Study]; !ok || !sameRows(r, claim) {
			kept[strings.ToLower(l.relative(r))] = r
		}
	}
	return kept
}

// resultFolder returns the usual folder for the results of a study, with a slash.
func resultFolder(subject, visit string) string {
	return folderName(subject) + "/" + folderName(cmp.Or(visit, "study"))
}

// reserved are the names of devices on Windows, with any extension, and the names of the tables and of other folders
// in the output folder.
var reserved = []string{"compartments", "studies", "index", asideFolder, "con", "prn", "aux", "nul", "com1", "com2",
	"com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7",
	"lpt8", "lpt9"}

// folderName turns a text from a header into a name that is valid in every file system. Characters other than
// letters, digits, dots, hyphens and underscores become underscores.
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
