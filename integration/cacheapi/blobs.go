// Package cacheapi serves two APIs that caches of builds are kept in and that tests
// cannot reach: Azure's blobs, and GitHub's cache for workflows, whose contents are
// such blobs. It has what BuildKit asks for, and answers anything else with an error.
package cacheapi

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Blobs is a storage account with block blobs. Its methods may be called from several
// goroutines.
type Blobs struct {
	*httptest.Server

	mu         sync.Mutex
	containers map[string]bool
	blobs      map[string][]byte // by path, with that of the container
	blocks     map[string][]byte // uploaded, and in no blob yet; by path and ID
	requests   int
}

// NewBlobs starts a server without containers, which ends with the test.
func NewBlobs(t testing.TB) *Blobs {
	b := &Blobs{containers: map[string]bool{}, blobs: map[string][]byte{}, blocks: map[string][]byte{}}
	b.Server = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.Close)
	return b
}

// All returns the contents of all blobs by their paths, which begin with a slash.
func (b *Blobs) All() map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.blobs)
}

// Remove removes the blob with a path, if there is one.
func (b *Blobs) Remove(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.blobs, path)
}

// serve answers a request for a container or a blob.
func (b *Blobs) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests++
	w.Header().Set("x-ms-request-id", strconv.Itoa(b.requests))
	q := r.URL.Query()
	what := fmt.Sprintf("%s %s %s", r.Method, q.Get("restype"), q.Get("comp"))
	switch strings.Join(strings.Fields(what), " ") {
	case "GET container", "HEAD container":
		if !b.containers[r.URL.Path] {
			fail(w, http.StatusNotFound, "ContainerNotFound")
		}
	case "PUT container":
		b.containers[r.URL.Path] = true
		w.WriteHeader(http.StatusCreated)
	case "GET", "HEAD":
		b.get(w, r)
	case "PUT":
		b.put(w, r, body)
	case "PUT block":
		b.blocks[r.URL.Path+" "+q.Get("blockid")] = body
		w.WriteHeader(http.StatusCreated)
	case "PUT blocklist":
		if data, err := b.joined(r.URL.Path, body); err != nil {
			fail(w, http.StatusBadRequest, "InvalidBlockList")
		} else {
			b.put(w, r, data)
		}
	default:
		fail(w, http.StatusNotImplemented, "UnsupportedOperation")
	}
}

// get sends a blob, or the range of it that is asked for.
func (b *Blobs) get(w http.ResponseWriter, r *http.Request) {
	data, ok := b.blobs[r.URL.Path]
	if !ok {
		fail(w, http.StatusNotFound, "BlobNotFound")
		return
	}
	if part := r.Header.Get("x-ms-range"); part != "" {
		r.Header.Set("Range", part)
	}
	w.Header().Set("x-ms-blob-type", "BlockBlob")
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// put stores a blob, but not over another one if it must not.
func (b *Blobs) put(w http.ResponseWriter, r *http.Request, data []byte) {
	if _, ok := b.blobs[r.URL.Path]; ok && r.Header.Get("If-None-Match") == "*" {
		fail(w, http.StatusConflict, "BlobAlreadyExists")
		return
	}
	b.blobs[r.URL.Path] = data
	w.WriteHeader(http.StatusCreated)
}

// joined returns what a list of blocks makes.
func (b *Blobs) joined(path string, list []byte) ([]byte, error) {
	var blocks struct {
		Latest []string
	}
	if err := xml.Unmarshal(list, &blocks); err != nil {
		return nil, err
	}
	var out []byte
	for _, id := range blocks.Latest {
		block, ok := b.blocks[path+" "+id]
		if !ok {
			return nil, fmt.Errorf("no block %s", id)
		}
		out = append(out, block...)
		delete(b.blocks, path+" "+id)
	}
	return out, nil
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.WriteHeader(status)
}
