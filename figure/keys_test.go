package figure

import (
	"fmt"
	"strings"
	"testing"
)

// Texts stay on the sheet, whatever names hold and however many there are.
func TestKeyRow(t *testing.T) {
	var many []Key
	for n := range 200 {
		many = append(many, Key{Text: fmt.Sprintf("compartment %d", n), Colours: []uint8{1}})
	}
	long := []Key{{Text: strings.Repeat("x\n\u202e", 4000), Colours: []uint8{1}}, {Text: "b", Colours: []uint8{1}}}
	for name, keys := range map[string][]Key{"none": nil, "many": many, "long": long} {
		r := NewKeyRow(keys, 720, 14)
		if len(r.lines) > mostKeyLines {
			t.Errorf("%s: %d lines", name, len(r.lines))
		}
		for _, line := range r.lines {
			for _, k := range line {
				end := k.x + TextWidth(r.face(), k.Text)
				if len(k.Colours) > 0 {
					end += r.swatch()
				}
				if end > 720 {
					t.Errorf("%s: %q ends at %d", name, k.Text, end)
				}
			}
		}
		if name == "many" {
			last := r.lines[len(r.lines)-1]
			if got := last[len(last)-1].Text; !strings.HasPrefix(got, "and ") || !strings.HasSuffix(got, " more") {
				t.Errorf("the last key is %q", got)
			}
		}
	}
}
