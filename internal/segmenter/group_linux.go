package segmenter

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// group is the process group of a program.
type group struct{ cmd *exec.Cmd }

// newGroup prepares the command to lead a group. If this process ends for any reason, the system kills the program,
// but not its children.
func newGroup(cmd *exec.Cmd) *group {
	g := &group{cmd}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGTERM) }
	return g
}

func (g *group) start() error { return g.cmd.Start() }

// wait waits until the program has ended, then kills the rest of its group. The program is a zombie until then, so
// that no other group can have its number.
func (g *group) wait() error {
	pid := g.cmd.Process.Pid
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
	return g.cmd.Wait()
}
