package mounts

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

// LayerName is the file of a layer in the result of the step that has it.
const LayerName = "layer.tar.zst"

// indexName is the first file of a layer.
const indexName = "index.json"

// layerWriter writes a layer.
type layerWriter struct {
	file *os.File
	zstd *zstd.Encoder
	tar  *tar.Writer
}

// createLayer begins a layer at a path where there is none.
func createLayer(path string) (*layerWriter, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &layerWriter{file: f, zstd: z, tar: tar.NewWriter(z)}, nil
}

// begin begins a file in the layer, which is then written to w.tar.
func (w *layerWriter) begin(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX})
}

// close ends the layer.
func (w *layerWriter) close() error {
	return errors.Join(w.tar.Close(), w.zstd.Close(), w.file.Close())
}

// layerReader reads a layer.
type layerReader struct {
	file *os.File
	zstd *zstd.Decoder
	tar  *tar.Reader
}

// maxWindow is how much memory a layer may ask for to be decompressed, in bytes.
const maxWindow = 64 << 20

// maxOverhead is how much of a layer is no content of files, in bytes: the index, and
// what an archive has for each file.
const maxOverhead = maxIndexBytes + maxEntries*2<<10

// openLayer opens the layer in a directory, which is read as far as one of a mount
// with max bytes can go.
func openLayer(dir string, max int64) (*layerReader, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(LayerName, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("the cache has lost them")
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("the layer is not a file")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		f.Close()
		return nil, err
	}
	return &layerReader{file: f, zstd: z, tar: tar.NewReader(io.LimitReader(z, max+maxOverhead))}, nil
}

func (r *layerReader) close() {
	r.zstd.Close()
	r.file.Close()
}

// next goes to the next file; io.EOF if there is none.
func (r *layerReader) next() (*tar.Header, error) {
	h, err := r.tar.Next()
	if err == nil && h.Typeflag != tar.TypeReg {
		err = fmt.Errorf("layer: %q is not a file", h.Name)
	}
	return h, err
}

// readIndex reads the index of a chain from its last layer, which has just been
// opened. It fails if it is not the one that the chain names.
func (r *layerReader) readIndex(c *Chain) (*index, error) {
	h, err := r.next()
	if err != nil {
		return nil, err
	}
	if h.Name != indexName || h.Size > maxIndexBytes {
		return nil, errors.New("layer: begins with no index")
	}
	data, err := io.ReadAll(io.LimitReader(r.tar, maxIndexBytes))
	if err != nil {
		return nil, err
	}
	if digestOf(data) != c.Index {
		return nil, errors.New("layer: not the index that was saved")
	}
	return decodeIndex(data, c.Mount)
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
