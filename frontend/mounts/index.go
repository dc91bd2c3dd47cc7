package mounts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Limits of an index.
const (
	maxIndexBytes = 256 << 20
	maxEntries    = 2_000_000
	maxPath       = 4095
	maxXattrBytes = 64 << 10
)

// index says what is in a mount.
type index struct {
	Version int    `json:"version"` // Version
	Mount   string `json:"mount"`   // as in Chain
	// Entries has every directory before what is in it, and every file before its
	// other names. The mount's own directory is not among them: it is the build's.
	Entries []entry `json:"entries"`
}

// kind is what an entry is. There are no devices, pipes and sockets: they are of no
// use on another builder.
type kind string

const (
	kindFile kind = "file"
	kindDir  kind = "dir"
	kindLink kind = "link" // another name of a file
	kindSym  kind = "sym"  // a symbolic link
)

// entry is a file or directory in a mount.
type entry struct {
	Path string `json:"path"` // relative, with slashes
	Kind kind   `json:"kind"`
	// Target is the text of a symbolic link, or the path of the file that a link is
	// another name of.
	Target string `json:"target,omitempty"`
	Size   int64  `json:"size,omitempty"` // of a file, in bytes
	Data   string `json:"data,omitempty"` // digest of its content, if it has any
	attributes
}

// attributes are what there is besides content. A link has those of its file.
type attributes struct {
	Mode   uint32            `json:"mode,omitempty"` // permission, set-id and sticky bits
	UID    int               `json:"uid,omitempty"`
	GID    int               `json:"gid,omitempty"`
	Time   int64             `json:"time,omitempty"` // of modification, in nanoseconds since 1970
	Xattrs map[string][]byte `json:"xattrs,omitempty"`
}

// jsonEntry is an entry in JSON. File names are bytes, but JSON is text: bytes that
// are none are percent-encoded, and so are percent signs.
type jsonEntry entry

// MarshalJSON implements json.Marshaler.
func (e entry) MarshalJSON() ([]byte, error) {
	e.Path, e.Target = escape(e.Path), escape(e.Target)
	return json.Marshal(jsonEntry(e))
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *entry) UnmarshalJSON(data []byte) error {
	err := json.Unmarshal(data, (*jsonEntry)(e))
	if err == nil {
		e.Path, err = url.PathUnescape(e.Path)
	}
	if err == nil {
		e.Target, err = url.PathUnescape(e.Target)
	}
	return err
}

func escape(name string) string {
	if utf8.ValidString(name) && !strings.Contains(name, "%") {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		if r == '%' || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "%%%02X", name[0])
		} else {
			b.WriteString(name[:size])
		}
		name = name[size:]
	}
	return b.String()
}

// encode returns the index as JSON.
func (x *index) encode() ([]byte, error) {
	data, err := json.Marshal(x)
	if err == nil && len(data) > maxIndexBytes {
		err = fmt.Errorf("index: %d bytes, at most %d are read", len(data), maxIndexBytes)
	}
	return data, err
}

// decodeIndex reads the index of a mount from JSON. It fails on one of another mount
// or version, and on one that does not hold together.
func decodeIndex(data []byte, mount string) (*index, error) {
	var x index
	if err := json.Unmarshal(data, &x); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	switch {
	case x.Version != Version:
		return nil, fmt.Errorf("index: version %d, want %d", x.Version, Version)
	case x.Mount != mount:
		return nil, fmt.Errorf("index: of mount %q, want %q", x.Mount, mount)
	case len(x.Entries) > maxEntries:
		return nil, fmt.Errorf("index: %d entries, at most %d are read", len(x.Entries), maxEntries)
	}
	kinds := map[string]kind{".": kindDir}
	for i := range x.Entries {
		e := &x.Entries[i]
		if err := e.check(kinds); err != nil {
			return nil, fmt.Errorf("index: %q: %w", e.Path, err)
		}
		kinds[e.Path] = e.Kind
	}
	return &x, nil
}

// check reports what is wrong with an entry after those in kinds.
func (e *entry) check(kinds map[string]kind) error {
	switch {
	case e.Path == "." || len(e.Path) > maxPath || path.Clean(e.Path) != e.Path || !filepath.IsLocal(e.Path) || strings.ContainsRune(e.Path, 0) || isTemporary(e.Path):
		return errors.New("not a path in the mount")
	case kinds[e.Path] != "":
		return errors.New("there twice")
	case kinds[path.Dir(e.Path)] != kindDir:
		return errors.New("not in a directory of the mount")
	}
	if err := e.checkAttributes(); err != nil {
		return err
	}
	switch e.Kind {
	case kindDir:
		return nil
	case kindFile:
		if e.Size < 0 || e.Size > maxBytes || (e.Size > 0) != isHex(e.Data, 64) {
			return errors.New("a file without content")
		}
		return nil
	case kindLink:
		if kinds[e.Target] != kindFile {
			return errors.New("a link to no file of the mount")
		}
		return nil
	case kindSym:
		if e.Target == "" || len(e.Target) > maxPath || strings.ContainsRune(e.Target, 0) {
			return errors.New("a symbolic link to nothing")
		}
		return nil
	default:
		return fmt.Errorf("unknown kind %q", e.Kind)
	}
}

func (a *attributes) checkAttributes() error {
	if a.Mode&^0o7777 != 0 || a.UID < 0 || a.GID < 0 || int64(a.UID) > 1<<32-2 || int64(a.GID) > 1<<32-2 {
		return errors.New("not an owner and mode")
	}
	size := 0
	for name, value := range a.Xattrs {
		if size += len(name) + len(value); !carriesXattr(name) || size > maxXattrBytes {
			return errors.New("not an extended attribute that is restored")
		}
	}
	return nil
}

// carriesXattr reports whether an extended attribute is the file's own. Those of
// the namespace "trusted" are the filesystem's below it.
func carriesXattr(name string) bool {
	return strings.HasPrefix(name, "user.") || name == "security.capability" || strings.HasPrefix(name, "system.posix_acl_")
}

// size returns how many bytes the files of the index have together.
func (x *index) size() (sum int64, err error) {
	for i := range x.Entries {
		if sum += x.Entries[i].Size; sum > maxBytes {
			return 0, errors.New("index: more bytes than there are")
		}
	}
	return sum, nil
}

// contents returns the digests of all contents, with their sizes.
func (x *index) contents() map[string]int64 {
	out := make(map[string]int64, len(x.Entries))
	for i := range x.Entries {
		if e := &x.Entries[i]; e.Data != "" {
			out[e.Data] = e.Size
		}
	}
	return out
}

// sameContent reports whether two indexes differ at most in times: tools touch the
// files that they use, and that alone is no reason to upload anything.
func (x *index) sameContent(y *index) bool {
	if len(x.Entries) != len(y.Entries) {
		return false
	}
	for i := range x.Entries {
		a, b := x.Entries[i], y.Entries[i]
		a.Time, b.Time = 0, 0
		if !reflect.DeepEqual(a, b) {
			return false
		}
	}
	return true
}
