package report

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"slices"
	"strings"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/printable"
)

//go:embed page
var pageSources embed.FS

var pageTemplate = template.Must(template.ParseFS(pageSources, "page/index.html"))

// pageScripts are the parts of the page's program, in the order in which they are joined.
var pageScripts = []string{"data.js", "select.js", "chart.js", "study.js", "table.js", "main.js"}

// pageHead is the content of index.html: totals, and the names of the files that hold the studies.
type pageHead struct {
	Version                         string
	Done, Failed, NotDone, Subjects int
	Warned, Flagged                 int // finished studies that have warnings, and quality flags
	Settings                        []settingsView
	Style                           string
	Scripts                         []string // the program and the rows, relative to the page
	Tables                          []string
	FailuresPage                    string // "" if all studies are done
	Colours                         string // of T2, from 0 to ScaleMS, separated by spaces
	ScaleMS, TickMS                 int
	Studies, StudiesOfDetails       int // rows in all files, and in a file of details
}

// settingsView is a set of settings and the number of studies that were mapped with it.
type settingsView struct {
	Text    string
	Studies int
}

// pageWriter writes index.html and the files in the folder page beside it. It keeps the results of one subject, the
// rows that are not yet written, and eight bytes per subject.
type pageWriter struct {
	dir      string
	files    pageFiles
	head     pageHead
	subject  []Result // of the current subject
	rows     rowPiece
	studies  int          // rows that have details
	details  []pageDetail // those that are not yet written
	indices  map[string]int
	subjects []uint64 // hashes
	err      error    // the first
}

// newPageWriter begins the page of the folder of results dir.
func newPageWriter(dir, version string) *pageWriter {
	return &pageWriter{
		dir: dir, files: newPageFiles(dir), indices: map[string]int{},
		head: pageHead{Version: printable.Line(version), ScaleMS: figure.ScaleMaxMS, TickMS: figure.ScaleTickMS,
			StudiesOfDetails: studiesOfDetails,
			Tables:           []string{compartmentsTable, studiesTable, qcTable}},
	}
}

// add adds a finished study. Studies of one subject follow each other. After an error it does nothing, and returns the
// error again.
func (p *pageWriter) add(r Result) error {
	if len(p.subject) > 0 && p.subject[0].Subject != r.Subject {
		p.addSubject()
	}
	r.Inputs, r.Parts, r.Profiles = nil, nil, nil // the page does not need them
	p.subject = append(p.subject, r)
	return p.err
}

// addSubject adds the studies of the current subject, whose baselines are now known.
func (p *pageWriter) addSubject() {
	if len(p.subject) == 0 {
		return
	}
	p.subjects = append(p.subjects, hashOf(p.subject[0].Subject))
	all, references := findBaselines(p.subject), findReferences(p.subject)
	for _, r := range p.subject {
		flags := all.flags(r)
		p.head.Done++
		if len(r.Warnings) > 0 {
			p.head.Warned++
		}
		if len(flags) > 0 {
			p.head.Flagged++
		}
		p.addSettings(describe(r.Protocol, r.Version))
		p.rows.addResult(r, p.dir, flags, references)
		p.details = append(p.details, newPageDetail(r, p.dir, flags, all))
		p.studies++
		if len(p.details) == studiesOfDetails {
			p.writeDetails()
		}
		if len(p.rows.Rows) == rowsOfPiece {
			p.writeRows()
		}
	}
	p.subject = p.subject[:0]
}

// addSettings counts a study under its settings, which are in the order of the first study of each.
func (p *pageWriter) addSettings(text string) {
	n, ok := p.indices[text]
	if !ok {
		n = len(p.head.Settings)
		p.indices[text] = n
		p.head.Settings = append(p.head.Settings, settingsView{Text: text})
	}
	p.head.Settings[n].Studies++
}

