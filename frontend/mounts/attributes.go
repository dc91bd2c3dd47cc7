package mounts

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func statOf(info fs.FileInfo) (*syscall.Stat_t, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	return st, ok
}

// attributesOf reads the attributes of a file that was looked at.
func attributesOf(dir *os.Root, name string, k kind, st *syscall.Stat_t) (attributes, error) {
	a := attributes{Mode: st.Mode & 0o7777, UID: int(st.Uid), GID: int(st.Gid), Time: st.Mtim.Nano()}
	if k == kindSym {
		a.Mode = 0 // it has none of its own
		return a, nil
	}
	f, err := dir.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return a, err
	}
	defer f.Close()
	a.Xattrs, err = readXattrs(int(f.Fd()))
	return a, err
}

// readXattrs returns the extended attributes that are the file's own; nil if there
// are none or the filesystem has none.
func readXattrs(fd int) (map[string][]byte, error) {
	list := make([]byte, maxXattrBytes)
	n, err := unix.Flistxattr(fd, list)
	if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, &os.SyscallError{Syscall: "flistxattr", Err: err}
	}
	var out map[string][]byte
	for name := range strings.SplitSeq(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if !carriesXattr(name) {
			continue
		}
		value := make([]byte, maxXattrBytes)
		n, err := unix.Fgetxattr(fd, name, value)
		if err != nil {
			return nil, &os.SyscallError{Syscall: "fgetxattr " + name, Err: err}
		}
		if out == nil {
			out = map[string][]byte{}
		}
		out[name] = slices.Clone(value[:n])
	}
	return out, nil
}

// setAttributes gives an open file or directory its owner, mode and extended
// attributes. The owner comes first: the kernel takes set-id bits and capabilities
// away when that changes.
func setAttributes(f *os.File, a *attributes) error {
	fd := int(f.Fd())
	if err := unix.Fchown(fd, a.UID, a.GID); err != nil {
		return &os.PathError{Op: "chown", Path: f.Name(), Err: err}
	}
	if err := unix.Fchmod(fd, a.Mode); err != nil {
		return &os.PathError{Op: "chmod", Path: f.Name(), Err: err}
	}
	for name, value := range a.Xattrs {
		if err := unix.Fsetxattr(fd, name, value, 0); err != nil {
			return &os.PathError{Op: "set " + name + " of", Path: f.Name(), Err: err}
		}
	}
	return nil
}

// setTime sets the time of modification, of a symbolic link's own too.
func setTime(dir *os.Root, name string, nanoseconds int64) error {
	parent, err := dir.OpenFile(path.Dir(name), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer parent.Close()
	at := unix.NsecToTimespec(nanoseconds)
	err = unix.UtimesNanoAt(int(parent.Fd()), path.Base(name), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &os.PathError{Op: "set the time of", Path: name, Err: err}
	}
	return nil
}
