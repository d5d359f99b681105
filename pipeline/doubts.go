package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// doubts returns what speaks against the numbers of the train, a sentence each.
func doubts(t dicomio.Train, p protocol.Protocol) []string {
	var out []string
	if c := t.Claim; c != nil { // the train is mapped all the same
		out = append(out, fmt.Sprintf("%s says %q, so that the series measures %s; the protocol says that it is %s, "+
			"and it was mapped as that", c.Attribute, printable.Short(c.Words), c.Quantity, protocol.QuantityT2))
	}
	if c := t.Mention; c != nil && t.Claim == nil {
		out = append(out, fmt.Sprintf("%s says %q beside T2, and nothing else says that the series measures %s; it "+
			"was mapped as T2", c.Attribute, printable.Short(c.Words), c.Quantity))
	}
	var lost []string
	if n := p.Series.Echoes; n > len(t.TE) {
		lost = append(lost, fmt.Sprintf("the protocol asks for %d echoes, and %d are there", n, len(t.TE)))
	}
	for _, l := range t.Losses {
		// A protocol that names the number of echoes settles what numbers of them promise.
		if l.Reason == dicomio.SkippedNumbers || l.Reason == dicomio.DisorderedNumbers || p.Series.Echoes != len(t.TE) {
			lost = append(lost, LossText(t, l))
		}
	}
	if len(lost) > 0 {
		out = append(out, "echoes may be missing on every slice: "+strings.Join(lost, "; "))
	}
	if tr := t.SliceTR; tr[1] > 0 {
		out = append(out, fmt.Sprintf("RepetitionTime (0018,0080) differs between slices, from %s to %s, so that they "+
			"are weighted by T1 in different ways: the series may hold two "+
			"acquisitions", ListTimes(tr[:1]), ListTimes(tr[1:])))
	}
	for _, l := range t.LeftOut {
		out = append(out, fmt.Sprintf("%d images of the series at echo time %s were left out: their ImageType "+
			"(0008,0008) is \"%s\", that of the series "+
			"\"%s\"", l.Images, ListTimes(l.TE), printable.Short(l.Type), printable.Short(l.TrainType)))
	}
	return out
}

// breaks returns what the mean signals of compartments do that no decay does, a sentence each.
// The first skipped echoes are not judged.
func breaks(s volume.MultiEcho, m volume.Maps, r segment.Regions, skipped int) []string {
	var out []string
	for _, b := range segment.Breaks(s, m, r, skipped) {
		where := ""
		if b.Slice >= 0 {
			where = fmt.Sprintf(" in slice %d of %d", b.Slice+1, s.Size[2])
		}
		what := fmt.Sprintf("is %.2g times what a decay leaves at %s after %s", b.Factor, ListTimes(s.TE[b.Last:b.Last+1]),
			ListTimes(s.TE[b.First:b.Last]))
		if b.Rise {
			what = fmt.Sprintf("rises by a factor of %.2g from %s to %s", b.Factor, ListTimes(s.TE[b.First:b.First+1]),
				ListTimes(s.TE[b.Last:b.Last+1]))
		}
		out = append(out, fmt.Sprintf("the mean signal of %s%s %s, which no decay does: echoes may be exchanged, "+
			"copied or on another scale", b.Compartment, where, what))
	}
	return out
}

// LossText says what speaks for a lost echo, and what else may explain it.
func LossText(t dicomio.Train, l dicomio.Loss) string {
	var numbers []string
	for _, n := range l.Numbers {
		numbers = append(numbers, strconv.Itoa(n))
	}
	switch l.Reason {
	case dicomio.DisorderedNumbers:
		return fmt.Sprintf("EchoNumbers (0018,0086) are %s at the echo times %s, so that echo times may be exchanged",
			strings.Join(numbers, ", "), ListTimes(t.TE))
	case dicomio.LateFirst:
		return fmt.Sprintf("the first echo time, %s, is twice the echo spacing, as if %s had been lost, unless the "+
			"sequence begins there", ListTimes(t.TE[:1]), ListTimes(l.TE))
	case dicomio.SkippedNumbers:
		return fmt.Sprintf("EchoNumbers (0018,0086) skip %s at the echo times %s", strings.Join(numbers, ", "),
			ListTimes(t.TE))
	case dicomio.UnevenTimes:
		return fmt.Sprintf("the echo times %s are uneven, as if %s had been lost, unless the sequence measures at "+
			"these times", ListTimes(t.TE), ListTimes(l.TE))
	}
	if l.Private {
		return fmt.Sprintf("the scanner's Number of Echoes (0019,107E) is %d, and %d are there", l.Promised, len(t.TE))
	}
	return fmt.Sprintf("EchoTrainLength (0018,0091) is %d, and %d echoes are there, unless several make one image "+
		"(turbo spin echo)", l.Promised, len(t.TE))
}

// ListTimes lists echo times.
func ListTimes(te []float64) string {
	var out []string
	for _, v := range te {
		out = append(out, strconv.FormatFloat(readable(v), 'g', -1, 64))
	}
	return strings.Join(out, ", ") + " ms"
}

// readable returns the time without the noise of binary fractions, 34.8 for
// 34.800000000000004: with as many digits as a float32 has, in which scanners compute.
func readable(ms float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(ms, 'g', 7, 64), 64)
	if err != nil {
		return ms
	}
	return v
}

// ReadableTimes returns the times without the noise of binary fractions, 34.8 for 34.800000000000004.
func ReadableTimes(te []float64) []float64 {
	out := make([]float64, len(te))
	for n, v := range te {
		out[n] = readable(v)
	}
	return out
}
