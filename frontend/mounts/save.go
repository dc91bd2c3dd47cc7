package mounts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// save writes a layer with what is new in a mount's directory to a file at out, and
// returns the chain that it makes together with what was saved before. last is the
// directory with the last layer of before; neither is needed. The chain is nil, and
// there is no layer, if the mount is empty or has the content that was saved before.
//
// A chain that has become long, or of which more than half is not in the mount any
// more, begins anew with one layer that has everything.
func save(dir *os.Root, mount string, before *Chain, last string, max int64, out string) (*Chain, error) {
	now, err := scan(dir, mount, max)
	if err != nil || len(now.Entries) == 0 {
		return nil, err
	}
	known := map[string]int64{}
	if before != nil {
		saved, err := savedIndex(before, last, max)
		if err == nil && now.sameContent(saved) {
			return nil, nil
		}
		if err != nil {
			before = nil // it is of no use to anybody
		} else {
			known = saved.contents()
		}
	}
	if before != nil && mustCompact(before, now, known) {
		before, known = nil, nil
	}
	return writeLayer(dir, now, before, known, out)
}

// savedIndex returns the index in the directory with a chain's last layer.
func savedIndex(c *Chain, dir string, max int64) (*index, error) {
	r, err := openLayer(dir, max)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.readIndex(c)
}

// mustCompact reports whether a chain is too long for one layer more, or more than
// half of it would be of no use.
func mustCompact(before *Chain, now *index, known map[string]int64) bool {
	var used int64
	for data := range now.contents() {
		used += known[data]
	}
	return len(before.Layers) == maxLayers || before.bytes() > 2*used
}

// writeLayer writes the layer, and returns the chain with it.
func writeLayer(dir *os.Root, now *index, before *Chain, known map[string]int64, out string) (*Chain, error) {
	data, err := now.encode()
	if err != nil {
		return nil, err
	}
	w, err := createLayer(out)
	if err != nil {
		return nil, err
	}
	bytes, err := writeContents(w, dir, now, data, known)
	if closing := w.close(); err == nil {
		err = closing
	}
	if err != nil {
		os.Remove(out)
		return nil, err
	}
	chain := &Chain{Mount: now.Mount, Index: digestOf(data)}
	if before != nil {
		chain.Layers = append(chain.Layers, before.Layers...)
	}
	chain.Layers = append(chain.Layers, Layer{ID: NewID(), Bytes: bytes})
	return chain, nil
}

// writeContents writes the index and the contents that are not known yet. It returns
// how many bytes these have.
func writeContents(w *layerWriter, dir *os.Root, now *index, data []byte, known map[string]int64) (bytes int64, err error) {
	if err := w.begin(indexName, int64(len(data))); err != nil {
		return 0, err
	}
	if _, err := w.tar.Write(data); err != nil {
		return 0, err
	}
	written := map[string]bool{}
	for i := range now.Entries {
		e := &now.Entries[i]
		if _, ok := known[e.Data]; ok || e.Data == "" || written[e.Data] {
			continue
		}
		written[e.Data] = true
		bytes += e.Size
		if err := w.begin(e.Data, e.Size); err != nil {
			return 0, err
		}
		sum := sha256.New()
		if err := copyFile(dir, e, io.MultiWriter(w.tar, sum)); err != nil {
			return 0, err
		}
		if hex.EncodeToString(sum.Sum(nil)) != e.Data {
			return 0, fmt.Errorf("%s changes while it is saved", e.Path)
		}
	}
	return bytes, nil
}
