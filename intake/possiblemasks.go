package intake

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
)

// possibleMask is a file that could be a mask: its name below the study's home, its format, and the pattern of --mask
// that selects it.
type possibleMask struct{ name, format, pattern string }

// mostSniffed is the largest number of files of a folder that are opened in search of a mask: a folder with more
// files holds other data.
const mostSniffed = 500

// possibleMasks returns the files that could be the study's mask according to their format, regardless of their
// names: first those in its folders, then all those below its home.
func (s *Intake) possibleMasks(st dicomio.Study) []possibleMask {
	var out []possibleMask
	seen := map[string]bool{}
	add := func(dir string, deep, byPath bool) {
		paths := pathsIn(s.strangers, dir, deep)
		for _, file := range paths[:min(mostSniffed, len(paths))] {
			if seen[file] {
				continue
			}
			seen[file] = true
			m := possibleMask{files.Below(st.Home, file), pipeline.Sniff(s.tree, file), filepath.Base(file)}
			if byPath {
				m.pattern = files.Below(dir, file)
			}
			if m.format != "" {
				out = append(out, m)
			}
		}
	}
	all := places(st)
	for n, dir := range all {
		add(dir, n == 0, false)
	}
	for _, dir := range all {
		add(dir, true, true)
	}
	return out
}

// listMasks lists the first files with their formats.
func listMasks(masks []possibleMask) string {
	const shown = 6
	var parts []string
	for _, m := range masks[:min(shown, len(masks))] {
		text := fmt.Sprintf("%s (%s)", printable.Short(m.name), m.format)
		if !pipeline.CanRead(m.format) {
			text = fmt.Sprintf("%s (%s, which is not read)", printable.Short(m.name), m.format)
		}
		parts = append(parts, text)
	}
	if n := len(masks) - shown; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}
