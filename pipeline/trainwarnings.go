package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/protocol"
	"github.com/t2map/t2map/report"
)

// trainWarnings returns the warnings about the images of a train.
func trainWarnings(t dicomio.Train, p protocol.Protocol) []string {
	var out []string
	if c := t.Claim; c != nil {
		out = append(out, fmt.Sprintf("%s says %q, so that the series measures %s; it was mapped as %s, because the "+
			"protocol says so", c.Attribute, printable.Short(c.Words), c.Quantity, protocol.QuantityT2))
	}
	if c := t.Mention; c != nil && t.Claim == nil {
		out = append(out, fmt.Sprintf("%s says %q beside T2, and nothing else says that the series measures %s; it "+
			"was mapped as T2", c.Attribute, printable.Short(c.Words), c.Quantity))
	}
	var lost []string
	if n := p.Series.Echoes; n > len(t.TE) {
		lost = append(lost, fmt.Sprintf("the protocol asks for %d echoes, but there are %d", n, len(t.TE)))
	}
	for _, l := range t.Losses {
		// If all echoes that the protocol requires are present, numbers of echoes in the headers do not matter.
		if l.Reason == dicomio.SkippedNumbers || l.Reason == dicomio.DisorderedNumbers || p.Series.Echoes != len(t.TE) {
			lost = append(lost, LossText(t, l))
		}
	}
	if len(lost) > 0 {
		out = append(out, "echoes may be missing on every slice: "+strings.Join(lost, "; "))
	}
	if all := p.Acquisition.Deviations(t); len(all) > 0 {
		out = append(out, report.DeviationsWarning(all))
	}
	if tr := t.SliceTR; tr[1] > 0 {
		out = append(out, fmt.Sprintf("RepetitionTime (0018,0080) differs between slices, from %s to %s, so that "+
			"their T1 weighting differs: the series may hold two acquisitions", ListTimes(tr[:1]), ListTimes(tr[1:])))
	}
	for _, l := range t.LeftOut {
		out = append(out, fmt.Sprintf("%d images of the series at echo time %s were omitted: their ImageType "+
			"(0008,0008) is \"%s\", that of the series is \"%s\"",
			l.Images, ListTimes(l.TE), printable.Short(l.Type), printable.Short(l.TrainType)))
	}
	return out
}

// LossText describes the evidence for a lost echo, and other possible explanations.
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
		return fmt.Sprintf("the scanner's Number of Echoes (0019,107E) is %d, but there are %d", l.Promised, len(t.TE))
	}
	return fmt.Sprintf("EchoTrainLength (0018,0091) is %d, but there are %d echoes, unless several make one image "+
		"(turbo spin echo)", l.Promised, len(t.TE))
}
