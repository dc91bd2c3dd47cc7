package main

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// mirrorImages are the images that the suite's daemons get from the mirror, by
// repository and tag: what upstream's CI copies from Docker Hub, as stand-ins.
//
// The last two are there because a group of tests does not start without them;
// the single test of each group that needs the real content fails on both sides.
func mirrorImages(ctx context.Context) (map[string]v1.Image, error) {
	busybox, err := sandbox.Busybox.Native(ctx)
	if err != nil {
		return nil, err
	}
	alpine, err := alpineWithGit(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]v1.Image{
		"library/busybox:latest":              busybox,
		"library/busybox:stable-musl":         busybox,
		"library/alpine:latest":               alpine,
		"amd64/debian:bullseye-20230109-slim": busybox,
		"tonistiigi/hellofs:latest":           busybox,
	}, nil
}

// apk is the stand-in for Alpine's package manager: the one package that it can
// install is there already.
const apk = `#!/bin/sh
[ "$*" = "add git" ] && exit
echo "apk: this is a stand-in for alpine, which has no package but git" >&2
exit 1
`

// alpineWithGit is the sandbox's alpine with this machine's git in it, for the
// tests that "apk add git".
func alpineWithGit(ctx context.Context) (v1.Image, error) {
	alpine, err := sandbox.Alpine.Native(ctx)
	if err != nil {
		return nil, err
	}
	files := []sandbox.File{{Path: "sbin/apk", Mode: 0o755, Body: apk}}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	libraries, err := sharedLibraries(ctx, git)
	if err != nil {
		return nil, err
	}
	for _, path := range append(libraries, git) {
		body, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, sandbox.File{Path: strings.TrimPrefix(path, "/"), Mode: 0o755, Body: string(body)})
	}
	layer, err := sandbox.NewLayer(files...)
	if err != nil {
		return nil, err
	}
	return addToLayer(alpine, layer)
}

// addToLayer puts the files of layer into the one layer of img: the tests count
// layers.
func addToLayer(img v1.Image, layer v1.Layer) (v1.Image, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	both, err := mutate.AppendLayers(img, layer)
	if err != nil {
		return nil, err
	}
	flat, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return mutate.Extract(both), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	history := config.History
	config.RootFS.DiffIDs, config.History = nil, nil
	img, err = mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	if err != nil {
		return nil, err
	}
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, h := range history {
		add := mutate.Addendum{History: h}
		if !h.EmptyLayer {
			add.Layer = flat
		}
		if img, err = mutate.Append(img, add); err != nil {
			return nil, err
		}
	}
	return img, nil
}

// sharedLibraries lists what a dynamically linked program loads, with the loader.
func sharedLibraries(ctx context.Context, program string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", program, err)
	}
	var files []string
	for _, word := range strings.Fields(string(out)) { // NAME => PATH (ADDRESS), or PATH (ADDRESS)
		if filepath.IsAbs(word) {
			files = append(files, word)
		}
	}
	return files, nil
}

// writeFrontendImage wraps a static frontend binary as docker/dockerfile's image
// is made and writes it to dst as an OCI layout in a tar, which is what the
// suite reads from FRONTEND_GATEWAY_ONLY=local:dst.
func writeFrontendImage(binary, dst string) error {
	img, err := sandbox.FrontendImage(platform, binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(dst), "layout")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := l.AppendImage(img); err != nil {
		return err
	}
	f, err := os.Create(dst)
	if err != nil {
		return err
	}
	defer f.Close()
	tw := tar.NewWriter(f)
	if err := tw.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return f.Close()
}
