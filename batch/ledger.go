package batch

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/report"
)

// ledger holds the results of earlier runs in an output folder. A run removes from it the results that its own
// results and failures displace, so that a study has at most one result in the tables.
type ledger struct {
	out string

	// listed are the studies that studies.csv listed without a result.
	listed []report.Failure
	record *record // of the run that moves results; may be nil

	mu      sync.Mutex
	shelf   shelf
	byStudy map[string][]compact // all results that can be read
	broken  []report.Failure     // results that cannot be read
	moved   []string             // remarks on displaced results
	away    []movedAway          // results that made way for other studies and are not replaced yet
	err     error                // displaced results that could not be moved
}

// movedAway is a result that was moved because another study needs its folder.
type movedAway struct {
	entry         // with its former folder
	folder string // the present folder
}

// supersededFolder is the folder of displaced results below the output folder. Tables do not include them.
const supersededFolder = report.SupersededFolder

// readLedger reads the result.json of every study below the output folder, and the failures that studies.csv lists.
// Results that the state of the folder describes are not read again. It is an error if the table exists and cannot be
// read, because a new table would lose the failures.
func readLedger(out string) (*ledger, error) {
	l := newLedger(out)
	known := readEntries(out)
	err := eachResult(out, func(path string, err error) error {
		folder := files.Below(out, filepath.Dir(path))
		e, isKnown := known[folder]
		if info, statErr := os.Stat(path); err == nil && isKnown && statErr == nil && info.Size() == e.Size &&
			info.ModTime().UnixNano() == e.Time {
			e.Dir = filepath.Dir(path)
		} else if err == nil {
			e, err = readEntry(out, path)
		}
		if err != nil {
			l.broken = append(l.broken, unreadable(folder))
			return nil
		}
		l.add(e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	slices.SortFunc(l.broken, func(a, b report.Failure) int { return strings.Compare(a.Folder, b.Folder) })
	if l.listed, err = listedFailures(out); err != nil {
		return nil, err
	}
	return l, nil
}

func newLedger(out string) *ledger {
	return &ledger{out: out, shelf: shelf{out: out, index: map[digest]int{}}, byStudy: map[string][]compact{}}
}

// of returns the results of a study.
func (l *ledger) of(study string) []entry {
	var results []entry
	for _, c := range l.byStudy[study] {
		results = append(results, l.shelf.unpack(study, c))
	}
	return results
}

// set replaces the results of a study.
func (l *ledger) set(study string, results []entry) {
	if delete(l.byStudy, study); len(results) == 0 {
		return
	}
	packed := make([]compact, len(results))
	for n, e := range results {
		packed[n] = l.shelf.pack(e)
	}
	l.byStudy[study] = packed
}

// find returns the first result of the knee.
func (l *ledger) find(k intake.Knee) (entry, bool) {
	for _, e := range l.of(k.Study) {
		if e.is(k) {
			return e, true
		}
	}
	return entry{}, false
}

// at returns the result of a study in a folder.
func (l *ledger) at(dir, study string) (entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.of(study) {
		if samePath(e.Dir, dir) {
			return e, true
		}
	}
	return entry{}, false
}

// add adds a result.
func (l *ledger) add(e entry) { l.byStudy[e.Study] = append(l.byStudy[e.Study], l.shelf.pack(e)) }

// unreadable describes a result that cannot be read. Only its folder is known.
func unreadable(folder string) report.Failure {
	f := report.Failure{Folder: folder, Code: report.ReasonResult,
		Reason: "results: the folder cannot be read, so the study is not in the tables",
		Hint:   "map the study again, or remove the folder"}
	parts := strings.Split(folder, "/")
	if strings.HasPrefix(parts[0], "+") { // see fan
		parts = parts[1:]
	}
	if len(parts) == 2 { // SUBJECT/VISIT, see resultFolder
		f.Subject, f.Visit = parts[0], parts[1]
		f.Reason = "results: " + report.ResultFile + " cannot be read, so the study is not in the tables; its " +
			"subject and visit are from the folder's name"
	}
	return f
}

// verdict divides the results of one study.
type verdict struct {
	sound     []entry
	copies    []string         // remarks on copies of other results
	conflicts []report.Failure // results that contradict others
}

// judge divides the results of one study into sound results, copies of these, and different results for the same rows
// of the tables. None of the latter is sound, because it is not known which is right.
func (l *ledger) judge(results []entry) verdict {
	var v verdict
	claimed := make([]bool, len(results))
	for i, r := range results {
		for k, other := range results[:i] {
			if !r.is(other.knee()) {
				continue
			}
			if r.Sum == other.Sum {
				claimed[i] = true // the tables keep the other one
				v.copies = append(v.copies, fmt.Sprintf("%s is a copy of the result in %s", r.Folder,
					other.Folder))
				break
			}
			v.conflicts = append(v.conflicts, report.Failure{Subject: r.Subject, Visit: r.Visit, Study: r.Study,
				Series: r.Series, Side: r.Side, Folder: r.Folder, Code: report.ReasonResult,
				Reason: fmt.Sprintf("results: this folder and %s hold different results of the same study, so neither "+
					"is in the tables", other.Folder),
				Hint: "map the study again, or remove one of the folders"})
			claimed[i], claimed[k] = true, true
		}
	}
	for i, r := range results {
		if !claimed[i] {
			v.sound = append(v.sound, r)
		}
	}
	return v
}

func kneeThatFailed(f report.Failure) intake.Knee {
	return intake.Knee{Study: f.Study, Series: f.Series, Side: f.Side}
}

// holds reports whether the tables keep a result of the knee.
func (l *ledger) holds(k intake.Knee) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.judge(l.of(k.Study)).sound, func(r entry) bool { return r.is(k) })
}

// displace notes that a study has a new result or has failed, and removes its earlier results. The entry of a failed
// study has no Dir. The folders of the earlier results are moved. moved is the folder to which the one that the new
// result has replaced was moved already, or "".
func (l *ledger) displace(current entry, moved string) {
	if current.Study == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = slices.DeleteFunc(l.away, func(m movedAway) bool {
		replaced := m.is(current.knee())
		if replaced {
			l.record.superseded(m.entry, m.folder, takenFolder)
			l.remark(m.entry, m.folder, takenFolder)
		}
		return replaced
	})
	var kept []entry
	for _, r := range l.of(current.Study) {
		switch {
		case current.Dir != "" && samePath(r.Dir, current.Dir):
			if moved != "" {
				l.record.superseded(r, moved, "the study was mapped again")
			}
		case !r.is(current.knee()):
			kept = append(kept, r)
		default:
			reason := "the study has failed in this run"
			if current.Dir != "" {
				reason = "the study is now in " + current.Folder
			}
			l.setAside(r, reason)
		}
	}
	if current.Dir != "" {
		kept = append(kept, current)
	}
	l.set(current.Study, kept)
}

// takenFolder is the reason for moving a result whose folder a job of another study takes.
const takenFolder = "its folder now belongs to another study"

func samePath(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// setAside moves a result to supersededFolder, with a remark.
func (l *ledger) setAside(r entry, reason string) {
	if folder, ok := l.move(r, reason); ok {
		l.record.superseded(r, folder, reason)
		l.remark(r, folder, reason)
	}
}

// supersededName returns the path of a result that is displaced.
func (l *ledger) supersededName(r entry) string {
	return filepath.Join(l.out, supersededFolder, filepath.FromSlash(r.Folder)+"-"+folderName(r.Series))
}

// remark adds a remark that the result was moved to folder.
func (l *ledger) remark(r entry, folder, reason string) {
	l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s was moved to %s: %s", r.Folder,
		files.Below(l.out, folder), reason))
}

