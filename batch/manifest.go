package batch

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
	"github.com/t2map/t2map/table"
)

// manifest is a table of studies, one per row. It may select some of those that are found.
type manifest struct {
	path    string // its name alone
	dir     string // its folder, absolute; relative folders are below it
	rows    []*manifestRow
	byPlace map[string]*manifestRow // by placeKey of their folder
	remark  string                  // how it was read, where that was not declared
}

type manifestRow struct {
	line   int
	folder string // absolute
	given  string // as it stands in the table, where that is relative
	Identity
	seen bool
}

// errUnlisted says that a study is not in the manifest, and is to be passed over.
var errUnlisted = errors.New("not in the manifest")

// manifestColumns are all columns that a manifest may have.
var manifestColumns = []string{"folder", "subject", "visit", "side", "mask"}

// readManifest reads a CSV whose first row names the columns: folder (relative to
// the manifest's own folder, or absolute), subject, and where wanted visit, side
// and mask (relative to the study's folder). Parts of a path may be separated by backslashes.
//
// Errors are those of package table; a column that is not known; a row without folder or subject;
// a folder in two rows; subjects or visits with names that are alike (see table.Keys).
func readManifest(file string, format table.Format) (*manifest, error) {
	source := table.Source{Name: filepath.Base(file), Format: format} // messages omit the folders above it
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
	const hint = "the first row names the columns: folder,subject,visit,side,mask"
	for _, name := range t.Columns {
		if name != "" && !slices.Contains(manifestColumns, name) {
			return nil, hinted(hint, "manifest %s: column %.40q is not known", t.Name, name)
		}
	}
	if err := t.Need("folder", "subject"); err != nil {
		return nil, hinted(hint, "manifest %w", err)
	}
	m := &manifest{path: t.Name, dir: files.Absolute(filepath.Dir(file)), byPlace: map[string]*manifestRow{}, remark: source.Remark()}
	var subjects, visits table.Names
	for _, r := range t.Rows {
		row := &manifestRow{line: r.Line, Identity: Identity{
			Subject: r.Text("subject"), Visit: r.Text("visit"), Side: sideLetter(r.Text("side")), Mask: fromSlashes(r.Text("mask")), From: "manifest", source: fromManifest}}
		switch {
		case r.Text("folder") == "" || row.Subject == "":
			return nil, hinted(hint, "manifest %s: line %d has no folder or no subject", m.path, row.line)
		case row.Side != "" && row.Side != "L" && row.Side != "R":
			return nil, hinted("leave the cell empty where the side is not known", "manifest %s: line %d: side %.20q is not L, R, left or right", m.path, row.line, r.Text("side"))
		}
		for _, c := range []struct {
			names      *table.Names
			what, name string
		}{{&subjects, "subject", row.Subject}, {&visits, "visit", row.Visit}} {
			if other, alike := c.names.Add(c.name); alike {
				return nil, hinted("write it in one way", "manifest %s: line %d: %s %.40q differs from %.40q above %s", m.path, row.line, c.what, c.name, other, table.Alike)
			}
		}
		if err := m.place(row, r.Text("folder")); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// place puts the row into the index.
func (m *manifest) place(row *manifestRow, folder string) error {
	row.folder = fromSlashes(folder)
	if !filepath.IsAbs(row.folder) {
		row.given = filepath.ToSlash(row.folder)
		row.folder = filepath.Join(m.dir, row.folder)
	}
	row.folder = filepath.Clean(row.folder)
	key := placeKey(row.folder)
	if other := m.byPlace[key]; other != nil {
		return hinted("give each study a row and a folder of its own", "manifest %s: lines %d and %d name the same folder", m.path, other.line, row.line)
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

// placeKey is equal for paths that name one folder, though their letters are other code points (macOS
// gives names decomposed) or, on Windows, of another case.
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

// identify returns the row in whose folder the study lies, the deepest if there
// are several; errUnlisted where there is none.
func (m *manifest) identify(st dicomio.Study) (Identity, error) {
	var best *manifestRow
	for dir := files.Absolute(st.Folder); best == nil; {
		best = m.byPlace[placeKey(dir)]
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	switch {
	case best == nil:
		return Identity{}, errUnlisted
	case best.seen:
		return Identity{}, hinted("give each study a row and a folder of its own", "manifest %s: line %d already names another study in the same folder", m.path, best.line)
	}
	best.seen = true
	id := best.Identity
	if id.Mask != "" && !filepath.IsAbs(id.Mask) {
		id.Mask = filepath.Join(best.folder, id.Mask)
	}
	return id, nil
}

// relative returns a folder as a row would name it, from the manifest's own.
func (m *manifest) relative(folder string) string {
	rel, err := filepath.Rel(m.dir, files.Absolute(folder))
	if err != nil {
		return filepath.Base(folder) // on another volume
	}
	return filepath.ToSlash(rel)
}

// remarks says how the manifest was read and how many studies it does not list.
func (m *manifest) remarks(unlisted []dicomio.Study) []string {
	var all []string
	if m == nil {
		return nil
	}
	if m.remark != "" {
		all = append(all, "manifest "+m.remark)
	}
	if n := len(unlisted); n > 0 {
		const shown = 3
		var names []string
		for _, st := range unlisted[:min(n, shown)] {
			names = append(names, m.relative(st.Folder))
		}
		if n > shown {
			names = append(names, "…")
		}
		all = append(all, fmt.Sprintf("passed over, as no row of %s names their folder or one above it: %s (%s)", m.path, numbered(n, "study", "studies"), strings.Join(names, ", ")))
	}
	return all
}

func numbered(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// unseen returns the rows that no study has claimed.
func (m *manifest) unseen() []*manifestRow {
	if m == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.rows), func(r *manifestRow) bool { return r.seen })
}

// missing says that the row's folder holds no study.
func (r manifestRow) missing(path string) error {
	name := ""
	if r.given != "" {
		name = ", " + r.given
	}
	return hinted("check the folder, which is relative to the manifest's own, and its place below the searched ones", "manifest %s: line %d: no MR study in its folder%s", path, r.line, name)
}
