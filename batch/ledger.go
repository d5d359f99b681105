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

// ledger holds the results of earlier runs that stand in an output folder. A run takes
// from it what its own results and failures displace, so that a study has one result at
// most in the tables.
type ledger struct {
	out string

	// listed are the studies that studies.csv listed without a result.
	listed []report.Failure
	// names says who the studies were, also those whose results were displaced since.
	names intake.Earlier

	mu      sync.Mutex
	byStudy map[string][]report.Result // all that can be read
	broken  []report.Failure           // results that cannot be read
	moved   []string                   // what became of displaced results, for people
	away    []movedAway                // results that made way and are not replaced yet
	err     error                      // displaced results that are still where they were
}

// movedAway is a result whose folder another study takes.
type movedAway struct {
	report.Result        // as it was
	folder        string // where its folder is now
}

// asideFolder holds, below the output folder, results that were displaced. Tables never read it.
const asideFolder = "set-aside"

// readLedger reads the result.json of every study below the output folder, and the failures that
// studies.csv lists. It is an error if that table is there and cannot be read, because a new one
// would not list them.
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

// unreadable lists a result that cannot be read. What can be known of the study is where it lies.
func unreadable(folder string) report.Failure {
	f := report.Failure{Folder: folder, Reason: "results: the folder cannot be read, so the study is not in the tables",
		Hint: "map the study again, or remove the folder"}
	parts := strings.Split(folder, "/")
	if len(parts) == 2 { // SUBJECT/VISIT, as place has it
		f.Subject, f.Visit = parts[0], parts[1]
		f.Reason = "results: " + report.ResultFile + " cannot be read, so the study is not in the tables; its " +
			"subject and visit are those of the folder, the rest is not known"
	}
	return f
}

// verdict is what results of one study are worth beside each other.
type verdict struct {
	sound   []report.Result
	copies  []string         // which are copies of others, for people
	against []report.Failure // those that contradict others
}

