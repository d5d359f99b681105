package trial

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// settingGroup is the subjects whose studies were fitted with the same settings.
type settingGroup struct {
	settings string
	subjects []string
}

// groupSettings groups the subjects by the settings of their first study, the largest group first.
// Subjects without a study have nil.
func (d Design) groupSettings(firsts []*Measurement) []settingGroup {
	var groups []settingGroup
	for s, m := range firsts {
		if m == nil {
			continue
		}
		settings := cmp.Or(m.Settings, m.Method) // a table of another program may have the method alone
		i := slices.IndexFunc(groups, func(g settingGroup) bool { return g.settings == settings })
		if i < 0 {
			i = len(groups)
			groups = append(groups, settingGroup{settings: settings})
		}
		groups[i].subjects = append(groups[i].subjects, d.Subjects[s].ID)
	}
	slices.SortStableFunc(groups, func(a, b settingGroup) int { return cmp.Compare(len(b.subjects), len(a.subjects)) })
	return groups
}

// flagSettings flags every value of a trial whose subjects were fitted with different settings, since a
// difference between arms may be one between the settings. Changes within a subject have flags of
// their own.
func (j *joiner) flagSettings(endpoints []Endpoint, firsts []*Measurement) {
	groups := j.d.groupSettings(firsts)
	if len(groups) < 2 {
		return
	}
	const comma, shown = ", ", 3
	var lists [][]string
	for _, g := range groups {
		lists = append(lists, strings.Split(g.settings, comma))
	}
	var texts []string
	for i, g := range groups[:min(shown, len(groups))] {
		own := slices.DeleteFunc(slices.Clone(lists[i]), func(item string) bool {
			return !slices.ContainsFunc(lists, func(other []string) bool { return !slices.Contains(other, item) })
		})
		text := fmt.Sprintf("%s in %d subjects", cmp.Or(strings.Join(own, comma), notGiven), len(g.subjects))
		if len(g.subjects) == 1 {
			text = strings.TrimSuffix(text, "s")
		}
		if i > 0 {
			text += " (" + few(g.subjects) + ")"
		}
		texts = append(texts, text)
	}
	if len(groups) > shown {
		texts = append(texts, "…")
	}
	text := fmt.Sprintf("studies were fitted with %d different settings: %s; a difference between subjects may be "+
		"due to the settings", len(groups), strings.Join(texts, "; "))
	j.notes = append(j.notes, text+": map all studies with the same settings")
	flagValues(endpoints, j.flag(Flag{Kind: ProtocolChange, Text: text}), func(Value) bool { return true })
}
