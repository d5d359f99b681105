package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/printable"
)

// failuresPage is the page of the studies without a result. It exists if there are any.
const failuresPage = "failures.html"

//go:embed failures.html
var failuresText string

var failuresTemplate = template.Must(template.New(failuresPage).Parse(failuresText))

// shownRows is the largest number of studies of a group that are shown without unfolding.
const shownRows = 20

// failuresView is the content of failures.html.
type failuresView struct {
	Version, Summary string
	Kinds            []kindView
}

// kindView holds the failures of one Reason.
type kindView struct {
	Code           Reason
	Title, Request string
	Count          int
	Studies        string // the count, in words
	Groups         []*reasonView
}

// reasonView holds the failures that share a reason and a hint.
type reasonView struct {
	Reason, Hint, Studies string
	Rows                  []failedRow
	Long                  bool // has more than shownRows
}

// failedRow is a study.
type failedRow struct{ Subject, Visit, Folder string }

// writeFailures writes failures.html, or removes it if there are no failures.
func writeFailures(dir, version string, failures []Failure) error {
	path := filepath.Join(dir, failuresPage)
	if len(failures) == 0 {
		err := outfile.Patiently(func() error { return os.Remove(path) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: not removed: %w", failuresPage, outfile.Bare(err))
		}
		return nil
	}
	var b bytes.Buffer
	if err := failuresTemplate.Execute(&b, newFailuresView(version, failures)); err != nil {
		return err
	}
	return outfile.Replace(path, b.Bytes())
}

// newFailuresView groups failures, which are in the order of tables.
func newFailuresView(version string, failures []Failure) failuresView {
	v := failuresView{Version: printable.Line(version)}
	kinds := map[Reason]*kindView{}
	groups := map[[3]string]*reasonView{}
	notDone := 0
	for _, f := range failures {
		if f.NotDone {
			notDone++
		}
		code := f.Code.known()
		if kinds[code] == nil {
			kinds[code] = &kindView{Code: code}
		}
		kind := kinds[code]
		kind.Count++
		key := [3]string{string(code), f.SharedReason(), f.Hint}
		group := groups[key]
		if group == nil {
			group = &reasonView{Reason: printable.Line(f.Reason), Hint: printable.Line(f.Hint)}
			groups[key] = group
			kind.Groups = append(kind.Groups, group)
		} else {
			group.Reason = printable.Line(key[1])
		}
		group.Rows = append(group.Rows, f.row())
	}
	for _, t := range reasonTexts {
		kind := kinds[t.reason]
		if kind == nil {
			continue
		}
		kind.Title, kind.Request, kind.Studies = t.title, t.request, countedFailures(kind.Count)
		for _, g := range kind.Groups {
			g.Studies, g.Long = countedFailures(len(g.Rows)), len(g.Rows) > shownRows
		}
		v.Kinds = append(v.Kinds, *kind)
	}
	v.Summary = countedFailures(len(failures)-notDone) + " failed"
	if notDone > 0 {
		v.Summary += fmt.Sprintf(", %d not done", notDone)
	}
	return v
}

func countedFailures(n int) string { return printable.Counted(n, "study", "studies") }

// row returns the cells of a failure. Studies in one folder have their hashes, too.
func (f Failure) row() failedRow {
	row := failedRow{printable.Line(f.Subject), printable.Line(f.Visit), printable.Line(f.Folder)}
	if f.SharedFolder && f.Study != "" {
		row.Folder += " (study " + shortHash(f.Study) + ")"
	}
	return row
}
