package report

import (
	"regexp"
	"strings"
)

// SharedReason returns the reason without the name of the study's folder and the hashes of its UIDs, so that the same
// problem in two studies has the same text.
func (f Failure) SharedReason() string { return WithoutHashes(withoutFolder(f.Reason, f.Folder)) }

// withoutFolder returns the text with paths relative to the study's folder.
func withoutFolder(text, folder string) string {
	if folder == "" {
		return text
	}
	const separators = " \"'(:,;" // characters that can precede a path
	var b strings.Builder
	for start := 0; ; {
		n := strings.Index(text[start:], folder+"/")
		if n < 0 {
			b.WriteString(text[start:])
			return b.String()
		}
		n += start
		b.WriteString(text[start:n])
		if n > 0 && !strings.ContainsRune(separators, rune(text[n-1])) {
			b.WriteString(folder + "/")
		}
		start = n + len(folder) + 1
	}
}

// hashes matches the hash of a UID, whatever the words around it: no two studies share one.
var hashes = regexp.MustCompile(`\b[0-9a-f]{12}\b`)

// WithoutHashes returns a text with … for the hashes of UIDs.
func WithoutHashes(text string) string { return hashes.ReplaceAllString(text, "…") }
