package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// OnTerminal runs a command on a pseudo-terminal of a size in characters and returns
// all that it writes there, also when it fails.
func OnTerminal(cmd *exec.Cmd, columns, rows uint16) ([]byte, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer master.Close()
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("number of the terminal: %w", err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		return nil, fmt.Errorf("size of the terminal: %w", err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	err = cmd.Start()
	terminal.Close()
	if err != nil {
		return nil, err
	}
	var shown bytes.Buffer
	_, err = io.Copy(&shown, master)
	if errors.Is(err, syscall.EIO) { // nobody has the terminal open any more
		err = nil
	}
	return shown.Bytes(), errors.Join(err, cmd.Wait())
}

// control matches what moves the cursor or sets colours.
var control = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// LastScreen returns the lines that are on the screen at the end: buildx goes back
// to its first line and column to show each state of the build.
func LastScreen(shown []byte) []string {
	var last string
	for _, screen := range strings.Split(string(shown), "\x1b[0G") {
		text := control.ReplaceAllString(screen, "")
		text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
		if text != "" {
			last = text
		}
	}
	return strings.Split(last, "\n")
}
