package dicomio

import "testing"

// Images without ImageType belong to the others of their series, unless these have several
// kinds or there is an image of the same echo and slice.
func TestMissingImageType(t *testing.T) {
	for _, c := range []struct {
		name  string
		types func(k, e int) []string
		want  int // echoes
	}{
		{"of an echo", func(_, e int) []string { return [][]string{{"M", "SE"}, nil, {"M", "SE"}, {"M", "SE"}}[e] }, 4},
		{"of a slice", func(k, e int) []string { return [][]string{{"M", "SE"}, nil, {"M", "SE"}}[k] }, 4},
		{"beside two kinds", func(_, e int) []string { return [][]string{nil, {"M"}, {"M"}, {"NORM"}}[e] }, 0},
	} {
		images := typed(c.types)
		for n := range images {
			if len(images[n].ImageType) == 2 {
				set(&images[n], "ImageType", "")
			}
		}
		dir := t.TempDir()
		save(t, dir, images)
		echoes := 0
		if trains := find(t, dir).Studies[0].Trains; len(trains) == 1 && trains[0].Problem == nil {
			echoes = len(trains[0].TE)
		}
		if echoes != c.want {
			t.Errorf("%s: %d echoes, want %d", c.name, echoes, c.want)
		}
	}
}

// A missing type is not the type of a map.
func TestMissingTypeBesideMap(t *testing.T) {
	image := func(imageType string, asMap bool) *header {
		return &header{texts: &texts{imageType: imageType}, asMap: asMap}
	}
	for _, c := range []struct {
		images []*header
		want   string // the kind of a missing type
	}{
		{[]*header{image("", false), image(`DERIVED\PRIMARY\T2 MAP`, true)}, ""},
		{[]*header{image("", false), image(`DERIVED\SECONDARY\MPR`, false)}, ""},
		{[]*header{image("", false), image(`DERIVED\PRIMARY\T2 MAP`, true), image(`ORIGINAL\PRIMARY\M\SE`, false)},
			`ORIGINAL\PRIMARY`},
	} {
		if got := kindsOf(c.images)[typeOf{}]; got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
