package intake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/table"
)

// manifest is a table of studies, one per row. It may select some of those that are found.
type manifest struct {
	path    string // its name alone
	dir     string // its folder, absolute; relative folders are below it
	rows    []*manifestRow
	byPlace map[string]*manifestRow // by placeKey of their folder
	notes   []string                // how it was read, where that was not declared, and short rows
}

type manifestRow struct {
	line     int
	folder   string // absolute
	relative string // as it stands in the table, where that is relative
	pipeline.Identity
	claimed bool
	studies []studyPlace // those that the row names, see manifest.claim
}

// studyPlace is what a manifest keeps of a study; the headers of the study would take memory.
type studyPlace struct{ hash, folder string }

func placeOf(st dicomio.Study) studyPlace { return studyPlace{st.Hash, st.Folder} }

// ErrUnlisted says that a study is not in the manifest, and is to be passed over.
var ErrUnlisted = errors.New("not in the manifest")

// manifestColumns are all columns that a manifest may have.
var manifestColumns = []string{"folder", "subject", "visit", "side", "mask"}

// readManifest reads a CSV whose first row names the columns: folder (relative to
// the manifest's own folder, or absolute), subject and, optionally, visit, side
// and mask (relative to the study's folder). Parts of a path may be separated by backslashes.
//
// Errors are those of package table; a column that is not known; no rows; a row without folder or
// subject, or that ends before the column of visits; a folder in two rows; subjects or visits with names
// that are alike (see table.Names).
func readManifest(file string, format table.Format) (*manifest, error) {
	// messages omit the folders above it
	source := table.Source{Name: filepath.Base(file), Format: format, NoNumbers: true}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	if err := source.Load(f); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	t, err := table.Read(source)
	if err != nil {
		return nil, fmt.Errorf("manifest %w", err)
	}
	for _, name := range t.Columns {
		if name != "" && !slices.Contains(manifestColumns, name) {
			return nil, hint.Errorf(manifestHint, "manifest %s: column %.40q is not known", t.Name, name)
		}
	}
	needed := []string{"folder", "subject"}
	if t.Has("visit") {
		needed = append(needed, "visit") // a row that ends before it may lack any cell
	}
	if err := t.Need(needed...); err != nil {
		return nil, fmt.Errorf("manifest %w", err)
	}
	m := &manifest{path: t.Name, dir: files.Absolute(filepath.Dir(file)), byPlace: map[string]*manifestRow{},
		notes: t.Remarks()}
	if text := source.Remark(); text != "" {
		m.notes = append(m.notes, text)
	}
	return m, m.readRows(t)
}

// manifestHint says what a manifest looks like.
const manifestHint = "the first row names the columns: folder,subject,visit,side,mask"

// readRows takes the rows of the table.
func (m *manifest) readRows(t *table.Table) error {
	var subjects, visits table.Names
	for _, r := range t.Rows {
		row := &manifestRow{line: r.Line, Identity: pipeline.Identity{
			Subject: r.Text("subject"), Visit: r.Text("visit"), Side: sideLetter(r.Text("side")),
			Mask: fromSlashes(r.Text("mask")), SourceText: "manifest", Source: pipeline.FromManifest, Line: r.Line}}
		switch {
		case r.Text("folder") == "" || row.Subject == "":
			return hint.Errorf(manifestHint, "manifest %s: line %d has no folder or no subject", m.path, row.line)
		case row.Side != "" && row.Side != "L" && row.Side != "R":
			return hint.Errorf("leave the cell empty if the side is not known", "manifest %s: line %d: side %.20q is "+
				"not L, R, left or right", m.path, row.line, r.Text("side"))
		}
		for _, c := range []struct {
			names      *table.Names
			what, name string
		}{{&subjects, "subject", row.Subject}, {&visits, "visit", row.Visit}} {
			if other, alike := c.names.Add(c.name); alike {
				return hint.Errorf("write the name in one way", "manifest %s: line %d: %s %.40q differs from %.40q "+
					"above %s", m.path, row.line, c.what, c.name, other, table.Alike)
			}
		}
		if err := m.place(row, r.Text("folder")); err != nil {
			return err
		}
	}
	if len(m.rows) == 0 {
		return hint.Errorf("write a row for each study below the names of the columns",
			"manifest %s: the table has no rows", m.path)
	}
	return nil
}

// place puts the row into the index.
func (m *manifest) place(row *manifestRow, folder string) error {
	row.folder = fromSlashes(folder)
	if !filepath.IsAbs(row.folder) {
		row.relative = filepath.ToSlash(row.folder)
		row.folder = filepath.Join(m.dir, row.folder)
	}
	row.folder = filepath.Clean(row.folder)
	key := placeKey(row.folder)
	if other := m.byPlace[key]; other != nil {
		return hint.Errorf("write one row for each folder", "manifest %s: lines %d and %d name the same folder", m.path,
			other.line, row.line)
	}
	m.byPlace[key] = row
	m.rows = append(m.rows, row)
	return nil
}

