package trial

import (
	"slices"
	"strings"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/table"
)

// all is the region or layer of a row that covers all of them.
const all = "all"

// rowName returns the name of a row of compartments.csv, such as medial, medial deep, medial-tibial or
// medial-tibial deep: its region or, for all regions, its compartment; and its layer unless that is all.
func rowName(r table.Row) string {
	name := r.Text("compartment")
	if region := r.Text("region"); region != "" && region != all && name != "" {
		name = region
	}
	if layer := r.Text("layer"); layer != "" && layer != all && name != "" {
		name += " " + layer
	}
	return name
}

// whole reports whether the row is about a whole compartment.
func whole(r table.Row) bool {
	region, layer := r.Text("region"), r.Text("layer")
	return (region == "" || region == all) && (layer == "" || layer == all)
}

// wantedRows returns the names of the rows to analyse: those of the plan or, without them, the whole
// compartments. It is an error if a name is not in the table.
func wantedRows(t *table.Table, p Plan) (map[string]bool, error) {
	present := map[string]bool{}
	var names []string // in the order of the table
	wanted := map[string]bool{}
	for _, r := range t.Rows {
		name := rowName(r)
		if !present[name] {
			present[name] = true
			names = append(names, name)
		}
		if whole(r) {
			wanted[name] = true
		}
	}
	if len(p.Rows) == 0 {
		compartments := slices.DeleteFunc(slices.Clone(names),
			func(name string) bool { return !wanted[name] || isMeniscus(name) })
		for _, name := range names {
			if isMeniscus(name) && len(compartments) > 0 {
				delete(wanted, name)
			}
		}
		return wanted, nil
	}
	clear(wanted)
	for _, name := range p.Rows {
		if !present[name] {
			place := ""
			for _, m := range p.Mentions {
				if m.Key == rowsKey && m.Endpoint == name {
					place = m.Place + ": "
				}
			}
			return nil, hint.Errorf(hint.Nearest(name, names), "%s%s has no row %.60q", place, t.Name, name)
		}
		wanted[name] = true
	}
	return wanted, nil
}

// isMeniscus reports whether a row is about a meniscus, which is not cartilage.
func isMeniscus(name string) bool { return strings.HasSuffix(name, "-meniscus") }

// order sorts the compartments in the order of the named rows.
func (res *Results) order(rows []string) {
	if len(rows) > 0 {
		slices.SortStableFunc(res.compartments,
			func(a, b string) int { return slices.Index(rows, a) - slices.Index(rows, b) })
	}
}
