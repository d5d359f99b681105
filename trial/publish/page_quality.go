package publish

import (
	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// qualityGrid compares the images and masks of the arms at each visit, if the results describe them.
func qualityGrid(a *trial.Analysis) grid {
	g := grid{Title: "Images and masks by arm and visit", Heads: append(heads("Visit", "Arm"), numericHeads("n",
		"beyond limits", "Voxels", "Excluded %", "Volume mm³", "SNR first", "SNR last", "R²", "Noise")...)}
	for e := range endpoints(a) {
		if !e.Compartment {
			continue
		}
		block := group{Name: titleOf(e)}
		for _, v := range e.Visits {
			block.addArms(a, e, v, func(arm int) []cell {
				q := e.Cells[arm][v].Quality
				x := func(x float64, decimals int) cell { return num(figure.Number(x, decimals), "not in the results") }
				return []cell{num(thousands(q.N)), num(thousands(q.Flagged)), x(q.Voxels, 0), x(q.Excluded, 1),
					x(q.VolumeMM3, 0), x(q.SNRFirst, 1), x(q.SNRLast, 1), x(q.MeanR2, 3), x(q.Sigma, 2)}
			})
		}
		g.Groups = append(g.Groups, block)
	}
	if g.rows() > 0 {
		g.Notes = []string{"Means are over the available values. A difference between arms may bias the comparison of T2."}
	}
	return g.finish("quality.csv")
}
