package mounts

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Version is that of everything this package reads and writes. What has another one
// is not read.
const Version = 1

// maxLayers is how many layers a chain has at most. Every one of them is looked up
// on its own by each build.
const maxLayers = 5

// Chain is what was saved of one mount.
type Chain struct {
	// Mount names the mount, on every builder alike.
	Mount string `json:"mount"`
	// Index is the digest of the last layer's index, in hexadecimal digits.
	Index string `json:"index"`
	// Layers are the first one first; there is one at least.
	Layers []Layer `json:"layers"`
}

// Layer is one layer of a chain.
type Layer struct {
	// ID is part of the key of the step that has the layer: see NewID.
	ID string `json:"id"`
	// Bytes is how much content of files the layer has, uncompressed.
	Bytes int64 `json:"bytes"`
}

// last returns the layer with the index.
func (c *Chain) last() Layer { return c.Layers[len(c.Layers)-1] }

// bytes returns how much content all layers have.
func (c *Chain) bytes() (sum int64) {
	for _, l := range c.Layers {
		sum += l.Bytes
	}
	return sum
}

// check reports what makes a chain unusable.
func (c *Chain) check() error {
	if c.Mount == "" || !isHex(c.Index, 64) || len(c.Layers) == 0 || len(c.Layers) > maxLayers {
		return errors.New("not a chain of layers")
	}
	for _, l := range c.Layers {
		if !isHex(l.ID, 2*idBytes) || l.Bytes < 0 || l.Bytes > maxBytes {
			return errors.New("not a layer")
		}
	}
	return nil
}

const (
	idBytes = 16
	// maxBytes is more than any mount has, and far from what overflows.
	maxBytes = 1 << 50
)

// NewID returns a random text that no other layer has.
func NewID() string {
	var id [idBytes]byte
	rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func isHex(s string, length int) bool {
	return len(s) == length && strings.Trim(s, "0123456789abcdef") == ""
}

// Pointer says what was saved of all mounts of a build.
type Pointer struct {
	Version int     `json:"version"` // Version
	Chains  []Chain `json:"chains"`
}

// MaxPointerBytes bounds the JSON form of a pointer.
const MaxPointerBytes = 256 << 10

// Encode returns the pointer as JSON. It fails if that is longer than
// MaxPointerBytes.
func (p Pointer) Encode() ([]byte, error) {
	p.Version = Version
	data, err := json.Marshal(p)
	if err == nil && len(data) > MaxPointerBytes {
		err = fmt.Errorf("pointer: %d bytes, at most %d are read", len(data), MaxPointerBytes)
	}
	return data, err
}

// DecodePointer reads a pointer from JSON; no bytes are a pointer to nothing. It
// fails on another version and on what is not one.
func DecodePointer(data []byte) (Pointer, error) {
	var p Pointer
	if len(data) == 0 {
		return p, nil
	}
	if len(data) > MaxPointerBytes {
		return p, fmt.Errorf("pointer: %d bytes, at most %d are read", len(data), MaxPointerBytes)
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return Pointer{}, fmt.Errorf("pointer: %w", err)
	}
	if p.Version != Version {
		return Pointer{}, fmt.Errorf("pointer: version %d, want %d", p.Version, Version)
	}
	seen := map[string]bool{}
	for i := range p.Chains {
		c := &p.Chains[i]
		if err := c.check(); err != nil {
			return Pointer{}, fmt.Errorf("pointer: %w", err)
		}
		if seen[c.Mount] {
			return Pointer{}, fmt.Errorf("pointer: two chains of mount %q", c.Mount)
		}
		seen[c.Mount] = true
	}
	return p, nil
}

// Chain returns what was saved of a mount; nil if nothing was.
func (p Pointer) Chain(mount string) *Chain {
	for i := range p.Chains {
		if p.Chains[i].Mount == mount {
			return &p.Chains[i]
		}
	}
	return nil
}

// With returns the pointer with a chain, which replaces one of the same mount.
func (p Pointer) With(c Chain) Pointer {
	out := Pointer{Version: Version, Chains: []Chain{}}
	for _, old := range p.Chains {
		if old.Mount != c.Mount {
			out.Chains = append(out.Chains, old)
		}
	}
	out.Chains = append(out.Chains, c)
	return out
}
