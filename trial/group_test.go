package trial

import (
	"context"
	"strings"
	"testing"
)

// The group of an endpoint is that of its table, or of the plan; a group has one spelling.
func TestGroups(t *testing.T) {
	m := made{arms: []string{"control", "cells"}, visits: []string{"baseline", "month03"}, perArm: 4}
	with := func(heading, groupA, groupB string) (Analysis, error) {
		m.heading = heading
		tables := m.tables()
		var b strings.Builder
		b.WriteString("subject,visit,name,value,group\n")
		for _, row := range []string{"WOMAC pain", "KOOS pain"} {
			for _, visit := range m.visits {
				group := groupA
				if row == "KOOS pain" {
					group = groupB
				}
				b.WriteString("S01," + visit + "," + row + ",20," + group + "\n")
			}
		}
		tables.Scores = []Source{{Name: "scores.csv", Data: []byte(b.String())}}
		return Analyse(context.Background(), "test", tables, nil)
	}
	for _, c := range []struct{ heading, a, b, wantA, wantB string }{
		{"", "WOMAC", "KOOS", "WOMAC", "KOOS"}, {"", "", "Markers", "", "Markers"},
		{"# group[KOOS pain]: WOMAC\n", "WOMAC", "KOOS", "WOMAC", "WOMAC"},
	} {
		a, err := with(c.heading, c.a, c.b)
		if err != nil {
			t.Fatal(err)
		}
		e, f := a.Endpoints[len(a.Endpoints)-2], a.Endpoints[len(a.Endpoints)-1]
		if e.Group != c.wantA || f.Group != c.wantB || f.IsMarker() != (c.wantB == "Markers") {
			t.Errorf("%+v: groups %q and %q", c, e.Group, f.Group)
		}
	}
	for _, c := range []struct{ heading, a, b string }{{"", "WOMAC", "womac"},
		{"# group[KOOS pain]: womac\n", "WOMAC", "KOOS"}} {
		if _, err := with(c.heading, c.a, c.b); err == nil || !strings.Contains(err.Error(),
			`groups "WOMAC" and "womac" of endpoints differ`) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	_, err := ReadScores(Source{Name: "s.csv", Data: []byte("subject,visit,name,value,group\nS01,a,x,1,A\nS02,a,x,1,B\n")})
	if err == nil || !strings.Contains(err.Error(),
		`s.csv: line 3: endpoint "x" has another group than in an earlier line`) {
		t.Error(err)
	}
}
