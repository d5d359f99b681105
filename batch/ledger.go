package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/intake"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/report"
)

// ledger holds the results of earlier runs in an output folder. A run removes from it the results that its own
// results and failures displace, so that a study has at most one result in the tables.
type ledger struct {
	out string

	// listed are the studies that studies.csv listed without a result.
	listed []report.Failure
	// names are the identities of the studies, including those whose results are displaced later.
	names  intake.Earlier
	record *record // of the run that moves results; may be nil

	mu      sync.Mutex
	byStudy map[string][]report.Result // all results that can be read
	broken  []report.Failure           // results that cannot be read
	moved   []string                   // remarks on displaced results
	away    []movedAway                // results that made way for other studies and are not replaced yet
	err     error                      // displaced results that could not be moved
}

// movedAway is a result that was moved because another study needs its folder.
type movedAway struct {
	report.Result        // with its former folder
	folder        string // the present folder
}

// asideFolder is the folder of displaced results below the output folder. Tables do not include them.
const asideFolder = "set-aside"

// readLedger reads the result.json of every study below the output folder, and the failures that studies.csv lists.
// It is an error if this table exists and cannot be read, because a new table would lose the failures.
func readLedger(out string) (*ledger, error) {
	l := &ledger{out: out, byStudy: map[string][]report.Result{}}
	err := eachResult(out, func(path string, err error) error {
		var r report.Result
		if err == nil {
			r, err = report.ReadResult(path)
		}
		if err != nil {
			l.broken = append(l.broken, unreadable(files.Below(out, filepath.Dir(path))))
			return nil
		}
		r.Inputs, r.Outputs = nil, nil // tables need neither
		l.byStudy[r.Study] = append(l.byStudy[r.Study], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("results: %w", err)
	}
	slices.SortFunc(l.broken, func(a, b report.Failure) int { return strings.Compare(a.Folder, b.Folder) })
	if l.listed, err = listedFailures(filepath.Join(out, "studies.csv")); err != nil {
		return nil, err
	}
	l.names = l.identities()
	return l, nil
}

// unreadable describes a result that cannot be read. Only its folder is known.
func unreadable(folder string) report.Failure {
	f := report.Failure{Folder: folder, Code: report.ReasonResult,
		Reason: "results: the folder cannot be read, so the study is not in the tables",
		Hint:   "map the study again, or remove the folder"}
	parts := strings.Split(folder, "/")
	if len(parts) == 2 { // SUBJECT/VISIT, see resultFolder
		f.Subject, f.Visit = parts[0], parts[1]
		f.Reason = "results: " + report.ResultFile + " cannot be read, so the study is not in the tables; its " +
			"subject and visit are from the folder's name"
	}
	return f
}

// verdict divides the results of one study.
type verdict struct {
	sound     []report.Result
	copies    []string         // remarks on copies of other results
	conflicts []report.Failure // results that contradict others
}

// judge divides the results of one study into sound results, copies of these, and different results for the same rows
// of the tables. None of the latter is sound, because it is not known which is right.
func (l *ledger) judge(results []report.Result) verdict {
	var v verdict
	claimed := make([]bool, len(results))
	for i, r := range results {
		for k, other := range results[:i] {
			if !sameRows(r, other) {
				continue
			}
			if equal(r, other) {
				claimed[i] = true // the tables keep the other one
				v.copies = append(v.copies, fmt.Sprintf("%s is a copy of the result in %s", l.relative(r),
					l.relative(other)))
				break
			}
			v.conflicts = append(v.conflicts, report.Failure{Subject: r.Subject, Visit: r.Visit, Study: r.Study,
				Series: r.Series, Side: r.Side, Folder: l.relative(r), Code: report.ReasonResult,
				Reason: fmt.Sprintf("results: this folder and %s hold different results of the same study, so neither "+
					"is in the tables", l.relative(other)),
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

// equal reports whether two results have the same content.
func equal(r, other report.Result) bool {
	a, errA := json.Marshal(r)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// relative returns the path of a result below the output folder.
func (l *ledger) relative(r report.Result) string { return files.Below(l.out, r.Dir) }

// sameRows reports whether two results are of the same knee of the same study and would have the same rows in the
// tables.
func sameRows(a, b report.Result) bool { return kneeOf(a).Same(kneeOf(b)) }

func kneeOf(r report.Result) intake.Knee {
	return intake.Knee{Study: r.Study, Series: r.Series, Side: r.Side}
}

func kneeThatFailed(f report.Failure) intake.Knee {
	return intake.Knee{Study: f.Study, Series: f.Series, Side: f.Side}
}

// holds reports whether the tables keep a result of the claim's knee.
func (l *ledger) holds(claim report.Result) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.judge(l.byStudy[claim.Study]).sound,
		func(r report.Result) bool { return sameRows(r, claim) })
}

// settle removes a study's earlier results from the ledger after the study has a new result or has failed. A failed
// study has no Dir. The folders of the earlier results are set aside, except the folder that the new result has
// replaced.
func (l *ledger) settle(current report.Result) {
	if current.Study == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = slices.DeleteFunc(l.away, func(m movedAway) bool {
		replaced := sameRows(m.Result, current)
		if replaced {
			moved := m.Result
			moved.Dir = m.folder
			l.record.superseded(moved, m.folder, takenFolder)
			l.remark(m.Result, m.folder, takenFolder)
		}
		return replaced
	})
	var kept []report.Result
	for _, r := range l.byStudy[current.Study] {
		switch {
		case current.Dir != "" && samePath(r.Dir, current.Dir):
		case !sameRows(r, current):
			kept = append(kept, r)
		default:
			reason := "the study has failed in this run"
			if current.Dir != "" {
				reason = "the study is now in " + l.relative(current)
			}
			l.setAside(r, reason)
		}
	}
	l.byStudy[current.Study] = kept
}

// takenFolder is the reason for moving a result whose folder a job of another study takes.
const takenFolder = "its folder now belongs to another study"

func samePath(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// setAside moves a result to asideFolder, with a remark.
func (l *ledger) setAside(r report.Result, reason string) {
	if folder, ok := l.move(r, reason); ok {
		moved := r
		moved.Dir = folder
		l.record.superseded(moved, folder, reason)
		l.remark(r, folder, reason)
	}
}

// remark adds a remark that the result was moved to folder.
func (l *ledger) remark(r report.Result, folder, reason string) {
	l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s was moved to %s: %s", l.relative(r),
		files.Below(l.out, folder), reason))
}

// move moves a result to a free name in asideFolder. If that fails, it adds to l.err.
func (l *ledger) move(r report.Result, reason string) (folder string, ok bool) {
	free := freeName(filepath.Join(l.out, asideFolder, filepath.FromSlash(l.relative(r))+"-"+folderName(r.Series)))
	err := os.MkdirAll(filepath.Dir(free), 0o777)
	if err == nil {
		err = report.MoveFolder(r.Dir, free)
	}
	if err != nil {
		l.err = errors.Join(l.err, hint.Errorf("close all files in the folder, then remove it or run again",
			"results: the earlier result in %s (%s) cannot be moved to %s: %w", l.relative(r), reason,
			asideFolder, err))
		return "", false
	}
	_ = os.Remove(filepath.Dir(r.Dir)) // the subject's folder, if it is empty now
	return free, true
}

// freeName returns the path, with a number at its end if the path exists.
func freeName(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free // if it cannot be used, moving to it returns the error
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// makeWay moves the earlier results that the jobs replace out of folders that other jobs will use. This happens if
// the names of studies were exchanged, or moved on by one visit.
func (l *ledger) makeWay(jobs []pipeline.Job) {
	claims := map[string]report.Result{} // by folder
	for _, j := range jobs {
		claims[filepath.Clean(j.Dir)] = claim(j)
	}
	for _, j := range jobs {
		l.byStudy[j.Study.Hash] = slices.DeleteFunc(l.byStudy[j.Study.Hash], func(r report.Result) bool {
			newer, ok := claims[filepath.Clean(r.Dir)]
			if !ok || sameRows(r, newer) || !sameRows(r, claim(j)) {
				return false
			}
			if folder, ok := l.move(r, takenFolder); ok {
				l.away = append(l.away, movedAway{r, folder})
			}
			return true
		})
	}
}

// restore moves back the results that made way if their studies are not done because the run ended early. If its
// folder is in use now, a result gets a folder beside it. Call restore at the end of a run.
func (l *ledger) restore() {
	for _, m := range l.away {
		r := m.Result
		r.Dir = freeName(r.Dir)
		if r.Dir != m.Dir {
			r.Dir = freeName(m.Dir + "-" + r.Study)
		}
		err := os.MkdirAll(filepath.Dir(r.Dir), 0o777)
		if err == nil {
			err = report.MoveFolder(m.folder, r.Dir)
		}
		if err != nil {
			l.err = errors.Join(l.err, hint.Errorf("move the folder back, and rebuild the "+
				"tables: "+tablesCommand(l.out), "results: the earlier result of a study that is not done is in %s "+
				"and cannot be moved back to %s: %w", files.Below(l.out, m.folder), l.relative(r), err))
			continue
		}
		l.byStudy[r.Study] = append(l.byStudy[r.Study], r)
		removeEmpty(filepath.Dir(m.folder), l.out)
		if r.Dir != m.Dir {
			l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s is now in %s, under its earlier name, "+
				"because its study is not done", l.relative(m.Result), l.relative(r)))
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

// results returns the sound results, sorted by folder.
func (l *ledger) results() []report.Result {
	var sound []report.Result
	for _, results := range l.byStudy {
		sound = append(sound, l.judge(results).sound...)
	}
	return byFolder(sound)
}

// all returns all results that can be read, including copies and contradictions, sorted by folder.
func (l *ledger) all() []report.Result {
	var all []report.Result
	for _, results := range l.byStudy {
		all = append(all, results...)
	}
	return byFolder(all)
}

func byFolder(results []report.Result) []report.Result {
	slices.SortFunc(results, func(a, b report.Result) int { return strings.Compare(a.Dir, b.Dir) })
	return results
}

// contradictions returns the results that contradict each other, sorted by folder.
func (l *ledger) contradictions() []report.Failure {
	var conflicts []report.Failure
	for _, results := range l.byStudy {
		conflicts = append(conflicts, l.judge(results).conflicts...)
	}
	slices.SortFunc(conflicts, func(a, b report.Failure) int { return strings.Compare(a.Folder, b.Folder) })
	return conflicts
}

// shownMoves is the largest number of remarks on displaced results.
const shownMoves = 5

// remarks returns the remarks on displaced results and on copies.
func (l *ledger) remarks() []string {
	moved := slices.Clone(l.moved)
	for _, results := range l.byStudy {
		moved = append(moved, l.judge(results).copies...)
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
	for _, r := range l.results() {
		all[r.Study] = append(all[r.Study], intake.EarlierStudy{
			Subject: r.Subject, Visit: r.Visit, Side: r.Side, Folder: l.relative(r), Series: r.Series,
		})
	}
	return all
}
