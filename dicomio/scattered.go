package dicomio

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// An anonymiser that replaces UIDs file by file, or series by series, gives each echo a
// study of its own. Such studies are one visit, and have one reason to fail.

// part is a study that may be a part of one.
type part struct {
	uid    string
	images []*header // magnitudes
}

// joinScattered makes one study of those that hold the echoes of one train between them:
// they lie in one folder, or each in a folder of its own within one, are of one patient,
// and none of them holds a train itself. It returns why each of them is no study, by its
// new UID, which is all of theirs.
func joinScattered(groups map[string][]*entry) map[string]error {
	type visit struct{ folder, patient string }
	visits := map[visit][]part{}
	for uid, entries := range groups {
		p, folder, patient := partOf(uid, entries)
		if len(p.images) == 0 && !slices.ContainsFunc(entries, func(e *entry) bool { return e.isMRImage() }) {
			continue
		}
		if len(echoes(p.images)) >= minTrain || crowded(p.images) {
			continue
		}
		visits[visit{folder, patient}] = append(visits[visit{folder, patient}], p)
	}
	problems := map[string]error{}
	above := map[visit][]part{} // studies that lie in folders of their own may be of the one above
	for v, parts := range visits {
		if _, err := scattered(parts); err != nil {
			problems[join(groups, parts)] = err // whatever else lies there is of the visit
			continue
		}
		up := visit{filepath.Dir(v.folder), v.patient}
		above[up] = append(above[up], parts...)
	}
	for _, parts := range above {
		if of, err := scattered(parts); err != nil {
			problems[join(groups, of)] = err // others may be of another visit
		}
	}
	return problems
}

// partOf returns the magnitudes of a study, the deepest folder that holds them and whose
// they are.
func partOf(uid string, entries []*entry) (p part, folder, patient string) {
	p.uid = uid
	for _, e := range entries {
		if !e.isMRImage() {
			continue
		}
		if dir := filepath.Dir(e.path); folder == "" {
			folder = dir
		} else {
			folder = common(folder, dir)
		}
		patient = e.patientID
		p.images = append(p.images, e.images...)
	}
	p.images, _ = magnitudes(p.images)
	p.images = slices.DeleteFunc(p.images, func(h *header) bool { return h.asMap })
	return p, folder, patient
}

// common returns the deepest folder that holds both.
func common(a, b string) string {
	for a != b {
		if len(a) < len(b) {
			a, b = b, a
		}
		up := filepath.Dir(a)
		if up == a {
			break
		}
		a = up
	}
	return a
}

// scattered returns those of the parts that hold a train between them, and why they are not
// studies of their own: they have three echo times in one place and on one grid.
func scattered(parts []part) ([]part, error) {
	type grid struct {
		parts  []part
		images []*header
	}
	var grids []grid // of one kind each
	for _, p := range parts {
		if len(p.images) == 0 || !p.images[0].saysGrid() {
			continue
		}
		h := p.images[0]
		n := slices.IndexFunc(grids, func(g grid) bool {
			a := g.images[0]
			return a.rows == h.rows && a.columns == h.columns && a.kind() == h.kind() && sameAcquisition(a, h)
		})
		if n < 0 {
			if len(grids) == mostGrids {
				continue
			}
			grids, n = append(grids, grid{}), len(grids)
		}
		grids[n].parts = append(grids[n].parts, p)
		grids[n].images = append(grids[n].images, p.images...)
	}
	for _, g := range grids {
		te := echoTimes(g.images)
		if len(te) < minTrain || !crowded(g.images) {
			continue
		}
		return g.parts, &TrainError{
			Problem: fmt.Sprintf("%s: %d different ones among the images of one train with the echo times %s", attribute(tag.StudyInstanceUID), len(g.parts), listMS(te)),
			Hint:    oneUID,
		}
	}
	return nil, nil
}

// join makes one group of those of the parts and returns its UID.
func join(groups map[string][]*entry, parts []part) string {
	uids := map[string]bool{}
	for _, p := range parts {
		uids[p.uid] = true
	}
	sorted := slices.Sorted(maps.Keys(uids))
	var all []*entry
	for _, uid := range sorted {
		all = append(all, groups[uid]...)
		delete(groups, uid)
	}
	slices.SortFunc(all, func(a, b *entry) int { return strings.Compare(a.path, b.path) })
	uid := strings.Join(sorted, `\`)
	groups[uid] = all
	return uid
}
