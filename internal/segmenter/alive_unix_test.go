//go:build unix

package segmenter

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// alive reports whether the process with this ID runs. A process that has ended may be a zombie (proc(5), state Z).
func alive(pid int) bool {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		if _, state, ok := bytes.Cut(stat, []byte(") ")); ok && (state[0] == 'Z' || state[0] == 'X') {
			return false
		}
	}
	return syscall.Kill(pid, 0) == nil
}
