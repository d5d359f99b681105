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

// regionRow is a region, or a layer of a region or of the compartment.
type regionRow struct {
	Region   string `json:"region"`
	Layer    string `json:"layer,omitempty"`
	T2       string `json:"t2,omitempty"`
	Used     string `json:"used"`
	Fraction string `json:"fraction,omitempty"`
	Note     string `json:"note,omitempty"`
}

// addRegions adds the regions, if the mask is divided.
func (d *pageDetail) addRegions(r Result) {
	for _, whole := range r.Compartments {
		group := regionGroup{Compartment: printable.Line(whole.Compartment)}
		for _, s := range r.Regions {
			if s.Compartment != whole.Compartment {
				continue
			}
			row := newRegionRow(s)
			d.Fractions = d.Fractions || row.Fraction != "" && s.MeanFraction < 1
			group.Rows = append(group.Rows, row)
		}
		if len(group.Rows) > 0 {
			d.Regions = append(d.Regions, group)
		}
	}
}

func newRegionRow(s segment.Summary) regionRow {
	row := regionRow{
		Region: printable.Line(s.Region), Layer: printable.Line(s.Layer), Note: printable.Line(s.Note),
		T2: meanAndSD(s), Used: fmt.Sprintf("%d / %d", s.Used, s.Voxels),
		Fraction: table.Decimals(float64(s.MeanFraction), decimalsFraction),
	}
	if row.Region == segment.All {
		row.Region = "whole"
	}
	if row.Layer == segment.All {
		row.Layer = ""
	}
	if words := strings.Join(s.Excluded.Reasons(), ", "); words != "" {
		row.Note = printable.Join("; ", row.Note, words)
	}
	return row
}
