package cacheplan

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// FileSet is a selection of files of a build context, as one instruction makes it.
// Steps with the same selection share it.
type FileSet struct {
	ID string `json:"id"` // unique in the plan
	// Context is the build context's name, empty for the main one.
	Context string `json:"context,omitempty"`
	// Patterns are the selected paths or wildcards, relative to the context, and
	// Exclude what the instruction leaves out of them. DIR/./PATTERN or ./PATTERN, as
	// COPY --parents has it, is what matches PATTERN in DIR, with ** for any
	// directories.
	Patterns []string `json:"patterns"`
	Exclude  []string `json:"exclude,omitempty"`
	// IgnoreModes: of the permission bits only "executable by anyone" counts.
	IgnoreModes bool `json:"ignoreModes,omitempty"`
	// Known: Files, or Digest alone, say what was selected. Before that nobody has
	// looked.
	Known bool `json:"known,omitempty"`
	// Files are sorted by path. They are left out of a set that is too large to keep,
	// which has Digest and Count (of all but directories) instead.
	Files  []File `json:"files,omitempty"`
	Digest string `json:"digest,omitempty"`
	Count  int    `json:"count,omitempty"`

	// total is the sum of Files, where it was taken already.
	total string
}

// File is one file, directory or symbolic link of a FileSet.
type File struct {
	Path   string     `json:"path"`
	Digest FileDigest `json:"digest"`
	Mode   FileMode   `json:"mode"`
}

// HasWildcard reports whether a pattern of a COPY source has wildcards that are
// not escaped with a backslash.
func HasWildcard(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*', '?', '[':
			return true
		case '\\':
			i++
		}
	}
	return false
}

// FileDigest stands for all that counts of a file but its path and mode: content,
// owner, link target, extended attributes, but never times. It is the beginning
// of a SHA-256 sum, and zero for a directory that has nothing but a mode.
type FileDigest [16]byte

// MarshalText returns the digest in hexadecimal digits.
func (d FileDigest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (d *FileDigest) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(d[:], text[:min(len(text), 2*len(d))]); err != nil || len(text) != 2*n || n != len(d) {
		return fmt.Errorf("%q is not a file digest", text)
	}
	return nil
}

// FileMode is a file's type and permission bits as in st_mode of Unix.
type FileMode uint32

// Parts of a FileMode.
const (
	modeType       FileMode = 0o170000
	modeDir        FileMode = 0o040000
	modePermission FileMode = 0o007777
	modeExecutable FileMode = 0o000111
)

// IsDir reports whether the mode is that of a directory.
func (m FileMode) IsDir() bool { return m&modeType == modeDir }

// Type returns the bits that say what kind of file it is.
func (m FileMode) Type() FileMode { return m & modeType }

// Permission returns the bits that chmod sets.
func (m FileMode) Permission() FileMode { return m & modePermission }

// MarshalText returns the mode in octal digits.
func (m FileMode) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(m), 8), nil }

// UnmarshalText reads octal digits.
func (m *FileMode) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 8, 32)
	*m = FileMode(n)
	return err
}

// Counted returns the part of the mode that is in the key.
func (m FileMode) Counted(ignoreModes bool) FileMode {
	if !ignoreModes {
		return m
	}
	if m&modeExecutable != 0 {
		return m&modeType | modeExecutable
	}
	return m & modeType
}

// SetFiles makes the set known. The files must be sorted by path, each path once,
// and must not be changed afterwards.
func (s *FileSet) SetFiles(files []File) {
	s.Known, s.Files, s.Digest, s.Count, s.total = true, files, "", 0, ""
	s.total = s.Sum()
}

// SetSummed makes the set known as SetFiles does, with a sum that Sum returned for
// these files before.
func (s *FileSet) SetSummed(files []File, sum string) {
	s.Files, s.total = files, sum
}

// WithoutFiles returns a known set with a digest and a count instead of its files.
func (s FileSet) WithoutFiles() FileSet {
	if s.Known && s.Digest == "" {
		s.Digest, s.Count = s.Sum(), s.Size()
	}
	s.Files = nil
	return s
}

// Size returns how many files a known set has, not counting directories.
func (s *FileSet) Size() int {
	n := s.Count
	if s.Digest == "" {
		for i := range s.Files {
			if !s.Files[i].Mode.IsDir() {
				n++
			}
		}
	}
	return n
}

// Sum returns a text that stands for the content of a known set.
func (s *FileSet) Sum() string {
	if s.Digest != "" {
		return s.Digest
	}
	if s.total != "" {
		return s.total
	}
	h := NewHasher()
	for i := range s.Files {
		f := &s.Files[i]
		h.Add(f.Path)
		h.Add(string(f.Digest[:]))
		h.Add(strconv.FormatUint(uint64(f.Mode.Counted(s.IgnoreModes)), 8))
	}
	total := h.Sum()
	return "sha256:" + hex.EncodeToString(total[:])
}
