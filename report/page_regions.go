package report

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/table"
)

// regionsView holds the regions and layers of a study, which a reader of the page can unfold.
type regionsView struct {
	Compartments []regionGroup
	Fractions    bool // whether the mask, on another grid, covers some voxels only partly
}

// regionGroup holds the rows of one compartment.
type regionGroup struct {
	Compartment string
	Rows        []regionRow
}

// regionRow is a region, or a layer of a region or of the compartment.
type regionRow struct {
	Region, Layer, T2, Used, Fraction, Note string
	// First says that the row is the first of its region.
	First bool
	Bar   *barView
}

// regionsView returns nil if the mask is not divided.
func (r Result) regionsView() *regionsView {
	if len(r.Regions) == 0 {
		return nil
	}
	v := &regionsView{}
	for _, whole := range r.Compartments {
		group := regionGroup{Compartment: printable.Line(whole.Compartment)}
		last := ""
		for _, s := range r.Regions {
			if s.Compartment != whole.Compartment {
				continue
			}
			row := newRegionRow(s)
			row.First = row.Region != last || len(group.Rows) == 0
			last = row.Region
			v.Fractions = v.Fractions || row.Fraction != "" && s.MeanFraction < 1
			group.Rows = append(group.Rows, row)
		}
		if len(group.Rows) > 0 {
			v.Compartments = append(v.Compartments, group)
		}
	}
	return v
}

func newRegionRow(s segment.Summary) regionRow {
	row := regionRow{
		Region: printable.Line(s.Region), Layer: printable.Line(s.Layer), Note: printable.Line(s.Note),
		T2: table.Decimals(float64(s.MeanT2), decimalsT2), Used: fmt.Sprintf("%d / %d", s.Used, s.Voxels),
		Fraction: table.Decimals(float64(s.MeanFraction), decimalsFraction),
		Bar:      newBarView(float64(s.MeanT2), float64(s.SDT2)),
	}
	if row.Region == segment.All {
		row.Region = "whole"
	}
	if row.Layer == segment.All {
		row.Layer = ""
	}
	if sd := table.Decimals(float64(s.SDT2), decimalsT2); sd != "" {
		row.T2 += " ± " + sd
	}
	if words := strings.Join(s.Excluded.Reasons(), ", "); words != "" {
		row.Note = printable.Join("; ", row.Note, words)
	}
	return row
}
