package segmenter

import (
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is the job object of a program: its processes and theirs.
type group struct {
	cmd *exec.Cmd
	job windows.Handle
}

// newGroup prepares the command to be a job of its own, which does not receive this console's Ctrl-C.
func newGroup(cmd *exec.Cmd) *group {
	g := &group{cmd: cmd}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	cmd.Cancel = g.kill
	return g
}

// start starts the program and puts it into a job. The job ends when its handle is closed, also by the end of this
// process. Processes that the program starts in its first microseconds, before it is in the job, are not part of it.
func (g *group) start() error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return err
	}
	g.job = job
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return err
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false,
		uint32(g.cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, process)
		_ = windows.CloseHandle(process)
	}
	if err != nil && g.cmd.Process.Kill() == nil { // a program that has ended already is not an error
		_ = g.cmd.Wait()
		_ = windows.CloseHandle(job)
		return err
	}
	return nil
}

// kill ends all processes of the job.
func (g *group) kill() error { return windows.TerminateJobObject(g.job, 1) }

// wait waits until the program has ended, then kills the rest of its job.
func (g *group) wait() error {
	err := g.cmd.Wait()
	_ = g.kill()
	_ = windows.CloseHandle(g.job)
	return err
}
