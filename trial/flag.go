package trial

import "slices"

// FlagGroup is flags that say the same of several subjects.
type FlagGroup struct {
	Flag // of the first; its Subject is Subjects[0]
	// Subjects in the order of the flags; one empty name where it is about no subject.
	Subjects []string
}

// GroupFlags gathers flags that differ in their subject alone, in the order in which
// each first stands.
func GroupFlags(flags []Flag) []FlagGroup {
	var groups []FlagGroup
	at := map[Flag]int{}
	for _, f := range flags {
		key := f
		key.Subject = ""
		i, known := at[key]
		if !known {
			i = len(groups)
			at[key] = i
			groups = append(groups, FlagGroup{Flag: f})
		}
		if !slices.Contains(groups[i].Subjects, f.Subject) {
			groups[i].Subjects = append(groups[i].Subjects, f.Subject)
		}
	}
	return groups
}