// move moves a result to a free name in supersededFolder. If that fails, it adds to l.err.
func (l *ledger) move(r entry, reason string) (folder string, ok bool) {
	free := report.FreeName(l.supersededName(r))
	err := os.MkdirAll(filepath.Dir(free), 0o777)
	if err == nil {
		err = report.MoveFolder(r.Dir, free)
	}
	if err != nil {
		l.err = errors.Join(l.err, hint.Errorf("close all files in the folder, then remove it or run again",
			"results: the earlier result in %s (%s) cannot be moved to %s: %w", r.Folder, reason,
			supersededFolder, err))
		return "", false
	}
	_ = os.Remove(filepath.Dir(r.Dir)) // the subject's folder, if it is empty now
	return free, true
}

// makeWay moves the earlier results that the studies replace out of folders that other studies will use. This happens if
// the names of studies were exchanged, or moved on by one visit.
func (l *ledger) makeWay(studies []*study) {
	if len(l.byStudy) == 0 {
		return
	}
	claims := map[string]intake.Knee{} // by folder
	for _, st := range studies {
		claims[filepath.Clean(st.dir)] = st.Knee()
	}
	for _, st := range studies {
		results := l.of(st.Hash)
		if len(results) == 0 {
			continue
		}
		l.set(st.Hash, slices.DeleteFunc(results, func(r entry) bool {
			newer, ok := claims[filepath.Clean(r.Dir)]
			if !ok || r.is(newer) || !r.is(st.Knee()) {
				return false
			}
			if folder, ok := l.move(r, takenFolder); ok {
				l.away = append(l.away, movedAway{r, folder})
			}
			return true
		}))
	}
}

