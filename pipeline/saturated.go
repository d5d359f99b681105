package pipeline

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// saturation is how many voxels of the mask were clipped.
type saturation struct {
	voxels int
	echo   []int // at each echo, 0 at those that were not fitted
}

// saturated counts the saturated voxels of the regions. Skip is the number of first echoes
// that were not fitted.
func saturated(s volume.MultiEcho, m volume.Maps, r segment.Regions, skip int) saturation {
	var n saturation
	if s.Ceiling == nil {
		return n
	}
	n.echo = make([]int, len(s.TE))
	for v, region := range r.Data {
		if region == 0 || m.Status[v] != volume.Saturated {
			continue
		}
		n.voxels++
		end := len(s.TE)
		if m.Echoes != nil {
			end = min(end, skip+int(m.Echoes[v]))
		}
		for e := skip; e < end; e++ {
			if s.Saturated(e, v) {
				n.echo[e]++
			}
		}
	}
	return n
}

// warning says what speaks against the numbers, or "". It holds no counts, which stand in the
// tables, so that studies with one fault share it.
func (n saturation) warning(te []float64) string {
	if n.voxels == 0 {
		return ""
	}
	var echoes []string
	for e, voxels := range n.echo {
		if voxels > 0 {
			echoes = append(echoes, fmt.Sprintf("echo %d (%g ms)", e+1, te[e]))
		}
	}
	return fmt.Sprintf("voxels of the mask are saturated at %s and were excluded: the images hold no higher value "+
		"there, so that the signal was cut off by the scanner or by a conversion; ask the site for the original images",
		strings.Join(echoes, ", "))
}
