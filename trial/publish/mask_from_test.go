package publish

import (
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// Tables and page mark a value whose mask was carried from another visit.
func TestMaskFrom(t *testing.T) {
	a := usual.analysis()
	value := &a.Endpoints[0].Values[0][1]
	value.MaskFrom = "baseline"
	const text = "masks of visit 1 carried from baseline by registration"
	a.Flags = append(a.Flags, trial.Flag{Kind: trial.CarriedMask, Text: text})
	value.Flags = append(value.Flags, len(a.Flags)-1)
	a.Notes = append(a.Notes, "the masks of 1 of 72 visits with values were carried")
	files := written(t, t.TempDir(), a)
	for name, column := range map[string]string{"values.csv": "mask_from", "individuals.csv": "mask_from",
		"adbds.csv": "MASKFROM"} {
		rows := parsed(t, name, files[name])
		index, carried := slices.Index(rows[0], column), 0
		if index < 0 {
			t.Errorf("%s has no column %s", name, column)
			continue
		}
		for _, r := range rows[1:] {
			switch r[index] {
			case "baseline":
				carried++
				if line := strings.Join(r, ","); !strings.Contains(line, a.Design.Subjects[0].ID) ||
					!strings.Contains(line, a.Design.Visits[1].Name) {
					t.Errorf("%s: carried in %s", name, line)
				}
			case "":
			default:
				t.Errorf("%s: mask from %q", name, r[index])
			}
		}
		if carried != 1 {
			t.Errorf("%s: %d rows say that their mask was carried, want 1", name, carried)
		}
	}
	page := files["trial.html"]
	for _, want := range []string{text, "the masks of 1 of 72 visits with values were carried",
		"not drawn. Shown on every figure"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if !strings.Contains(files["trial.json"], `"mask_from": "baseline"`) ||
		!strings.Contains(files["flags.csv"], "carried mask") {
		t.Error("trial.json or flags.csv does not say it")
	}
}
