package pipeline

import (
	"fmt"
	"strings"

	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// saturationWarnings names the echoes at which voxels of the regions are saturated. The first skipped echoes were not
// fitted and do not count. The warning holds no numbers of voxels, which are in the tables, so that studies with the
// same fault share it.
func saturationWarnings(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) []string {
	var echoes []string
	for e, voxels := range saturated(s, m, r, skipped) {
		if voxels > 0 {
			echoes = append(echoes, fmt.Sprintf("echo %d (%g ms)", e+1, s.TE[e]))
		}
	}
	if echoes == nil {
		return nil
	}
	return []string{fmt.Sprintf("voxels of the mask are saturated at %s and were excluded: the images hold no higher "+
		"value there, so that the signal was cut off by the scanner or by a conversion; ask the site for the original "+
		"images", strings.Join(echoes, ", "))}
}

// saturated counts the saturated voxels of the regions at each echo, 0 at echoes that were not fitted; nil if the
// ceiling of the images is not known.
func saturated(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) []int {
	if s.Ceiling == nil {
		return nil
	}
	count := make([]int, len(s.TE))
	for v, region := range r.Data {
		if region == 0 || m.Status[v] != volume.Saturated {
			continue
		}
		end := len(s.TE)
		if m.Echoes != nil {
			end = min(end, skipped+int(m.Echoes[v]))
		}
		for e := skipped; e < end; e++ {
			if s.Saturated(e, v) {
				count[e]++
			}
		}
	}
	return count
}

// decayWarnings names the compartments whose mean signal rises or falls as no decay does. The first skipped echoes
// are not examined.
func decayWarnings(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) []string {
	var out []string
	for _, b := range segment.Breaks(s, m, r, skipped) {
		slice := ""
		if b.Slice >= 0 {
			slice = fmt.Sprintf(" in slice %d of %d", b.Slice+1, s.Size[2])
		}
		change := fmt.Sprintf("is %.2g times the signal of a decay at %s after %s", b.Factor,
			ListTimes(s.TE[b.Last:b.Last+1]), ListTimes(s.TE[b.First:b.Last]))
		if b.Rise {
			change = fmt.Sprintf("rises by a factor of %.2g from %s to %s", b.Factor,
				ListTimes(s.TE[b.First:b.First+1]), ListTimes(s.TE[b.Last:b.Last+1]))
		}
		out = append(out, fmt.Sprintf("the mean signal of %s%s %s, which no decay does: echoes may be exchanged, "+
			"copied or on another scale", b.Compartment, slice, change))
	}
	return out
}

// mostAboveRange is the share of voxels above the accepted T2 from which a warning is given. In simulated
// compartments, a limit that excludes 1 to 2 % hides 4 to 5 % of a change of 10 ms (T2 45 to 50 ± 15 ms, SNR 50).
const mostAboveRange = 0.01

// rangeWarnings names the compartments in which the accepted range excludes more than 1 % of the voxels with an
// estimate, because their T2 is above the range. Voxels that the protocol calls fluid are not above it.
func rangeWarnings(m volume.Maps, r segment.Regions, high float64) []string {
	estimated, above := make([]int, len(r.Names)+1), make([]int, len(r.Names)+1)
	for v, region := range r.Data {
		if status := m.Status[v]; region != 0 && status.HasValue() {
			estimated[region]++
			if status == volume.OutOfRange && float64(m.T2[v]) > high {
				above[region]++
			}
		}
	}
	var names []string
	for n, name := range r.Names {
		if float64(above[n+1]) > mostAboveRange*float64(estimated[n+1]) {
			names = append(names, name)
		}
	}
	if names == nil {
		return nil
	}
	return []string{fmt.Sprintf("more than 1 %% of the voxels of %s have a T2 above %g ms and were excluded, which "+
		"makes the mean too short and hides part of a change: look for joint fluid in the mask (fluid_ms), or raise "+
		"t2_range_ms", printable.FirstNames(names), high)}
}
