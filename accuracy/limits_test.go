package accuracy

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// perfect returns the cells that a perfect set of methods would give.
func perfect() []Cell {
	var cells []Cell
	grid := DefaultGrid()
	for _, m := range methods() {
		for _, t2 := range grid.T2 {
			for _, snr := range grid.SNR {
				for _, b1 := range grid.B1 {
					cells = append(cells, Cell{
						Method: m.Name, Echoes: oai.Echoes, Spacing: oai.Spacing, T2: t2, SNR: snr, B1: b1, Draws: 2000,
						SD: t2 / snr, RobustSD: t2 / snr, Bound: t2 / snr, Coverage: 0.95,
					})
				}
			}
		}
	}
	return cells
}

func missed(cells []Cell) (list []Limit) {
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
		if l.Cells == 0 || l.Scope == "" {
			t.Errorf("%+v", l)
		}
	}
}

func TestSpoiledMethodMissesItsLimit(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		spoil  func(*Cell)
		want   string // the quantity of the missed limit
	}{
		"bias up":     {nlls, func(c *Cell) { c.Bias = 0.02 }, QuantityBias},
		"bias down":   {nlls, func(c *Cell) { c.Bias = -0.02 }, QuantityBias},
		"infinite":    {nlls, func(c *Cell) { c.Bias = math.Inf(1) }, QuantityBias},
		"no number":   {nlls, func(c *Cell) { c.Bias = math.NaN() }, QuantityBias},
		"spread":      {nlls, func(c *Cell) { c.SD *= 1.06 }, QuantitySD},
		"overstated":  {nlls, func(c *Cell) { c.Coverage = 0.98 }, QuantityCoverage},
		"understated": {nlls, func(c *Cell) { c.Coverage = 0.92 }, QuantityCoverage},
		"rician":      {ricianGiven, func(c *Cell) { c.Bias = 0.025 }, QuantityBias},
		"epg":         {epg, func(c *Cell) { c.Bias = 0.025 }, QuantityBias},
	} {
		cells := perfect()
		index := slices.IndexFunc(cells, func(x Cell) bool {
			return x.Method == c.method && x.T2 == 50 && x.SNR == 100 && x.B1 == 1
		})
		c.spoil(&cells[index])
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
	var cells []Cell
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
