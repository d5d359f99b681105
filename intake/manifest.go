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
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/table"
)

// manifest is a table of studies, one per row. Studies without a row are ignored.
type manifest struct {
	path    string // the name of the file
	dir     string // its folder, absolute; relative folders are below it
	rows    []*manifestRow
	byPlace map[string]*manifestRow // by placeKey of their folder
	notes   []string                // undeclared properties of the file, and short rows
}

type manifestRow struct {
	line     int
	folder   string // absolute
	relative string // the folder in the table, if that is relative
	pipeline.Identity
	claimed bool
	studies []studyPlace // in the folder, see manifest.claim
}

// studyPlace identifies a study. A manifest does not keep the headers of studies, to save memory.
type studyPlace struct{ hash, folder string }

func placeOf(st dicomio.Place) studyPlace { return studyPlace{st.Hash, st.Folder} }

// ErrUnlisted says that a study is not in the manifest and must be ignored.
var ErrUnlisted = errors.New("not in the manifest")

// manifestColumns are all columns that a manifest may have.
var manifestColumns = []string{"folder", "subject", "visit", "side", "mask"}

// readManifest reads a CSV whose first row names the columns: folder (relative to the manifest's own folder, or
// absolute), subject and, optionally, visit, side and mask (relative to the study's folder). Parts of a path may be
// separated by backslashes.
//
// These are errors: the errors of package table; an unknown column; a table without rows; a row without folder or
// subject, or that ends before the column of visits; a folder in two rows; subjects or visits with names that are
// alike (see table.Names).
func readManifest(file string, format table.Format) (*manifest, error) {
	// Messages omit the folders above the file.
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

// manifestHint describes the form of a manifest.
const manifestHint = "the first row names the columns: folder,subject,visit,side,mask"

// readRows adds the rows of the table.
func (m *manifest) readRows(t *table.Table) error {
	var subjects, visits table.Names
	for _, r := range t.Rows {
		row := &manifestRow{line: r.Line, Identity: pipeline.Identity{
			Subject: r.Text("subject"), Visit: r.Text("visit"), Side: sideLetter(r.Text("side")),
			Mask: pathOf(r.Text("mask")), SourceText: "manifest", Source: pipeline.FromManifest, Line: r.Line}}
		switch {
		case r.Text("folder") == "" || row.Subject == "":
			return hint.Errorf(manifestHint, "manifest %s: line %d has no folder or no subject", m.path, row.line)
		case row.Side != "" && row.Side != "L" && row.Side != "R":
			return hint.Errorf("leave the cell empty if the side is not known", "manifest %s: line %d: side %.20q is "+
				"not L, R, left or right", m.path, row.line, r.Text("side"))
		}
		for _, c := range []struct {
			names       *table.Names
			field, name string
		}{{&subjects, "subject", row.Subject}, {&visits, "visit", row.Visit}} {
			if other, alike := c.names.Add(c.name); alike {
				return hint.Errorf("spell the name identically in all rows", "manifest %s: line %d: %s %.40q differs "+
					"from %.40q above %s", m.path, row.line, c.field, c.name, other, table.Alike)
			}
		}
		if err := m.place(row, r.Text("folder")); err != nil {
			return err
		}
	}
	if len(m.rows) == 0 {
		return hint.Errorf("write a row for each study below the row of column names",
			"manifest %s: the table has no rows", m.path)
	}
	return nil
}

// place adds the row to the index of folders.
func (m *manifest) place(row *manifestRow, folder string) error {
	row.folder = pathOf(folder)
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

// fromSlashes returns a path with the separators of this system. Slashes and backslashes both separate its parts,
// because a manifest may be written on Windows and read on another system.
func fromSlashes(path string) string {
	return filepath.FromSlash(strings.ReplaceAll(path, `\`, "/"))
}

// pathOf returns the path in a cell: fromSlashes, or the absolute path of a place in a bucket.
func pathOf(cell string) string {
	if files.InBucket(cell) {
		return files.Absolute(cell)
	}
	return fromSlashes(cell)
}

// placeKey is equal for all paths of one folder: their Unicode form may differ, because macOS decomposes names, and
// on Windows their case.
func placeKey(path string) string {
	path = norm.NFC.String(path)
	if runtime.GOOS == "windows" {
		path = strings.ToLower(path)
	}
	return path
}

// sideLetter turns left and right, regardless of case, into L and R. It returns other texts unchanged.
func sideLetter(text string) string {
	switch s := strings.ToUpper(text); s {
	case "LEFT", "L":
		return "L"
	case "RIGHT", "R":
		return "R"
	}
	return text
}

// rowOf returns the row with the deepest folder that holds the study; nil if there is none.
func (m *manifest) rowOf(st dicomio.Place) *manifestRow {
	for dir := files.Absolute(st.Folder); ; {
		row := m.byPlace[placeKey(dir)]
		parent := filepath.Dir(dir)
		if row != nil || parent == dir {
			return row
		}
		dir = parent
	}
}

// claim assigns the studies of a cohort to the rows of their folders. Without it, identify does not know that several
// studies share a row. Studies without a multi-echo series count only if the folder holds no other study.
func (m *manifest) claim(studies []Notice) {
	if m == nil {
		return
	}
	for _, row := range m.rows {
		row.studies = nil
	}
	for _, multiEcho := range []bool{true, false} {
		added := map[*manifestRow][]studyPlace{}
		for _, st := range studies {
			row := m.rowOf(st.Place)
			if row != nil && len(row.studies) == 0 && multiEcho == st.MultiEcho {
				added[row] = append(added[row], placeOf(st.Place))
			}
		}
		for row, claimed := range added {
			row.studies = claimed
		}
	}
}

// identify returns the identity in the study's row; ErrUnlisted if the study has no row. A row whose folder holds
// several studies is an error for all of them.
func (m *manifest) identify(st dicomio.Place) (pipeline.Identity, error) {
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

// list names the first studies by their folders. Studies in the same folder are also named by their hashes.
func (m *manifest) list(studies []studyPlace) string {
	const shown = 3
	var names []string
	for _, st := range studies[:min(len(studies), shown)] {
		name := m.relative(st.folder)
		sameFolder := func(other studyPlace) bool { return other != st && other.folder == st.folder }
		if slices.ContainsFunc(studies, sameFolder) {
			name += " (" + st.hash + ")"
		}
		names = append(names, name)
	}
	if len(studies) > shown {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// relative returns a folder relative to the manifest's own, as in a row.
func (m *manifest) relative(folder string) string {
	if files.InBucket(folder) {
		return files.Shown(files.Absolute(folder))
	}
	rel, err := filepath.Rel(m.dir, files.Absolute(folder))
	if err != nil {
		return filepath.Base(folder) // on another volume
	}
	return filepath.ToSlash(rel)
}

// remarks describes how the manifest was read and the studies that it does not list.
func (m *manifest) remarks(unlisted []studyPlace) []string {
	var all []string
	if m == nil {
		return nil
	}
	for _, text := range m.notes {
		all = append(all, "manifest "+text)
	}
	if n := len(unlisted); n > 0 {
		all = append(all, fmt.Sprintf("%s ignored, because no row of %s names its folder or one above it: %s",
			printable.Counted(n, "study", "studies"), m.path, m.list(unlisted)))
	}
	return all
}

// unseen returns the rows whose studies were not found, and the number of rows that name folders outside the searched
// ones, where this run cannot find studies. If no row has a study, it returns all rows, because the wrong folder may
// have been searched.
func (m *manifest) unseen(roots []string) (rows []*manifestRow, outside int) {
	if m == nil {
		return nil, 0
	}
	// Case is ignored here, so that a row whose folder differs only in case is returned; missing adds a hint.
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

// elsewhere remarks on rows that name folders outside the searched ones.
func (m *manifest) elsewhere(rows int) []string {
	if rows == 0 {
		return nil
	}
	return []string{fmt.Sprintf("manifest %s: %s outside of the searched folders", m.path,
		printable.Counted(rows, "row names a folder", "rows name folders"))}
}

// foldedKey is placeKey regardless of case.
func foldedKey(path string) string { return strings.ToLower(placeKey(path)) }

// foldersOf returns the folders of studies, and those above them, by foldedKey.
func foldersOf(studies []studyPlace) map[string]string {
	all := map[string]string{}
	for _, st := range studies {
		for dir := files.Absolute(st.folder); ; dir = filepath.Dir(dir) {
			key := foldedKey(dir)
			if all[key] != "" {
				break // those above it are there, too
			}
			if all[key] = dir; dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return all
}

// missing says that the row's folder holds no study. The hint names the folder of an unlisted study if it differs
// only in case. unlisted is made by foldersOf.
func (m *manifest) missing(r *manifestRow, unlisted map[string]string) error {
	name, path := "", m.path
	if r.relative != "" {
		name = ", " + r.relative
	}
	advice := "check the folder: it is relative to the folder of the manifest, and must be inside a searched folder"
	if dir := unlisted[foldedKey(r.folder)]; dir != "" {
		advice = fmt.Sprintf("write the folder in the right case: %s", m.relative(dir))
	}
	return pipeline.Because(report.ReasonNoStudy,
		hint.Errorf(advice, "manifest %s: line %d: no MR study in the folder%s", path, r.line, name))
}
