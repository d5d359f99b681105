package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/t2map/t2map/report/panel"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/publish"
)

// changeMaps returns, for every subject and later visit, the change of the unrolled femoral map from baseline, if both
// visits have one, and notes about maps that could not be compared.
func changeMaps(ctx context.Context, a trial.Analysis, folder string) (maps []publish.Map, notes []string, err error) {
	names := map[string]bool{}
	for s, subject := range a.Design.Subjects {
		baseline := panelVisit(a, [2]int{s, 0}, folder)
		for _, v := range t2Visits(a) {
			if v == 0 || baseline.Folder == "" {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			later := panelVisit(a, [2]int{s, v}, folder)
			if later.Folder == "" {
				continue
			}
			var b bytes.Buffer
			err := panel.WriteUnrolledChange(&b, later.Folder, baseline.Folder)
			if none := new(panel.NoUnrolledError); errors.As(err, &none) {
				continue // the panel gives the reason for the subjects that it shows
			}
			visit := a.Design.Visits[v].Name
			if err != nil {
				notes = append(notes, fmt.Sprintf("no map of the change for %s at %s: %v", subject.ID, visit, err))
				continue
			}
			maps = append(maps, publish.Map{Name: mapName(names, subject.ID, visit) + "-unrolled-change",
				NIfTI: b.Bytes()})
		}
	}
	return maps, notes, nil
}

// mapName returns a file name for a subject and a visit. Characters other than ASCII letters, digits and hyphens
// become underscores. A name that is already used gets a number.
func mapName(used map[string]bool, subject, visit string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}, subject+"-"+visit)
	const maxLength = 60 // publish allows 100 characters with the ending
	name = name[:min(len(name), maxLength)]
	free := name
	for n := 2; used[strings.ToLower(free)]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	used[strings.ToLower(free)] = true
	return free
}
