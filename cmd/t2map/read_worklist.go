package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/table"
)

// tasks say who reads what.
type tasks struct {
	file string
	rows []task
	set  map[task]bool // the rows without their places
}

// task is a row: a reader, and a subject with one visit, or with all of them if visit is "".
type task struct {
	reader, subject, visit string
	place                  string // of the row, for messages
}

// readTasks reads a table with the columns subject, visit and reader.
func readTasks(path string) (*tasks, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := table.Read(table.Source{Name: filepath.Base(path), Data: text, NoNumbers: true})
	if err == nil {
		err = t.Need("subject", "reader")
	}
	if err != nil {
		return nil, err
	}
	out := &tasks{file: filepath.Base(path), set: map[task]bool{}}
	for _, row := range t.Rows {
		one := task{reader: row.Text("reader"), subject: row.Text("subject"), visit: row.Text("visit")}
		if err := reads.CheckReader(one.reader); err != nil {
			return nil, fmt.Errorf("%s: %w", row.Place("reader"), err)
		}
		out.set[one] = true
		one.place = row.Place("subject")
		out.rows = append(out.rows, one)
	}
	return out, nil
}

// assigned reports whether a reader reads a study.
func (t *tasks) assigned(reader string, st batch.ListedStudy) bool {
	return t.set[task{reader: reader, subject: st.Subject, visit: st.Visit}] || t.set[task{reader: reader, subject: st.Subject}]
}

// mostNamed is the largest number of rows that are named: a table of a whole trial may be used for a part of its studies.
const mostNamed = 20

// report prints the rows that match no study, or only their number if the reads are blinded, and the readers who have no
// study.
func (t *tasks) report(w io.Writer, studies []batch.ListedStudy, readers []string, blind bool) {
	known := map[task]bool{}
	for _, st := range studies {
		known[task{subject: st.Subject}], known[task{subject: st.Subject, visit: st.Visit}] = true, true
	}
	var unknown []task
	for _, one := range t.rows {
		if !known[task{subject: one.subject, visit: one.visit}] {
			unknown = append(unknown, one)
		}
	}
	for _, one := range unknown[:min(len(unknown), mostNamed)] {
		switch {
		case blind:
		case one.visit == "":
			fmt.Fprintf(w, "%s: there is no study of %s\n", one.place, printable.Quoted(printable.Short(one.subject)))
		default:
			fmt.Fprintf(w, "%s: there is no study of %s, visit %s\n", one.place, printable.Quoted(printable.Short(one.subject)),
				printable.Quoted(printable.Short(one.visit)))
		}
	}
	if n := len(unknown); n > 0 && (blind || n > mostNamed) {
		fmt.Fprintf(w, "%s: %s no study\n", t.file, printable.Counted(n, "row matches", "rows match"))
	}
	for _, reader := range readers {
		if !t.hasAny(reader, studies) {
			fmt.Fprintf(w, "%s: reader %s has no study\n", t.file, reader)
		}
	}
}

func (t *tasks) hasAny(reader string, studies []batch.ListedStudy) bool {
	for _, st := range studies {
		if t.assigned(reader, st) {
			return true
		}
	}
	return false
}

// readersAmong returns the codes of the readers who may use the server.
func readersAmong(o gate.Options) (codes []string) {
	users := []gate.User{o.User}
	if o.Accounts != nil {
		users = o.Accounts.Users()
	}
	for _, u := range users {
		if u.Role == gate.Reader {
			codes = append(codes, u.Code)
		}
	}
	return codes
}
