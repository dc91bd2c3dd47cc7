package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
)

// program is a Go program in a scanned filesystem.
type program struct {
	path         string // from the filesystem's root
	sha1, sha256 string // of the file
	info         *debug.BuildInfo
}

// findPrograms returns the Go programs below dir, in the order of their paths.
func findPrograms(dir string) ([]program, error) {
	var found []program
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		p, err := readProgram(path)
		if p == nil || err != nil {
			return err
		}
		if p.path, err = filepath.Rel(dir, path); err != nil {
			return err
		}
		found = append(found, *p)
		return nil
	})
	return found, err
}

// readProgram returns nil for a file that is no Go program.
func readProgram(path string) (*program, error) {
	info, err := buildinfo.ReadFile(path)
	var unreadable *fs.PathError
	if errors.As(err, &unreadable) {
		return nil, err
	}
	if err != nil {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	short, long := sha1.Sum(data), sha256.Sum256(data)
	return &program{sha1: hex.EncodeToString(short[:]), sha256: hex.EncodeToString(long[:]), info: info}, nil
}
