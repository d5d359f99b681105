package accuracy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/report"
)

// perfect returns the cells that a perfect set of methods would give.
func perfect() []report.AccuracyCell {
	var cells []report.AccuracyCell
	grid := DefaultGrid()
	for _, m := range methods() {
		for _, t2 := range grid.T2 {
			for _, snr := range grid.SNR {
				for _, b1 := range grid.B1 {
					cells = append(cells, report.AccuracyCell{
						Method: m.Name, Echoes: oai.Echoes, Spacing: oai.Spacing, T2: t2, SNR: snr, B1: b1, Draws: 2000,
						SD: t2 / snr, RobustSD: t2 / snr, Bound: t2 / snr, Coverage: 0.95,
					})
				}
			}
		}
	}
	return cells
}

func missed(cells []report.AccuracyCell) (list []report.AccuracyLimit) {
	for _, l := range Judge(cells) {
		if !l.Met {
			list = append(list, l)
		}
	}
	return list
}

func TestPerfectMethodsMeetEveryLimit(t *testing.T) {
	if list := missed(perfect()); len(list) != 0 {
		t.Errorf("missed: %+v", list)
	}
	for _, l := range Judge(perfect()) {
		if l.Cells == 0 || l.Where == "" {
			t.Errorf("%+v", l)
		}
	}
}

func TestSpoiledMethodMissesItsLimit(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		spoil  func(*report.AccuracyCell)
		want   string // the quantity of the missed limit
	}{
		"bias up":     {nlls, func(c *report.AccuracyCell) { c.Bias = 0.02 }, report.QuantityBias},
		"bias down":   {nlls, func(c *report.AccuracyCell) { c.Bias = -0.02 }, report.QuantityBias},
		"infinite":    {nlls, func(c *report.AccuracyCell) { c.Bias = math.Inf(1) }, report.QuantityBias},
		"no number":   {nlls, func(c *report.AccuracyCell) { c.Bias = math.NaN() }, report.QuantityBias},
		"spread":      {nlls, func(c *report.AccuracyCell) { c.SD *= 1.06 }, report.QuantitySD},
		"overstated":  {nlls, func(c *report.AccuracyCell) { c.Coverage = 0.98 }, report.QuantityCoverage},
		"understated": {nlls, func(c *report.AccuracyCell) { c.Coverage = 0.92 }, report.QuantityCoverage},
		"rician":      {ricianGiven, func(c *report.AccuracyCell) { c.Bias = 0.025 }, report.QuantityBias},
		"epg":         {epg, func(c *report.AccuracyCell) { c.Bias = 0.025 }, report.QuantityBias},
	} {
		cells := perfect()
		at := slices.IndexFunc(cells, func(x report.AccuracyCell) bool {
			return x.Method == c.method && x.T2 == 50 && x.SNR == 100 && x.B1 == 1
		})
		c.spoil(&cells[at])
		list := missed(cells)
		if len(list) == 0 {
			t.Errorf("%s: every limit is met", name)
		}
		for _, l := range list {
			if l.Method != c.method || l.Quantity != c.want || l.Worst.T2 != 50 || l.Worst.SNR != 100 {
				t.Errorf("%s: missed %+v", name, l)
			}
		}
	}
}

func TestNothingToJudgeIsAMiss(t *testing.T) {
	var cells []report.AccuracyCell
	for _, c := range perfect() {
		if !strings.HasPrefix(c.Method, "rician") {
			cells = append(cells, c)
		}
	}
	list := missed(cells)
	if len(list) == 0 {
		t.Error("a method that was not measured meets its limits")
	}
	for _, l := range list {
		if !strings.HasPrefix(l.Method, "rician") || l.Cells != 0 {
			t.Errorf("missed %+v", l)
		}
	}
}
