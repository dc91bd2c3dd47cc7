package sandbox

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layerTime is the modification time of every file in the images, so that the
// same recipe gives the same image.
var layerTime = time.Unix(1_700_000_000, 0)

// File is an entry of a layer made by NewLayer.
type File struct {
	Path string // relative to the root, slash-separated; a directory's ends with /
	Mode int64  // permission bits; 0 means 0644, and 0755 for a directory; a hard link has its target's
	Body string
	Link string // target of a hard link
	Sym  string // target of a symbolic link
	// Xattrs are extended attributes, such as user.note, by their names.
	Xattrs map[string]string
}

// NewLayer returns a gzip-compressed layer of the files, in the given order.
func NewLayer(files ...File) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if err := w.WriteHeader(f.header()); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.Body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarLayer(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	})
}

// header returns the tar header of f.
func (f File) header() *tar.Header {
	h := &tar.Header{Name: f.Path, Mode: f.Mode, Size: int64(len(f.Body)), ModTime: layerTime}
	defaultMode := int64(0o644)
	switch {
	case f.Link != "":
		h.Typeflag, h.Linkname = tar.TypeLink, f.Link
	case f.Sym != "":
		h.Typeflag, h.Linkname, defaultMode = tar.TypeSymlink, f.Sym, 0o777
	case f.Path[len(f.Path)-1] == '/':
		h.Typeflag, defaultMode = tar.TypeDir, 0o755
	default:
		h.Typeflag = tar.TypeReg
	}
	if h.Mode == 0 {
		h.Mode = defaultMode
	}
	for name, value := range f.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords["SCHILY.xattr."+name] = value
	}
	return h
}

// tarLayer returns the layer of an uncompressed tar stream.
func tarLayer(open tarball.Opener) (v1.Layer, error) {
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching)
}
