package segment

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/t2map/t2map/segment/anatomy"
	"github.com/t2map/t2map/volume"
)

// verdict is the meaning of a segment according to one source: label, code or number.
type verdict struct{ source, name string }

// meaning returns the row or the tissue of a segment, or Ignore, with its source. If the scheme does not
// know the segment, the name is empty, and hint is what the scheme knows about it, as text.
//
// There are three sources. The label matches an entry of s.Segments or, without one, the name of a row or
// a tissue, with or without the words cartilage and knee. The codes match a rule of s.Codes. The number
// matches an entry of s.Labels. If they contradict each other, it is an error.
//
// The number alone has no meaning if the segment has a label that the scheme does not know, because
// programs number segments consecutively: 3 of a label map is not 3 of the segmentation that was made from
// it. It counts if the label is empty or repeats it, as in "Segment 3".
//
// A scheme without rules borrows some for its rows and tissues. They decide only if there is no other
// source. It is an error if they contradict another source by exchanging two of medial, lateral,
// patellofemoral and their parts, or two tissues.
func (s Scheme) meaning(g volume.Segment) (decided verdict, hint string, err error) {
	verdicts := append(s.byLabel(g.Label), s.byCodes(s.Codes, g)...)
	var borrowed []verdict
	if len(s.Codes) == 0 {
		borrowed = s.byCodes(s.borrowed(), g)
	}
	number := s.byNumber(g)
	if len(verdicts)+len(borrowed) == 0 && len(number) > 0 && !mute(g) {
		return verdict{}, "its number would be " + number[0].name + ", but its label says something else", nil
	}
	if verdicts = append(verdicts, number...); len(verdicts) == 0 {
		verdicts, borrowed = borrowed, nil
	}
	if len(verdicts) == 0 {
		return verdict{}, "", nil
	}
	first := verdicts[0]
	for _, other := range verdicts[1:] {
		if other.name != first.name {
			return verdict{}, "", contradiction(g, first, other)
		}
	}
	for _, other := range borrowed {
		if other.name != first.name && exclusive(other.name) && exclusive(first.name) {
			return verdict{}, "", contradiction(g, first, other)
		}
	}
	return first, "", nil
}

// exclusive reports whether the name is one of the rows and tissues that exclude each other.
func exclusive(name string) bool {
	return slices.Contains(ranked[:], name) || anatomy.TissueNamed(name).Cartilage()
}

func contradiction(g volume.Segment, a, b verdict) error {
	return fmt.Errorf("%s: its %s says %s, its %s %s", called(g), a.source, a.name, b.source, b.name)
}

// called returns a name of the segment for messages.
func called(g volume.Segment) string {
	if g.Label == "" {
		return fmt.Sprintf("segment %d", g.Number)
	}
	return fmt.Sprintf("segment %d %.40q", g.Number, g.Label)
}

func (s Scheme) byLabel(label string) []verdict {
	text := Fold(label)
	if text == "" {
		return nil
	}
	for _, l := range s.Segments {
		if Fold(l.Label) == text {
			return []verdict{{"label", l.Name}}
		}
	}
	var out []verdict
	words := strings.Fields(text)
	words = slices.DeleteFunc(words, func(w string) bool { return w == "cartilage" || w == "knee" })
	for _, name := range s.meanings() {
		n := Fold(name)
		if n == text || strings.TrimSuffix(n, " cartilage") == strings.Join(words, " ") {
			out = append(out, verdict{"label", name})
		}
	}
	return out
}

func (s Scheme) byCodes(rules []CodeRule, g volume.Segment) []verdict {
	var out []verdict
	for _, name := range coded(rules, g) {
		if name == Ignore || slices.Contains(s.meanings(), name) {
			out = append(out, verdict{"code", name})
		}
	}
	return out
}

func (s Scheme) byNumber(g volume.Segment) []verdict {
	for _, l := range s.Labels {
		if int(l.Value) == g.Number && !g.Unnumbered {
			return []verdict{{"number", l.Name}}
		}
	}
	return nil
}

// blanks matches the separators between the words of a label.
var blanks = regexp.MustCompile(`[\s_-]+`)

// Fold returns the label in lower case with single blanks between words, for comparison.
func Fold(label string) string {
	return strings.TrimSpace(blanks.ReplaceAllString(strings.ToLower(label), " "))
}

// numbered matches labels that contain only a number, as some programs assign them.
var numbered = regexp.MustCompile(`^(?:(?:segment|segmentation|label|roi|region|structure) ?)?#?0*([0-9]+)$`)

// mute reports whether the label of the segment contains only its number.
func mute(g volume.Segment) bool {
	text := Fold(g.Label)
	m := numbered.FindStringSubmatch(text)
	return text == "" || m != nil && m[1] == fmt.Sprint(g.Number)
}