// judge tells sound results of one study from copies, which count once, and from those that claim
// the same rows of the tables: which of them is right is not known.
func (l *ledger) judge(results []report.Result) verdict {
	var v verdict
	claimed := make([]bool, len(results))
	for i, r := range results {
		for k, other := range results[:i] {
			if !sameRows(r, other) {
				continue
			}
			if equal(r, other) {
				claimed[i] = true // the other one stays
				v.copies = append(v.copies, fmt.Sprintf("%s is a copy of the result in %s", l.below(r), l.below(other)))
				break
			}
			v.against = append(v.against, report.Failure{Subject: r.Subject, Visit: r.Visit, Study: r.Study,
				Series: r.Series, Side: r.Side, Folder: l.below(r),
				Reason: fmt.Sprintf("results: this folder and %s hold different results of the same study, so neither "+
					"is in the tables", l.below(other)),
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

// equal reports whether two results say the same.
func equal(r, other report.Result) bool {
	a, errA := json.Marshal(r)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func (l *ledger) below(r report.Result) string { return files.Below(l.out, r.Dir) }

// sameRows reports whether two results are of the same knee of the same study, which has
// one row for each compartment.
func sameRows(a, b report.Result) bool { return kneeOf(a).Same(kneeOf(b)) }

func kneeOf(r report.Result) intake.Knee {
	return intake.Knee{Study: r.Study, Series: r.Series, Side: r.Side}
}

func kneeThatFailed(f report.Failure) intake.Knee {
	return intake.Knee{Study: f.Study, Series: f.Series, Side: f.Side}
}

// standing reports whether the tables hold a result of the claim's knee.
func (l *ledger) standing(claim report.Result) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.judge(l.byStudy[claim.Study]).sound, func(r report.Result) bool {
		return sameRows(r,
			claim)
	})
}

// settle says what became of a study's earlier results now that the study has a new
// result, or has failed: then now has no Dir. They are taken from the ledger and their
// folders are moved away, except that of the new result, which has replaced what stood in it.
func (l *ledger) settle(now report.Result) {
	if now.Study == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = slices.DeleteFunc(l.away, func(m movedAway) bool {
		replaced := sameRows(m.Result, now)
		if replaced {
			l.remark(m.Result, m.folder, "its folder is another study's now")
		}
		return replaced
	})
	var stay []report.Result
	for _, r := range l.byStudy[now.Study] {
		switch {
		case now.Dir != "" && samePath(r.Dir, now.Dir):
		case !sameRows(r, now):
			stay = append(stay, r)
		default:
			why := "its study failed now"
			if now.Dir != "" {
				why = "the study is now in " + l.below(now)
			}
			l.setAside(r, why)
		}
	}
	l.byStudy[now.Study] = stay
}

// samePath compares two paths of one run.
func samePath(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// setAside moves the folder of a result to where no table reads it.
func (l *ledger) setAside(r report.Result, why string) {
	if folder, ok := l.move(r, why); ok {
		l.remark(r, folder, why)
	}
}

// remark says where the folder of a result was moved.
func (l *ledger) remark(r report.Result, folder, why string) {
	l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s was moved to %s: %s", l.below(r), files.Below(l.out,
		folder), why))
}

// move moves the folder of a result to a free name where no table reads it, and notes if that fails.
func (l *ledger) move(r report.Result, why string) (folder string, ok bool) {
	free := freeName(filepath.Join(l.out, asideFolder, filepath.FromSlash(l.below(r))+"-"+folderName(r.Series)))
	err := os.MkdirAll(filepath.Dir(free), 0o777)
	if err == nil {
		err = report.MoveFolder(r.Dir, free)
	}
	if err != nil {
		l.err = errors.Join(l.err, hint.Errorf("close what is open in the folder, and remove it or run again",
			"results: the earlier result in %s is displaced (%s) and cannot be moved away: %w", l.below(r), why, err))
		return "", false
	}
	_ = os.Remove(filepath.Dir(r.Dir)) // the subject's folder, if it is empty now
	return free, true
}

// freeName returns the path, with a number after it if something is there.
func freeName(path string) string {
	free := path
	for n := 2; ; n++ {
		if _, err := os.Lstat(free); err != nil {
			return free // or moving there says what is wrong
		}
		free = fmt.Sprintf("%s-%d", path, n)
	}
}

// makeWay moves earlier results that the jobs replace out of folders that other jobs take, as
// names do that were exchanged or moved along by a visit.
func (l *ledger) makeWay(jobs []pipeline.Job) {
	taken := map[string]report.Result{}
	for _, j := range jobs {
		taken[filepath.Clean(j.Dir)] = claim(j)
	}
	for _, j := range jobs {
		l.byStudy[j.Study.Hash] = slices.DeleteFunc(l.byStudy[j.Study.Hash], func(r report.Result) bool {
			taker, ok := taken[filepath.Clean(r.Dir)]
			if !ok || sameRows(r, taker) || !sameRows(r, claim(j)) {
				return false
			}
			if folder, ok := l.move(r, "its folder is another study's now"); ok {
				l.away = append(l.away, movedAway{r, folder})
			}
			return true
		})
	}
}

// restore puts back the results that made way and whose studies were not done, because the run ended
// before: into their folders or, if those are taken now, beside them. It is to be called at the end of a run.
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
			l.err = errors.Join(l.err, hint.Errorf("move the folder back, and write the tables "+
				"again: "+tablesCommand(l.out), "results: the earlier result of a study that is not done is in %s "+
				"and cannot be moved back to %s: %w", files.Below(l.out, m.folder), l.below(r), err))
			continue
		}
		l.byStudy[r.Study] = append(l.byStudy[r.Study], r)
		removeEmpty(filepath.Dir(m.folder), l.out)
		if r.Dir != m.Dir {
			l.moved = append(l.moved, fmt.Sprintf("the earlier result in %s is now in %s, under its earlier name, "+
				"because its study is not done", l.below(m.Result), l.below(r)))
		}
	}
	l.away = nil
}

// removeEmpty removes the folder, and those above it and below top, if they are empty.
func removeEmpty(folder, top string) {
	for ; folder != top && files.Inside(top, folder); folder = filepath.Dir(folder) {
		if os.Remove(folder) != nil {
			return
		}
	}
}

// results returns what is left and belongs in the tables, by folder.
func (l *ledger) results() []report.Result {
	var sound []report.Result
	for _, results := range l.byStudy {
		sound = append(sound, l.judge(results).sound...)
	}
	return byFolder(sound)
}

// all returns what is left, also copies and contradictions, by folder.
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

// contradictions returns the results that are left and contradict each other, by folder.
func (l *ledger) contradictions() []report.Failure {
	var against []report.Failure
	for _, results := range l.byStudy {
		against = append(against, l.judge(results).against...)
	}
	slices.SortFunc(against, func(a, b report.Failure) int { return strings.Compare(a.Folder, b.Folder) })
	return against
}

// shownMoves is how many lines on displaced results are worth reading.
const shownMoves = 5

// remarks says what became of displaced results, and which are copies.
func (l *ledger) remarks() []string {
	moved := slices.Clone(l.moved)
	for _, results := range l.byStudy {
		moved = append(moved, l.judge(results).copies...)
	}
	slices.Sort(moved) // studies end in any order
	if n := len(moved); n > shownMoves {
		return append(moved[:shownMoves], fmt.Sprintf("and so on: %d earlier results in all", n))
	}
	return moved
}

// identities returns the studies whose results are in the output folder.
func (l *ledger) identities() intake.Earlier {
	all := intake.Earlier{}
	for _, r := range l.results() {
		all[r.Study] = append(all[r.Study], intake.EarlierStudy{
			Subject: r.Subject, Visit: r.Visit, Side: r.Side, Folder: l.below(r), Series: r.Series,
		})
	}
	return all
}
