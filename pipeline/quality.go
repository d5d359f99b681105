package pipeline

import (
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/segment/quality"
	"github.com/t2map/t2map/volume"
)

// measureQuality returns the measures of quality that need the images and the maps. The first skipped echoes were not
// fitted.
func measureQuality(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) *report.Quality {
	shift := quality.Between(s.Geometry, s.Echo[skipped], s.Echo[len(s.Echo)-1], r.Data)
	out := &report.Quality{ShiftI: segment.Number(shift.I), ShiftJ: segment.Number(shift.J),
		ShiftCorrelation: segment.Number(shift.Correlation), Compartments: []report.CompartmentQuality{}}
	for _, c := range quality.Measure(s, m, r, skipped) {
		out.Compartments = append(out.Compartments, report.CompartmentQuality{
			Compartment: c.Name, ZeroVoxels: c.Zero, ErodedVoxels: c.Eroded, ErodedMeanT2: segment.Number(c.ErodedT2),
			ResidualChi2: segment.Number(c.Chi2),
		})
	}
	return out
}

// addRatios sets S2/S1 of each compartment, which follows from its decay.
func addRatios(r report.Result) {
	for n := range r.Quality.Compartments {
		c := &r.Quality.Compartments[n]
		for _, d := range r.Decays {
			if d.Compartment == c.Compartment {
				c.S2S1, c.S2S1Fit = d.S2S1(r.TE, r.Protocol.SkippedEchoes)
			}
		}
	}
}
