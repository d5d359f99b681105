package report

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// regionGroup holds the regions and layers of one compartment, which a reader of the page can unfold.
type regionGroup struct {
	Compartment string      `json:"compartment"`
	Rows        []regionRow `json:"rows"`
}

// regionRow is a region, or a layer of a region or of the compartment: its name, the layer, T2, the numbers of used and
// of all voxels, the fraction, and a note. Names of the texts would double the size of the page.
type regionRow [6]string

// The texts of a regionRow.
const (
	rowRegion = iota
	rowLayer
	rowT2
	rowUsed
	rowFraction
	rowNote
)

// addRegions adds the regions, if the mask is divided.
func (d *pageDetail) addRegions(r Result) {
	for _, whole := range r.Compartments {
		group := regionGroup{Compartment: printable.Line(whole.Compartment)}
		for _, s := range r.Regions {
			if s.Compartment != whole.Compartment {
				continue
			}
			row := newRegionRow(s)
			d.Fractions = d.Fractions || row[rowFraction] != "" && s.MeanFraction < 1
			group.Rows = append(group.Rows, row)
		}
		if len(group.Rows) > 0 {
			d.Regions = append(d.Regions, group)
		}
	}
}

func newRegionRow(s segment.Summary) regionRow {
	row := regionRow{
		rowRegion: printable.Line(s.Region), rowLayer: printable.Line(s.Layer), rowT2: meanAndSD(s),
		rowUsed:     fmt.Sprintf("%d / %d", s.Used, s.Voxels),
		rowFraction: table.Decimals(float64(s.MeanFraction), decimalsFraction),
		rowNote:     printable.Line(s.Note),
	}
	if s.Region == segment.All {
		row[rowRegion] = "whole"
	}
	if s.Layer == segment.All {
		row[rowLayer] = ""
	}
	if words := strings.Join(s.Excluded.Reasons(), ", "); words != "" {
		row[rowNote] = printable.Join("; ", row[rowNote], words)
	}
	return row
}
