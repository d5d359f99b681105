package machine

import (
	"testing"
	"testing/fstest"
)

func TestGroups(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name string
		root fstest.MapFS
		want int64
	}{
		{"no groups", fstest.MapFS{}, 0},
		{"version 2, the group's own", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("1048576\n")}, 1 << 20},
		{"version 2, one above", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("max\n"), "sys/fs/cgroup/a/memory.max": file("4096\n")}, 4096},
		{"version 2, in a container", fstest.MapFS{"proc/self/cgroup": file("0::/docker/0123\n"),
			"sys/fs/cgroup/memory.max": file("8192\n")}, 8192},
		{"version 2, above is less", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"),
			"sys/fs/cgroup/a/memory.max": file("8192\n"), "sys/fs/cgroup/memory.max": file("4096\n")}, 4096},
		{"version 1", fstest.MapFS{"proc/self/cgroup": file("5:cpu,cpuacct:/x\n4:memory:/x\n"),
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("2097152\n")}, 2 << 20},
		{"version 1 without a limit", fstest.MapFS{"proc/self/cgroup": file("4:memory:/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 0},
		{"not a number", fstest.MapFS{"proc/self/cgroup": file("nonsense\n0::/\n"),
			"sys/fs/cgroup/memory.max": file("much\n")}, 0},
	} {
		if got := groups(c.root); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// The memory is unknown, or at least enough to run this test.
func TestMemory(t *testing.T) {
	if n := Memory(); n < 0 || n > 0 && n < 64<<20 {
		t.Errorf("%d bytes: this test could not run in them", n)
	}
}
