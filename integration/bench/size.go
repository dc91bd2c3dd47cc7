package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/cachewright/cachewright/integration/release"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// Size compiles the frontends for every platform of the release and measures
// them as they are transferred: compressed like the release image's layer.
// Upstream's has the same compiler flags and is stripped like ours. A second
// table lists what ours consists of.
func Size(ctx context.Context) ([]*Table, error) {
	dir, err := os.MkdirTemp("", "cachewright-size-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	tagged := program{side: "upstream with our build tags", pkg: upstreamPackage, tags: sandbox.FrontendTags}
	t := &Table{Header: []string{"Frontend image, compressed", ours, upstream, "ours / upstream", "bar", tagged.side}}
	for target := range strings.SplitSeq(release.Platforms, ",") {
		sizes := map[string]float64{}
		for _, p := range []program{oursProgram, upstreamProgram, tagged} {
			if sizes[p.side], err = compressedSize(ctx, p, target, filepath.Join(dir, "binary")); err != nil {
				return nil, err
			}
		}
		t.Rows = append(t.Rows, []string{target, megabytes(sizes[ours]), megabytes(sizes[upstream]),
			ratio(sizes[ours] / sizes[upstream]), "1.00", megabytes(sizes[tagged.side])})
	}
	parts, err := weights(ctx, dir)
	if err != nil {
		return nil, err
	}
	return []*Table{t, parts}, nil
}

// compressedSize returns how many bytes a program's binary takes in an image.
// What else is in the image are labels.
func compressedSize(ctx context.Context, p program, platform, binary string) (float64, error) {
	if err := sandbox.Compile(ctx, platform, p.pkg, binary, p.tags); err != nil {
		return 0, err
	}
	body, err := os.ReadFile(binary)
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(body); err != nil {
		return 0, err
	}
	return float64(out.Len()), w.Close()
}
