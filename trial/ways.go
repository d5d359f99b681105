package trial

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// way is how T2 was estimated in some of the subjects.
type way struct {
	settings string
	subjects []string
}

// waysOf groups subjects by how T2 was estimated in their first study, the most frequent way first.
// Subjects without a study have nil.
func (d Design) waysOf(firsts []*Measurement) []way {
	var all []way
	for s, m := range firsts {
		if m == nil {
			continue
		}
		settings := cmp.Or(m.Settings, m.Method) // a table of another program may have the method alone
		at := slices.IndexFunc(all, func(w way) bool { return w.settings == settings })
		if at < 0 {
			at = len(all)
			all = append(all, way{settings: settings})
		}
		all[at].subjects = append(all[at].subjects, d.Subjects[s].ID)
	}
	slices.SortStableFunc(all, func(a, b way) int { return cmp.Compare(len(b.subjects), len(a.subjects)) })
	return all
}

// flagWays flags every value of a trial whose subjects' T2 was not estimated in one way: then a
// difference between arms may be one between methods. Changes within a subject have flags of their own.
func (j *joiner) flagWays(endpoints []Endpoint, firsts []*Measurement) {
	ways := j.d.waysOf(firsts)
	if len(ways) < 2 {
		return
	}
	const between, shown = ", ", 3
	var parts [][]string
	for _, w := range ways {
		parts = append(parts, strings.Split(w.settings, between))
	}
	var texts []string
	for i, w := range ways[:min(shown, len(ways))] {
		own := slices.DeleteFunc(slices.Clone(parts[i]), func(part string) bool {
			return !slices.ContainsFunc(parts, func(other []string) bool { return !slices.Contains(other, part) })
		})
		texts = append(texts, fmt.Sprintf("%s in %s", cmp.Or(strings.Join(own, between), "not said"), listed(w.subjects, i > 0)))
	}
	if len(ways) > shown {
		texts = append(texts, "…")
	}
	text := fmt.Sprintf("T2 was estimated in %d ways: %s; a difference between subjects may be one between these", len(ways), strings.Join(texts, "; "))
	flag := j.flag(Flag{Kind: ProtocolChange, Text: text})
	j.notes = append(j.notes, text+": map all studies in one way")
	for _, e := range endpoints {
		for s := range e.Values {
			for v := range e.Values[s] {
				if value := &e.Values[s][v]; !math.IsNaN(value.X) {
					value.Flags = append(value.Flags, flag)
				}
			}
		}
	}
}

// listed counts subjects and, where wanted, names the first of them.
func listed(subjects []string, name bool) string {
	text := fmt.Sprintf("%d subjects", len(subjects))
	if len(subjects) == 1 {
		text = "1 subject"
	}
	if name {
		text += " (" + few(subjects) + ")"
	}
	return text
}
