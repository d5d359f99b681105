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

// lyingFile is a file that could be a mask: its name below the study's home, and the pattern
// that asks for it.
type lyingFile struct{ name, format, pattern string }

// mostSniffed bounds how many files of a folder are opened in search of a mask: a folder with more files
// holds something else.
const mostSniffed = 500

// lying returns the files that could be the study's mask by their format, whatever they
// are called: those in its folders first, then those anywhere below its home.
func (s *Intake) lying(st dicomio.Study) []lyingFile {
	var out []lyingFile
	seen := map[string]bool{}
	add := func(dir string, deep, byPath bool) {
		paths := pathsIn(s.strangers, dir, deep)
		for _, file := range paths[:min(mostSniffed, len(paths))] {
			if seen[file] {
				continue
			}
			seen[file] = true
			m := lyingFile{files.Below(st.Home, file), pipeline.Sniff(s.tree, file), filepath.Base(file)}
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

// listed names the first few files with their formats.
func listed(lying []lyingFile) string {
	const shown = 6
	var parts []string
	for _, m := range lying[:min(shown, len(lying))] {
		text := fmt.Sprintf("%s (%s)", printable.Short(m.name), m.format)
		if !pipeline.CanRead(m.format) {
			text = fmt.Sprintf("%s (%s, which is not read)", printable.Short(m.name), m.format)
		}
		parts = append(parts, text)
	}
	if n := len(lying) - shown; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return strings.Join(parts, ", ")
}
