package machine

import (
	"strconv"
	"strings"
)

// Peak returns the most bytes of memory that this process has held so far (its resident set), 0 if it is not known.
func Peak() int64 { return max(peak(), 0) }

// highWater returns VmHWM in a /proc/self/status (proc_pid_status(5)), which is in kB; 0 if it has none.
func highWater(status string) int64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
