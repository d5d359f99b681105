package dicomio

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// If an anonymiser replaces UIDs file by file, or series by series, each echo or each slice
// becomes a study. This file recognises that such studies are one visit, so that they fail
// together and for one reason.

// part is a study that may be part of a scattered study.
type part struct {
	uid    string
	images []*header // magnitudes
}

// joinScattered joins studies of one patient that together form one train. Those that
// contain its echoes lie in one folder, or each in a folder of its own within one, and none
// of them contains a train itself. Those that contain its slices lie in one folder. It
// returns the error of each joined study by its new UID, which consists of all UIDs. note
// takes notes of parts that may belong to studies outside of the groups.
func joinScattered(groups map[string][]*entry, note *scope) map[string]error {
	type visit struct{ folder, patient string }
	visits := map[visit][]part{}
	whole := map[visit][]part{} // that contain trains
	for uid, entries := range groups {
		p, folder, patient := partOf(uid, entries)
		if len(p.images) == 0 && !slices.ContainsFunc(entries, func(e *entry) bool { return e.isMRImage() }) {
			continue
		}
		parts, isWhole := visits, len(echoes(p.images)) >= minTrain || crowded(p.images)
		if isWhole {
			parts = whole
		}
		note.notePart(p, folder, patient, isWhole)
		parts[visit{folder, patient}] = append(parts[visit{folder, patient}], p)
	}
	problems := map[string]error{}
	for _, parts := range whole {
		for _, group := range sliced(parts) {
			problems[join(groups, group)] = severalStudies(group, "slices")
		}
	}
	above := map[visit][]part{} // studies in folders of their own may belong to the folder above
	for v, parts := range visits {
		if _, err := scattered(parts); err != nil {
			problems[join(groups, parts)] = err // everything else there belongs to the visit
			continue
		}
		parent := visit{filepath.Dir(v.folder), v.patient}
		above[parent] = append(above[parent], parts...)
	}
	for _, parts := range above {
		if group, err := scattered(parts); err != nil {
			problems[join(groups, group)] = err // other studies there may be another visit
		}
	}
	return problems
}

// partOf returns the magnitudes of a study, the deepest folder that contains them, and the
// patient.
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

// common returns the deepest folder that contains both.
func common(a, b string) string {
	for a != b {
		if len(a) < len(b) {
			a, b = b, a
		}
		parent := filepath.Dir(a)
		if parent == a {
			break
		}
		a = parent
	}
	return a
}

// scattered returns the parts that together form a train, and the error that says so: they
// have three echo times in one place and on one grid.
func scattered(parts []part) ([]part, error) {
	type grid struct {
		parts  []part
		images []*header
	}
	var grids []grid // with one kind each
	for _, p := range parts {
		if len(p.images) == 0 || !p.images[0].hasGrid() {
			continue
		}
		h := p.images[0]
		n := slices.IndexFunc(grids, func(g grid) bool {
			a := g.images[0]
			return a.rows == h.rows && a.columns == h.columns && sameAcquisition(a, h) && a.kind() == h.kind()
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
		if len(echoes(g.images)) < minTrain || !crowded(g.images) {
			continue
		}
		return g.parts, severalStudies(g.parts, "images")
	}
	return nil, nil
}

// severalStudies says that the parts, which are slices, echoes or images, are one train.
func severalStudies(parts []part, members string) error {
	var all []*header
	for _, p := range parts {
		all = append(all, p.images...)
	}
	return &TrainError{
		Problem: fmt.Sprintf("%s: %d different UIDs among the %s of one train with the echo times %s",
			attribute(tag.StudyInstanceUID), len(parts), members, listMS(echoTimes(all))),
		Topic: TopicAttributes,
		Hint:  oneUID,
	}
}

// sliced returns the sets of parts that together form a train, one slice each: they have
// one grid and the same echo times, different places, and one series or one frame of
// reference. If they only share the frame, two parts may be two scans of a slice.
func sliced(parts []part) [][]part {
	type train struct {
		parts  []part
		placed places
		repeat bool // whether two parts share a place and so are two scans
	}
	var trains []*train
	for _, p := range parts {
		h := p.images[0]
		if !h.hasGrid() || !inOnePlace(p.images) || len(echoes(p.images)) < minTrain {
			continue
		}
		n := slices.IndexFunc(trains, func(t *train) bool { return sameTrain(t.parts[0], p) })
		if n < 0 {
			if len(trains) == mostGrids {
				continue
			}
			trains, n = append(trains, &train{placed: places{}}), len(trains)
		}
		t := trains[n]
		t.repeat = t.repeat || len(t.placed.near(h)) > 0
		t.placed.add(h)
		t.parts = append(t.parts, p)
	}
	var out [][]part
	for _, t := range trains {
		enough := 3
		if t.parts[0].images[0].series == t.parts[len(t.parts)-1].images[0].series {
			enough = 2
		}
		if len(t.parts) >= enough && !t.repeat {
			out = append(out, t.parts)
		}
	}
	return out
}

// inOnePlace reports whether all images are of one slice.
func inOnePlace(images []*header) bool {
	return !slices.ContainsFunc(images, func(h *header) bool {
		return !samePlace(h, images[0]) ||
			!sameOrientation(h, images[0])
	})
}

// sameTrain reports whether two parts of one slice each may belong to one train.
func sameTrain(p, q part) bool {
	a, b := p.images[0], q.images[0]
	related := a.series == b.series || a.frame == b.frame && a.frame != ""
	return related && a.rows == b.rows && a.columns == b.columns && sameAcquisition(a, b) && a.kind() == b.kind() &&
		slices.EqualFunc(echoTimes(p.images), echoTimes(q.images),
			func(x, y float64) bool { return within(x, y, sameTE) })
}

// join merges the groups of the parts and returns the new UID.
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
