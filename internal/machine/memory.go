// Package machine finds the memory that this process may use, and the most that it has used.
package machine

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// Memory returns the number of bytes of memory that this process may use: the smallest of the machine's memory, the
// limit of the process's control group (Linux, versions 1 and 2), the limit of its address space, and GOMEMLIMIT. It
// is 0 if none of them is known.
func Memory() int64 {
	least := int64(math.MaxInt64)
	for _, n := range []int64{physical(), groups(os.DirFS("/")), addressSpace(), debug.SetMemoryLimit(-1)} {
		if n > 0 {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// unlimited is above any real limit. Version 1 of control groups writes the largest number of whole pages if there
// is no limit.
const unlimited = 1 << 60

// groups returns the smallest memory limit of the process's control groups and of the groups above them, or 0. root
// is the file system (cgroups(7); Documentation/admin-guide/cgroup-v2.rst, memory.max).
func groups(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		mount, file := "", ""
		switch {
		case parts[0] == "0" && parts[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+parts[1]+",", ",memory,"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// In a container the path may be that of the host, and only its top folder may exist.
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join(mount, dir, file))
			n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil && bad == nil && n > 0 && n < unlimited && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return least
}
