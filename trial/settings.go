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

// flagSettings flags every value of a trial whose subjects were fitted with different settings, since they
// may cause a difference between arms. Changes within a subject have flags of their own.
func (j *joiner) flagSettings(endpoints []Endpoint, firsts []*Measurement) {
	groups := j.d.groupSettings(firsts)
	if len(groups) < 2 {
		return
	}
	var settings []string
	for _, g := range groups {
		settings = append(settings, g.settings)
	}
	parts := distinctParts(settings...)
	const shown = 3
	var texts []string
	for i, g := range groups[:min(shown, len(groups))] {
		text := fmt.Sprintf("%s in %d participants", parts[i], len(g.subjects))
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
	text := fmt.Sprintf("studies were fitted with %d different settings: %s; a difference between participants may be "+
		"due to the settings", len(groups), strings.Join(texts, "; "))
	j.notes = append(j.notes, text+": map all studies with the same settings")
	flagValues(endpoints, j.flag(Flag{Kind: ProtocolChange, Text: text}), func(Value) bool { return true })
}

// notGiven stands for a property that a table does not have.
const notGiven = "not given"

// distinctParts shortens different texts, in which commas separate properties, for a message: to the
// parts that are not in all of them. It returns the texts unchanged if such parts do not distinguish
// them. It decides nothing: callers compare whole texts.
func distinctParts(texts ...string) []string {
	const comma = ", "
	var lists [][]string
	for _, text := range texts {
		lists = append(lists, strings.Split(text, comma))
	}
	var short []string
	for _, list := range lists {
		own := slices.DeleteFunc(slices.Clone(list), func(part string) bool {
			return !slices.ContainsFunc(lists, func(other []string) bool { return !slices.Contains(other, part) })
		})
		short = append(short, cmp.Or(strings.Join(own, comma), notGiven))
	}
	for i, text := range short {
		if slices.Contains(short[:i], text) {
			return texts
		}
	}
	return short
}
