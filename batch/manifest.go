package batch

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
)

// manifest is a table of studies, one per row.
type manifest struct {
	path string // its name alone
	dir  string // its folder, absolute; relative folders are below it
	rows []manifestRow
}

type manifestRow struct {
	line   int
	folder string // absolute
	given  string // as it stands in the table, where that is relative
	Identity
	seen bool
}

// readManifest reads a CSV whose first row names the columns: folder (relative to
// the manifest's own folder, or absolute), subject, and where wanted visit, side
// and mask (relative to the study's folder).
func readManifest(file string) (*manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(&bomSkipper{r: f})
	r.TrimLeadingSpace = true
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", file, err)
	}
	const hint = "the first row names the columns: folder,subject,visit,side,mask"
	if len(records) == 0 {
		return nil, hinted(hint, "manifest %s is empty", file)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains([]string{"folder", "subject", "visit", "side", "mask"}, name) {
			return nil, hinted(hint, "manifest %s: column %q is not known", file, name)
		}
		if _, twice := column[name]; twice {
			return nil, fmt.Errorf("manifest %s: column %s is there twice", file, name)
		}
		column[name] = i
	}
	// Failures name the manifest, not the folders above it.
	m := &manifest{path: filepath.Base(file), dir: files.Absolute(filepath.Dir(file))}
	for i, record := range records[1:] {
		cell := func(name string) string {
			if at, ok := column[name]; ok {
				return strings.TrimSpace(record[at])
			}
			return ""
		}
		row := manifestRow{line: i + 2, folder: cell("folder"), Identity: Identity{
			Subject: cell("subject"), Visit: cell("visit"), Side: sideLetter(cell("side")), Mask: cell("mask"), From: "manifest"}}
		switch {
		case row.folder == "" || row.Subject == "":
			return nil, hinted(hint, "manifest %s: line %d has no folder or no subject", file, row.line)
		case row.Side != "" && row.Side != "L" && row.Side != "R":
			return nil, fmt.Errorf("manifest %s: line %d: side %.20q is not L, R, left or right", file, row.line, cell("side"))
		}
		row.folder = filepath.FromSlash(row.folder)
		if !filepath.IsAbs(row.folder) {
			row.given = filepath.ToSlash(row.folder)
			row.folder = filepath.Join(m.dir, row.folder)
		}
		row.folder = filepath.Clean(row.folder)
		m.rows = append(m.rows, row)
	}
	return m, nil
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
// are several.
func (m *manifest) identify(st dicomio.Study) (Identity, error) {
	var best *manifestRow
	for i := range m.rows {
		row := &m.rows[i]
		if !within(row.folder, st.Folder) {
			continue
		}
		if best != nil && best.folder == row.folder {
			return Identity{}, fmt.Errorf("manifest %s: lines %d and %d name the same folder", m.path, best.line, row.line)
		}
		if best == nil || len(row.folder) > len(best.folder) {
			best = row
		}
	}
	switch {
	case best == nil:
		return Identity{}, hinted("add a row for it, or leave its folder out of the run; `folder` is relative to the manifest's own folder",
			"folder %s is not in the manifest: no row of %s names %s or a folder above it", st.Name(), m.path, m.relative(st.Folder))
	case best.seen:
		return Identity{}, hinted("give each study a row and a folder of its own", "manifest %s: line %d already names another study in the same folder", m.path, best.line)
	}
	best.seen = true
	id := best.Identity
	if id.Mask != "" && !filepath.IsAbs(id.Mask) {
		id.Mask = filepath.Join(best.folder, filepath.FromSlash(id.Mask))
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

// unseen returns the rows that no study has claimed.
func (m *manifest) unseen() []manifestRow {
	if m == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.rows), func(r manifestRow) bool { return r.seen })
}

// missing says that the row's folder holds no study.
func (r manifestRow) missing(path string) error {
	name := ""
	if r.given != "" {
		name = ", " + r.given
	}
	return hinted("check the folder, which is relative to the manifest's own, and its place below the searched ones", "manifest %s: line %d: no MR study in its folder%s", path, r.line, name)
}

// within reports whether path is folder or lies below it.
func within(folder, path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(folder, abs)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// bomSkipper leaves out the byte order mark that spreadsheets put before UTF-8.
type bomSkipper struct {
	r       io.Reader
	started bool
}

func (b *bomSkipper) Read(p []byte) (int, error) {
	if b.started || len(p) < 3 {
		return b.r.Read(p)
	}
	b.started = true
	n, err := io.ReadFull(b.r, p[:3])
	if n == 3 && string(p[:3]) == "\ufeff" {
		return b.r.Read(p)
	}
	if err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}