// restore moves back the results that made way if their studies are not done because the run ended early. If its
// folder is in use now, a result gets a folder beside it. Call restore at the end of a run.
func (l *ledger) restore() {
	for _, m := range l.away {
		r := m.entry
		r.Dir = report.FreeName(r.Dir)
		if r.Dir != m.Dir {
			r.Dir = report.FreeName(m.Dir + "-" + folderName(r.Study))
		}
		r.Folder = files.Below(l.out, r.Dir)
		err := os.MkdirAll(filepath.Dir(r.Dir), 0o777)
		if err == nil {
			err = report.MoveFolder(m.folder, r.Dir)
		}
		if err != nil {
			l.err = errors.Join(l.err, hint.Errorf("move the folder back, and rebuild the "+
				"tables: "+tablesCommand(l.out), "results: the earlier result of a study that is not done is in %s "+
				"and cannot be moved back to %s: %w", files.Below(l.out, m.folder), r.Folder, err))
			continue
		}
		l.add(r)
		removeEmpty(filepath.Dir(m.folder), l.out)
		if r.Dir != m.Dir {
			l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s is now in %s, under its earlier name, "+
				"because its study is not done", m.Folder, r.Folder))
		}
	}
	l.away = nil
}

// removeEmpty removes the folder and its parents below top, up to the first that is not empty.
func removeEmpty(folder, top string) {
	for ; folder != top && files.Inside(top, folder); folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			return
		}
	}
}

// listing is results in some order. They are unpacked when they are needed.
type listing struct {
	shelf *shelf
	rows  []row
}

// row is a result in a listing.
type row struct {
	study  string
	packed compact
}

// entries returns the results in their order.
func (l listing) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		for _, row := range l.rows {
			if !yield(l.shelf.unpack(row.study, row.packed)) {
				return
			}
		}
	}
}

// sort sorts the results. compare gets entries without Dir.
func (l listing) sort(compare func(a, b entry) int) {
	slices.SortFunc(l.rows, func(a, b row) int {
		return compare(l.shelf.fields(a.study, a.packed), l.shelf.fields(b.study, b.packed))
	})
}

func byFolder(a, b entry) int { return strings.Compare(a.Folder, b.Folder) }

// results returns the sound results, sorted by folder.
func (l *ledger) results() listing {
	sound := listing{shelf: &l.shelf}
	for study, results := range l.byStudy {
		if len(results) == 1 { // as usual: there is nothing to compare
			sound.rows = append(sound.rows, row{study, results[0]})
			continue
		}
		for _, e := range l.judge(l.of(study)).sound {
			sound.rows = append(sound.rows, row{study, l.shelf.pack(e)})
		}
	}
	sound.sort(byFolder)
	return sound
}

// all returns all results that can be read, including copies and contradictions, sorted by folder.
func (l *ledger) all() listing {
	all := listing{shelf: &l.shelf}
	for study, results := range l.byStudy {
		for _, c := range results {
			all.rows = append(all.rows, row{study, c})
		}
	}
	all.sort(byFolder)
	return all
}

// contradictions returns the results that contradict each other, sorted by folder.
func (l *ledger) contradictions() []report.Failure {
	var conflicts []report.Failure
	for study, results := range l.byStudy {
		if len(results) > 1 {
			conflicts = append(conflicts, l.judge(l.of(study)).conflicts...)
		}
	}
	slices.SortFunc(conflicts, func(a, b report.Failure) int { return strings.Compare(a.Folder, b.Folder) })
	return conflicts
}

// shownMoves is the largest number of remarks on displaced results.
const shownMoves = 5

// remarks returns the remarks on displaced results and on copies.
func (l *ledger) remarks() []string {
	moved := slices.Clone(l.moved)
	for study, results := range l.byStudy {
		if len(results) > 1 {
			moved = append(moved, l.judge(l.of(study)).copies...)
		}
	}
	slices.Sort(moved) // the order in which studies end is random
	if n := len(moved); n > shownMoves {
		return append(moved[:shownMoves], fmt.Sprintf("%d earlier results in total were moved or are copies", n))
	}
	return moved
}

// identities returns the identities of the studies with sound results.
func (l *ledger) identities() intake.Earlier {
	all := intake.Earlier{}
	for r := range l.results().entries() {
		all[r.Study] = append(all[r.Study], intake.EarlierStudy{
			Subject: r.Subject, Visit: r.Visit, Side: r.Side, Folder: r.Folder, Series: r.Series,
		})
	}
	return all
}
