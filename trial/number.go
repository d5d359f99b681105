package trial

import "math"

// Decimals returns the number of decimals for printing numbers in the endpoint's unit: those of the plan; otherwise
// two for ms, since T2 repeats within 1 to 5 %; otherwise as many as show three digits of the largest standard
// deviation, at most 5. Without a standard deviation it returns two.
func (e EndpointAnalysis) Decimals() int {
	const ms, digits, most = 2, 3, 5
	if e.PlannedDecimals != nil {
		return *e.PlannedDecimals
	}
	if e.Unit == "ms" {
		return ms
	}
	largest := 0.0
	for _, cells := range e.Cells {
		for _, c := range cells {
			for _, d := range []Description{c.Value, c.Change} {
				if d.SD > largest {
					largest = d.SD
				}
			}
		}
	}
	if largest == 0 {
		return ms
	}
	return min(max(digits-1-int(math.Floor(math.Log10(largest))), 0), most)
}
