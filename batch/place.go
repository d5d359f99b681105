package batch

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/reads"
)

// place gives every study a folder, subject/visit, with the series' hash if the study has several trains, and with the
// study's hash if two studies share the subject and the visit. A study keeps the folder of its earlier result if that
// has the same name. It does not get the folder of a result that the run keeps: its name then has the hash of the
// series if that result is of the same study, and otherwise the hash of the study. Names that differ only in case are
// the same, as in the file systems of Windows and macOS.
func place(studies []*study, earlier *ledger) {
	p := placing{out: earlier.out, kept: earlier.kept(studies), assigned: map[string]bool{}}
	alike := map[[2]string][]entry{} // by subject and visit
	for _, r := range p.kept {
		key := [2]string{r.Subject, r.Visit}
		alike[key] = append(alike[key], r)
	}
	count := map[string]int{}
	for _, st := range studies {
		count[strings.ToLower(resultFolders(st)[0])]++
	}
	for _, st := range studies {
		for _, r := range earlier.of(st.Hash) {
			if st.dir == "" && r.is(st.Knee()) && r.Subject == st.Identity.Subject && r.Visit == st.Identity.Visit &&
				slices.Contains(resultFolders(st), strings.TrimPrefix(r.Folder, fan(r.Subject))) {
				p.assign(st, r.Folder)
			}
		}
	}
	prefix := func(*study) string { return "" }
	if len(studies) > mostSubjects {
		prefix = func(st *study) string { return fan(st.Identity.Subject) }
	}
	for _, st := range studies {
		if st.dir != "" {
			continue
		}
		folders := resultFolders(st)
		switch other, ok := p.kept[strings.ToLower(prefix(st)+folders[0])]; {
		case ok && other.Study == st.Hash:
			folders = folders[1:]
		case ok || count[strings.ToLower(folders[0])] > 1:
			folders = folders[2:]
		}
		free := slices.IndexFunc(folders, func(folder string) bool { return p.free(prefix(st) + folder) })
		p.assign(st, prefix(st)+folders[max(free, 0)]) // if none is free, checkOwner returns an error
	}
	for _, st := range studies {
		another := func(r entry) bool { return r.Study != st.Hash && intake.SameSide(r.Side, st.Side) }
		if slices.ContainsFunc(alike[[2]string{st.Identity.Subject, st.Identity.Visit}], another) {
			st.warn("the output folder holds results of another study of this subject and visit: if they are several " +
				"visits, name them in a manifest (--manifest) or by their folders (--layout)")
		}
	}
}

// mostSubjects is the largest number of studies whose subjects are folders directly in the output folder. Above it
// they are in a thousand folders, because many programs and some file systems are slow with folders of more entries.
const mostSubjects = 10_000

// fan returns the folder of a subject among those thousand, with a slash. No name of a subject's folder begins with +.
func fan(subject string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(folderName(subject))))
	return fmt.Sprintf("+%03d/", binary.BigEndian.Uint64(sum[:8])%1000)
}

// resultFolders returns the possible folders for the results of a study in order of preference, with slashes and
// without the folder of fan. After the first one they have the hash of the series, of the study, or of both.
func resultFolders(st *study) []string {
	base := resultFolder(st.Identity.Subject, st.Identity.Visit)
	withSeries := base + "-" + st.Series
	first := base
	if st.Trains > 1 {
		first = withSeries
	}
	return []string{first, withSeries, first + "-" + st.Hash, withSeries + "-" + st.Hash}
}

// placing is the state of place. Folders are in lower case.
type placing struct {
	out      string
	kept     map[string]entry // results that the run keeps, by folder
	assigned map[string]bool  // folders of studies
}

func (p placing) free(folder string) bool {
	_, isKept := p.kept[strings.ToLower(folder)]
	return !isKept && !p.assigned[strings.ToLower(folder)]
}

func (p placing) assign(st *study, folder string) {
	p.assigned[strings.ToLower(folder)] = true
	st.dir = filepath.Join(p.out, filepath.FromSlash(folder))
}

// kept returns the results that none of the studies replaces, by their folders in lower case.
func (l *ledger) kept(studies []*study) map[string]entry {
	knees := map[string]intake.Knee{} // a run maps one knee of each study
	for _, st := range studies {
		knees[st.Hash] = st.Knee()
	}
	kept := map[string]entry{}
	for r := range l.all().entries() {
		if knee, ok := knees[r.Study]; !ok || !r.is(knee) {
			kept[strings.ToLower(r.Folder)] = r
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
var reserved = []string{"compartments", "studies", "qc", "timing", "failures", "audit", "page", "index",
	supersededFolder, reads.Folder, "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
	"com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"}

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
