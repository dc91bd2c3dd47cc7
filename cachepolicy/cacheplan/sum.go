package cacheplan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
)

// Sum is a shortened SHA-256 sum.
type Sum [16]byte

// MarshalText returns the sum in hexadecimal digits.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads 32 hexadecimal digits.
func (s *Sum) UnmarshalText(text []byte) error {
	if len(text) != 2*len(s) {
		return fmt.Errorf("%q is not a sum", text)
	}
	_, err := hex.Decode(s[:], text)
	return err
}

// Hasher sums a list of texts so that no two lists run into each other.
type Hasher struct {
	h   hash.Hash
	buf []byte // what h has not seen yet
}

// NewHasher returns a Hasher of an empty list.
func NewHasher() *Hasher { return &Hasher{h: sha256.New()} }

// Add adds a text to the list.
func (h *Hasher) Add(text string) {
	const flush = 4096
	h.buf = strconv.AppendInt(h.buf, int64(len(text)), 10)
	h.buf = append(h.buf, ' ')
	h.buf = append(h.buf, text...)
	if len(h.buf) > flush {
		h.h.Write(h.buf)
		h.buf = h.buf[:0]
	}
}

// Sum ends the list.
func (h *Hasher) Sum() Sum {
	h.h.Write(h.buf)
	var out Sum
	copy(out[:], h.h.Sum(nil))
	return out
}
