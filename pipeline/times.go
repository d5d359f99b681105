package pipeline

import (
	"strconv"
	"strings"
)

// ListTimes lists times in ms: 10, 20, 30 ms.
func ListTimes(ms []float64) string {
	var out []string
	for _, v := range ms {
		out = append(out, strconv.FormatFloat(readable(v), 'g', -1, 64))
	}
	return strings.Join(out, ", ") + " ms"
}

// ReadableTimes rounds times to the seven digits of a float32, in which scanners compute: 34.800000000000004 becomes
// 34.8.
func ReadableTimes(ms []float64) []float64 {
	out := make([]float64, len(ms))
	for n, v := range ms {
		out[n] = readable(v)
	}
	return out
}

// readable rounds one time, see ReadableTimes.
func readable(ms float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(ms, 'g', 7, 64), 64)
	if err != nil {
		return ms
	}
	return v
}
