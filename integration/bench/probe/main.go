// Command probe starts a frontend whose process is measured: it runs its
// arguments as a command and writes what the kernel has counted for that process
// to standard error, which the daemon puts into its log.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/cachewright/cachewright/integration/bench/usage"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
	counted := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	line, err := json.Marshal(usage.Usage{
		Peak: counted.Maxrss << 10,
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Wall: wall,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "\n%s%s\n", usage.Prefix, line)
	os.Exit(cmd.ProcessState.ExitCode())
}
