package trial

// FlagGroup is flags that differ in the subject alone.
type FlagGroup struct {
	Flag // the first; its Subject is Subjects[0]
	// Subjects are in the order of the flags; flags about all subjects have one empty name.
	Subjects []string
}

// GroupFlags groups flags that differ in the subject alone, in the order of the first of each group.
func GroupFlags(flags []Flag) []FlagGroup {
	var groups []FlagGroup
	index := map[Flag]int{}
	for _, f := range flags {
		key := f
		key.Subject = ""
		i, seen := index[key]
		if !seen {
			i = len(groups)
			index[key] = i
			groups = append(groups, FlagGroup{Flag: f})
		}
		groups[i].Subjects = include(groups[i].Subjects, f.Subject)
	}
	return groups
}
