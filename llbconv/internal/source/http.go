package source

import (
	"net/url"
	"path"
	"strings"

	"github.com/moby/buildkit/client/llb"
	digest "github.com/opencontainers/go-digest"
)

// HTTP is what a URL serves.
type HTTP struct {
	URL      string
	Filename string        // under which the content is stored
	Checksum digest.Digest // of the content, or empty
}

// NewHTTP returns the source of a URL with the checksum that an ADD gives, empty for
// none. It fails if that is not a digest.
func NewHTTP(src, checksum string) (*HTTP, error) {
	h := &HTTP{URL: src, Filename: filename(src)}
	if checksum == "" {
		return h, nil
	}
	var err error
	h.Checksum, err = digest.Parse(checksum)
	return h, err
}

// State returns the file.
func (h *HTTP) State(opts ...llb.HTTPOption) llb.State {
	return llb.HTTP(h.URL, append(opts, llb.Filename(h.Filename), llb.Checksum(h.Checksum))...)
}

// IsHTTP reports whether a source is a URL that is not a git repository.
func IsHTTP(src string) bool {
	return (strings.HasPrefix(src, "http://") || strings.HasPrefix(src, "https://")) && !IsGit(src)
}

// filename is the name under which a URL's content is stored.
func filename(src string) string {
	if u, err := url.Parse(src); err == nil {
		if base := path.Base(u.Path); base != "." && base != "/" {
			return base
		}
	}
	return "__unnamed__"
}
