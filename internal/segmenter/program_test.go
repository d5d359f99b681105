package segmenter

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// asProgram is the first argument that turns this test binary into a program for the tests. The second argument names
// the behaviour.
const asProgram = "program-for-tests"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == asProgram {
		os.Exit(program(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// program behaves as a test needs and returns the exit status.
func program(behaviour string, args []string) int {
	switch behaviour {
	case "print": // to standard output and to standard error
		fmt.Fprint(os.Stdout, args[0])
		fmt.Fprint(os.Stderr, args[1])
	case "fail":
		fmt.Fprint(os.Stderr, args[1])
		n, _ := strconv.Atoi(args[0])
		return n
	case "kill":
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
		time.Sleep(time.Minute)
	case "hang":
		fmt.Fprintln(os.Stderr, "waiting")
		time.Sleep(time.Hour)
	case "stubborn": // SIGTERM ends neither it nor its child
		signal.Ignore(syscall.SIGTERM)
		child(args[0], "stubborn-child")
		time.Sleep(time.Hour)
	case "stubborn-child":
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
	case "hang-as":
		_ = os.WriteFile(args[0], []byte(strconv.Itoa(os.Getpid())), 0o666)
		time.Sleep(time.Hour)
	case "host": // runs a program as t2map does
		s, err := NewScratch()
		if err == nil {
			err = Run(context.Background(), argv("hang-as", args[0]), s, patient)
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	case "leave": // a child that holds standard error open
		child(args[0], "hang")
	case "fill":
		for n := 0; ; n++ {
			if os.WriteFile(filepath.Join("output", strconv.Itoa(n)), make([]byte, 1<<20), 0o666) != nil {
				return 1
			}
			time.Sleep(10 * time.Millisecond)
		}
	case "facts":
		dir, _ := os.Getwd()
		n, err := os.Stdin.Read(make([]byte, 1))
		fmt.Printf("%s|%s|%s|%d %v|%s", dir, os.Getenv("TMPDIR"), os.Getenv("T2MAP_TEST"), n, err, args)
	case "chatter":
		for range 1 << 16 {
			fmt.Fprintln(os.Stderr, "progress of no interest")
		}
		fmt.Fprintln(os.Stderr, "the end")
		return 1
	}
	return 0
}

// child starts this program again and writes its process ID to a file.
func child(file, behaviour string) {
	cmd := exec.Command(os.Args[0], asProgram, behaviour)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(cmd.Process.Pid)), 0o666); err != nil {
		panic(err)
	}
}
