package samples

import (
	"fmt"
	"strconv"
	"strings"
)

// pattern is a name with a number in it: slice%03d.raw.
type pattern struct {
	before, after string
	width         int
	zeros         bool
}

// mostWidth bounds the digits of a number in a name.
const mostWidth = 20

// parsePattern accepts one %d, %3d or %03d; ok is false for any other use of %.
func parsePattern(text string) (p pattern, ok bool) {
	before, rest, complete := strings.Cut(text, "%")
	if !complete {
		return p, false
	}
	width, after, complete := strings.Cut(rest, "d")
	if !complete || strings.Contains(after, "%") {
		return p, false
	}
	p = pattern{before: before, after: after, zeros: strings.HasPrefix(width, "0")}
	if width != "" {
		var err error
		if p.width, err = strconv.Atoi(width); err != nil || p.width < 0 || p.width > mostWidth {
			return p, false
		}
	}
	return p, true
}

func (p pattern) name(n int) string {
	if p.zeros {
		return fmt.Sprintf("%s%0*d%s", p.before, p.width, n, p.after)
	}
	return fmt.Sprintf("%s%*d%s", p.before, p.width, n, p.after)
}

// patterned returns the names of a printf pattern with one number, for first, first + step and so
// on up to last, as headers name the files of a stack of slices. ok is false if it is not such a
// pattern or has more than most names.
func patterned(pattern string, first, last, step, most int) (names []string, ok bool) {
	p, ok := parsePattern(pattern)
	if !ok || step == 0 || (last-first)/step < 0 || (last-first)/step >= most {
		return nil, false
	}
	for n := first; step > 0 && n <= last || step < 0 && n >= last; n += step {
		names = append(names, p.name(n))
	}
	return names, true
}