// fromSlashes returns a path as this system writes it. Both slashes separate its parts: manifests
// are written on Windows and read elsewhere.
func fromSlashes(path string) string {
	return filepath.FromSlash(strings.ReplaceAll(path, `\`, "/"))
}

// placeKey is equal for paths of one folder, even if their letters are written with other code points (macOS
// decomposes names) or, on Windows, in another case.
func placeKey(path string) string {
	path = norm.NFC.String(path)
	if runtime.GOOS == "windows" {
		path = strings.ToLower(path)
	}
	return path
}

// sideLetter turns left and right, in capitals or not, into L and R; other texts stay.
func sideLetter(text string) string {
	switch s := strings.ToUpper(text); s {
	case "LEFT", "L":
		return "L"
	case "RIGHT", "R":
		return "R"
	}
	return text
}

// rowOf returns the row in whose folder the study lies, the deepest if there are several; nil if there
// is none.
func (m *manifest) rowOf(st dicomio.Study) *manifestRow {
	for dir := files.Absolute(st.Folder); ; {
		row := m.byPlace[placeKey(dir)]
		parent := filepath.Dir(dir)
		if row != nil || parent == dir {
			return row
		}
		dir = parent
	}
}

// claim gives each row the studies in its folder, before identify is called for any of them. Studies
// without a multi-echo series count only if no other study is in the folder.
func (m *manifest) claim(studies []dicomio.Study) {
	if m == nil {
		return
	}
	for _, multiEcho := range []bool{true, false} {
		added := map[*manifestRow][]studyPlace{}
		for _, st := range studies {
			row := m.rowOf(st)
			if row != nil && len(row.studies) == 0 && multiEcho == (len(st.Trains)+len(st.Suspects) > 0) {
				added[row] = append(added[row], placeOf(st))
			}
		}
		for row, claimed := range added {
			row.studies = claimed
		}
	}
}

// identify returns the identity that the study's row gives it; ErrUnlisted if no row names the study. A
// row whose folder holds several studies names none of them.
func (m *manifest) identify(st dicomio.Study) (pipeline.Identity, error) {
	row := m.rowOf(st)
	if row == nil {
		return pipeline.Identity{}, ErrUnlisted
	}
	row.claimed = true
	const advice = "write a row for each study, and give each study a folder of its own"
	switch {
	case len(row.studies) > 1:
		return pipeline.Identity{}, hint.Errorf(advice, "manifest %s: line %d: the folder holds %d studies (%s)",
			m.path, row.line, len(row.studies), m.list(row.studies))
	case len(row.studies) == 1 && row.studies[0].hash != st.Hash:
		return pipeline.Identity{}, hint.Errorf(advice, "manifest %s: line %d names another study in the same folder",
			m.path, row.line)
	}
	id := row.Identity
	if id.Mask != "" && !filepath.IsAbs(id.Mask) {
		id.Mask = filepath.Join(row.folder, id.Mask)
	}
	return id, nil
}

// list names the first of some studies by their folders, and by their hashes where these are the same.
func (m *manifest) list(studies []studyPlace) string {
	const shown = 3
	var names []string
	for _, st := range studies[:min(len(studies), shown)] {
		name := m.relative(st.folder)
		if slices.ContainsFunc(studies, func(other studyPlace) bool {
			return other != st &&
				other.folder == st.folder
		}) {
			name += " (" + st.hash + ")"
		}
		names = append(names, name)
	}
	if len(studies) > shown {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// relative returns a folder as a row would name it, from the manifest's own.
func (m *manifest) relative(folder string) string {
	rel, err := filepath.Rel(m.dir, files.Absolute(folder))
	if err != nil {
		return filepath.Base(folder) // on another volume
	}
	return filepath.ToSlash(rel)
}

// remarks says how the manifest was read and which studies it does not list.
func (m *manifest) remarks(unlisted []studyPlace) []string {
	var all []string
	if m == nil {
		return nil
	}
	for _, text := range m.notes {
		all = append(all, "manifest "+text)
	}
	if n := len(unlisted); n > 0 {
		all = append(all, fmt.Sprintf("%s passed over, because no row of %s names its folder or one above it: %s",
			printable.Counted(n, "study", "studies"), m.path, m.list(unlisted)))
	}
	return all
}

// unseen returns the rows whose studies were not found, and the number of rows that name folders outside the
// searched ones, where this run cannot find them. If no row was claimed, it returns all rows, because the
// wrong folder may have been searched.
func (m *manifest) unseen(roots []string) (rows []*manifestRow, outside int) {
	if m == nil {
		return nil, 0
	}
	// Capital and small letters do not count: a row that differs in them alone gets a hint.
	fold := func(path string) string { return strings.ToLower(files.Absolute(path)) }
	claimed := 0
	for _, r := range m.rows {
		searched := func(root string) bool {
			return files.Inside(fold(root), fold(r.folder)) || files.Inside(fold(r.folder), fold(root))
		}
		switch {
		case r.claimed:
			claimed++
		case slices.ContainsFunc(roots, searched):
			rows = append(rows, r)
		default:
			outside++
		}
	}
	if claimed == 0 {
		return m.rows, 0
	}
	return rows, outside
}

// elsewhere notes rows that name folders outside of the searched ones.
func (m *manifest) elsewhere(rows int) []string {
	if rows == 0 {
		return nil
	}
	return []string{fmt.Sprintf("manifest %s: %s outside of the searched folders", m.path, printable.Counted(rows,
		"row names a folder", "rows name folders"))}
}

// missing says that the row's folder holds no study. The hint names a study that the manifest does not
// list and whose folder differs only in case.
func (m *manifest) missing(r *manifestRow, unlisted []studyPlace) error {
	name, path := "", m.path
	if r.relative != "" {
		name = ", " + r.relative
	}
	advice := "check the folder: it is relative to the folder of the manifest, and must be inside a searched folder"
	for _, st := range unlisted {
		for dir := files.Absolute(st.folder); len(dir) >= len(r.folder); dir = filepath.Dir(dir) {
			if strings.EqualFold(placeKey(dir), placeKey(r.folder)) {
				advice = fmt.Sprintf("write the folder as it is, capital and small letters too: %s", m.relative(dir))
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return hint.Errorf(advice, "manifest %s: line %d: no MR study in the folder%s", path, r.line, name)
}
