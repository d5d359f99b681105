package report

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
)

// labelRow is a line of a label table: the name and the colour of a number.
type labelRow struct {
	number int
	name   string
	colour color.RGBA
}

// labelHeader is the header that ITK-SNAP writes in label descriptions.
const labelHeader = `################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Fields:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    IDX:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
    0     0    0    0        0  0  0    "Clear Label"
`

// writeLabelTable writes the names and colours of a label map as label descriptions of ITK-SNAP, whose
// names are on one line and have no quotes.
func writeLabelTable(w io.Writer, rows []labelRow) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, labelHeader)
	for _, r := range rows {
		name := strings.Map(func(c rune) rune {
			if c == '"' || c == '\\' {
				return '\''
			}
			return c
		}, printable.Line(r.name))
		fmt.Fprintf(b, "%5d %5d %4d %4d        1  1  1    \"%s\"\n", r.number, r.colour.R, r.colour.G, r.colour.B, name)
	}
	return b.Flush()
}

// compartmentLabels returns the numbers of compartments.nii.gz with the colours of the outlines.
func compartmentLabels(r segment.Regions) []labelRow {
	var rows []labelRow
	for n, c := range lineColoursOf(r.Names) {
		rows = append(rows, labelRow{n + 1, r.Names[n], lineColours[c]})
	}
	return rows
}

// regionLabels returns the numbers of regions.nii.gz with the colours of regions.png.
func regionLabels(r segment.Regions) []labelRow {
	var rows []labelRow
	d := newDivision(r)
	for n := range r.Parts {
		rows = append(rows, labelRow{n + 1, d.name(n), d.colours[n]})
	}
	return rows
}

// maskLabels returns the numbers of mask.nii.gz: the labels of the scheme that are not ignored.
func maskLabels(scheme []segment.Label) []labelRow {
	var names []string
	var rows []labelRow
	for _, l := range scheme {
		if l.Name != segment.Ignore {
			names, rows = append(names, l.Name), append(rows, labelRow{number: int(l.Value), name: l.Name})
		}
	}
	for n, c := range lineColoursOf(names) {
		rows[n].colour = lineColours[c]
	}
	return rows
}