// finish adds the studies without a result, writes index.html, and removes the files of the previous page. If a file
// cannot be written, the previous page stays as it was.
func (p *pageWriter) finish(failures []Failure) error {
	p.addSubject()
	p.writeDetails()
	for _, f := range failures {
		if f.NotDone {
			p.head.NotDone++
		} else {
			p.head.Failed++
		}
		if f.Subject != "" {
			p.subjects = append(p.subjects, hashOf(f.Subject))
		}
		p.rows.addFailure(f)
		if len(p.rows.Rows) == rowsOfPiece {
			p.writeRows()
		}
	}
	p.writeRows()
	slices.Sort(p.subjects)
	p.head.Subjects = len(slices.Compact(p.subjects))
	p.head.Studies = p.head.Done + p.head.Failed + p.head.NotDone
	if len(failures) > 0 { // those that are not done are on it, too
		p.head.FailuresPage = failuresPage
	}
	p.writeIndex()
	return p.files.finish(p.err)
}

// writeRows writes the rows that are not yet written.
func (p *pageWriter) writeRows() {
	if len(p.rows.Rows) == 0 {
		return
	}
	name := p.writeScript(fmt.Sprintf("studies-%04d", len(p.head.Scripts)), "rows", p.rows.content())
	p.head.Scripts = append(p.head.Scripts, name)
	p.rows = rowPiece{}
}

// writeDetails writes the details that are not yet written, and names their file in the rows.
func (p *pageWriter) writeDetails() {
	if len(p.details) == 0 {
		return
	}
	number := (p.studies - 1) / studiesOfDetails
	name := p.writeScript(fmt.Sprintf("details-%05d", number), "details", p.details)
	p.rows.Details = append(p.rows.Details, name)
	p.details = p.details[:0]
}

// writeIndex writes the program, the style and index.html.
func (p *pageWriter) writeIndex() {
	program, style, err := pageProgram()
	p.note(err)
	p.head.Style = p.write("page", ".css", style)
	p.head.Scripts = append([]string{p.write("page", ".js", program)}, p.head.Scripts...)
	p.head.Colours = scaleColours()
	var b bytes.Buffer
	p.note(pageTemplate.Execute(&b, p.head))
	if p.err == nil {
		p.note(p.files.replaceIndex(b.Bytes()))
	}
}

// write writes a file of the page, unless there was an error, and returns its address relative to the page.
func (p *pageWriter) write(stem, extension string, content []byte) string {
	if p.err != nil {
		return ""
	}
	name, err := p.files.write(stem, extension, content)
	p.note(err)
	return PageFolder + "/" + name
}

// writeScript writes a file that calls a function of the page with data.
func (p *pageWriter) writeScript(stem, function string, data any) string {
	content, err := script(function, data)
	p.note(err)
	return p.write(stem, ".js", content)
}

// note keeps the first error.
func (p *pageWriter) note(err error) {
	if p.err == nil {
		p.err = err
	}
}

// pageProgram returns the program and the style of the page.
func pageProgram() (program, style []byte, err error) {
	parts := [][]byte{[]byte("(() => {\n\"use strict\";\n")}
	for _, name := range pageScripts {
		part, readErr := pageSources.ReadFile("page/" + name)
		parts, err = append(parts, part), errors.Join(err, readErr)
	}
	style, readErr := pageSources.ReadFile("page/page.css")
	return bytes.Join(append(parts, []byte("})();\n")), nil), style, errors.Join(err, readErr)
}

// scaleColours returns the colours of T2, from the lowest to the highest.
func scaleColours() string {
	var stops []string
	const steps = 8 // plasma is almost linear between eighths
	for n := range steps + 1 {
		c := figure.ScaleColour(float64(n) / steps)
		stops = append(stops, fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
	}
	return strings.Join(stops, " ")
}

// hashOf returns a hash of a subject, by which subjects are counted.
func hashOf(subject string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(subject)) // never fails
	return h.Sum64()
}
