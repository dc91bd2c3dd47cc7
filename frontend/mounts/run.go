package mounts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Where the frontend mounts what the steps read and write.
const (
	// MountsDir has a directory 0, 1, … for each of Request.Mounts: the cache mount
	// itself.
	MountsDir = "/cachewright/mounts"
	// LayersDir has a directory 0, 1, … for each of Request.Mounts, and in it, for
	// restore, 0, 1, … with each layer of its chain, read-only; for save only the one
	// with the last.
	LayersDir = "/cachewright/layers"
	// SavedDir is a cache mount that holds layers from the step that saves them until
	// the one that hands them on.
	SavedDir = "/cachewright/saved"
	// OutDir is an empty mount for ReportName, or for LayerName.
	OutDir     = "/cachewright/out"
	ReportName = "report.json"
)

// Dirs says where the mounts are.
type Dirs struct{ Mounts, Layers, Saved, Out string }

// MountedDirs returns the places where the frontend mounts everything.
func MountedDirs() Dirs { return Dirs{MountsDir, LayersDir, SavedDir, OutDir} }

func (d Dirs) mount(i int) string { return filepath.Join(d.Mounts, strconv.Itoa(i)) }

func (d Dirs) layer(i, j int) string {
	return filepath.Join(d.Layers, strconv.Itoa(i), strconv.Itoa(j))
}

// Request is what the frontend asks for, as JSON in the command's arguments.
type Request struct {
	Version int            `json:"version"` // Version
	Mounts  []MountRequest `json:"mounts"`
	// MaxBytes is how much the files of one mount have at most.
	MaxBytes int64 `json:"maxBytes,omitempty"`
	// Nonce makes the step unlike all others, so that it runs.
	Nonce string `json:"nonce"`
}

// MountRequest is a mount in a request.
type MountRequest struct {
	Mount string `json:"mount"`           // as in Chain
	Chain *Chain `json:"chain,omitempty"` // what was saved of it, if anything
}

// Report is the answer, with one MountReport for each mount of the request.
type Report struct {
	Version int           `json:"version"` // Version
	Mounts  []MountReport `json:"mounts"`
}

// MountReport is what became of a mount.
type MountReport struct {
	Mount string `json:"mount"`
	// Empty: there is nothing in it. Of look.
	Empty bool `json:"empty,omitempty"`
	// Entries is how many files and directories were restored.
	Entries int `json:"entries,omitempty"`
	// Chain is what is saved of it now, if that is something new. The last layer is to
	// be fetched from SavedDir with Content.
	Chain *Chain `json:"chain,omitempty"`
	// TooLarge is how many bytes its files have, if that is more than MaxBytes.
	TooLarge int64 `json:"tooLarge,omitempty"`
	// Problem says what went wrong.
	Problem string `json:"problem,omitempty"`
}

// Look reports which mounts are empty. It fails only if the report cannot be written,
// like Restore and Save.
func Look(dirs Dirs, request []byte) error {
	return each(dirs, request, func(r *MountReport, dir *os.Root, i int, req *Request) error {
		var err error
		r.Empty, _, err = isEmpty(dir)
		return err
	})
}

// Restore puts what was saved into the mounts that are empty.
func Restore(dirs Dirs, request []byte) error {
	return each(dirs, request, func(r *MountReport, dir *os.Root, i int, req *Request) error {
		chain := req.Mounts[i].Chain
		if chain == nil {
			return nil
		}
		var layers []string
		for j := range chain.Layers {
			layers = append(layers, dirs.layer(i, j))
		}
		var err error
		r.Entries, err = restore(dir, chain, layers, req.MaxBytes)
		return err
	})
}

// Save writes a layer to SavedDir for each mount whose content is not what was saved.
func Save(dirs Dirs, request []byte) error {
	removeLeft(dirs.Saved)
	return each(dirs, request, func(r *MountReport, dir *os.Root, i int, req *Request) error {
		temp := filepath.Join(dirs.Saved, "tmp-"+NewID())
		m := req.Mounts[i]
		chain, err := save(dir, m.Mount, m.Chain, dirs.layer(i, 0), req.MaxBytes, temp)
		if err != nil || chain == nil {
			return err
		}
		r.Chain = chain
		return os.Rename(temp, savedLayer(dirs.Saved, chain.last().ID))
	})
}

func savedLayer(dir, id string) string { return filepath.Join(dir, id+".tar.zst") }

// keepSaved is how long a layer is kept that nobody fetches.
const keepSaved = time.Hour

// removeLeft removes layers of builds that were cut off.
func removeLeft(dir string) {
	list, _ := os.ReadDir(dir)
	for _, item := range list {
		if info, err := item.Info(); err == nil && time.Since(info.ModTime()) > keepSaved {
			os.RemoveAll(filepath.Join(dir, item.Name()))
		}
	}
}

// Content moves the layer with that ID from SavedDir to OutDir. There is none on a
// builder that did not save it; then nothing is in OutDir, and that is no error. The
// directory "none" is left empty: the build's attestations point to it.
func Content(dirs Dirs, id string) error {
	if err := os.Mkdir(filepath.Join(dirs.Out, NoneName), 0o755); err != nil {
		return err
	}
	if !isHex(id, 2*idBytes) {
		return fmt.Errorf("%q is not the ID of a layer", id)
	}
	from, err := os.OpenFile(savedLayer(dirs.Saved, id), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dirs.Out, LayerName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	return os.Remove(from.Name())
}

// NoneName is an empty directory beside a layer.
const NoneName = "none"

// each does something with every mount of a request and writes the report.
func each(dirs Dirs, request []byte, do func(*MountReport, *os.Root, int, *Request) error) error {
	var req Request
	report := Report{Version: Version}
	if err := json.Unmarshal(request, &req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if req.Version != Version {
		return fmt.Errorf("request: version %d, want %d", req.Version, Version)
	}
	for i, m := range req.Mounts {
		r := MountReport{Mount: m.Mount}
		if err := one(&r, dirs.mount(i), i, &req, do); err != nil {
			r = MountReport{Mount: m.Mount, Problem: err.Error()}
			var large *tooLargeError
			if errors.As(err, &large) {
				r.TooLarge = large.size
			}
		}
		report.Mounts = append(report.Mounts, r)
	}
	data, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dirs.Out, ReportName), data, 0o644)
}

// one does it with one mount. A fault in there must not fail a build, so a panic is a
// problem too.
func one(r *MountReport, dir string, i int, req *Request, do func(*MountReport, *os.Root, int, *Request) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return do(r, root, i, req)
}

// DecodeReport reads a report on the mounts of a request.
func DecodeReport(data []byte, req *Request) (*Report, error) {
	var r Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if r.Version != Version || len(r.Mounts) != len(req.Mounts) {
		return nil, errors.New("report: not the answer to the request")
	}
	return &r, nil
}
