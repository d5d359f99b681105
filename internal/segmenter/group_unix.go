//go:build unix && !linux

package segmenter

import (
	"os/exec"
	"syscall"
)

// group is the process group of a program.
type group struct{ cmd *exec.Cmd }

// newGroup prepares the command to lead a group.
func newGroup(cmd *exec.Cmd) *group {
	g := &group{cmd}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return g
}

func (g *group) start() error { return g.cmd.Start() }

// wait waits until the program has ended, then kills the rest of its group.
func (g *group) wait() error {
	err := g.cmd.Wait()
	_ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL)
	return err
}
