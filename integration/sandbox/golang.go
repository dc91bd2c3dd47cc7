package sandbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// Golang is library/golang:1.26 for this machine's architecture: Debian with
// this machine's Go toolchain, certificates and Go proxy settings. It has no C
// compiler.
var Golang = Image{ref: "library/golang:1.26", name: "golang", version: 2, inputs: golangInputs, build: buildGolang}

// goSettings are the go env variables that say where modules come from. A build
// inside the sandbox gets them from this machine.
var goSettings = []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE"}

// goEnv returns this machine's value of go env variables.
func goEnv(names ...string) (map[string]string, error) {
	out, err := exec.Command("go", append([]string{"env", "-json"}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	env := map[string]string{}
	return env, json.Unmarshal(out, &env)
}

func golangInputs() (string, error) {
	env, err := goEnv(append([]string{"GOVERSION"}, goSettings...)...)
	if err != nil {
		return "", err
	}
	certs, err := certificates()
	if err != nil {
		return "", err
	}
	debian, err := Debian.key()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%v %x %s", env, sha256.Sum256(certs), debian), nil
}

// certificates returns this machine's certificate authorities in PEM format.
func certificates() ([]byte, error) {
	path := cmp.Or(os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt")
	return os.ReadFile(path)
}

func buildGolang(ctx context.Context, work string) (v1.ImageIndex, error) {
	env, err := goEnv(append([]string{"GOROOT", "GOVERSION"}, goSettings...)...)
	if err != nil {
		return nil, err
	}
	certs, err := certificates()
	if err != nil {
		return nil, err
	}
	toolchain, err := treeLayer(ctx, work, env["GOROOT"], "usr/local/go", "./test", "./api", "./doc", "./misc", "./pkg/obj")
	if err != nil {
		return nil, err
	}
	settings, err := NewLayer(
		File{Path: "etc/ssl/"},
		File{Path: "etc/ssl/certs/"},
		File{Path: "etc/ssl/certs/ca-certificates.crt", Body: string(certs)},
		File{Path: "go/", Mode: 0o1777},
		File{Path: "go/src/", Mode: 0o1777},
		File{Path: "go/bin/", Mode: 0o1777},
	)
	if err != nil {
		return nil, err
	}
	base, err := onlyImage(ctx, Debian)
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(base, toolchain, settings)
	if err != nil {
		return nil, err
	}
	config := v1.Config{
		Cmd:        []string{"bash"},
		WorkingDir: "/go",
		Env: append(withPath("/go/bin", "/usr/local/go/bin"),
			"GOLANG_VERSION="+env["GOVERSION"][len("go"):], "GOTOOLCHAIN=local", "GOPATH=/go"),
	}
	for _, name := range goSettings {
		if env[name] != "" {
			config.Env = append(config.Env, name+"="+env[name])
		}
	}
	slices.Sort(config.Env[1:])
	if image, err = mutate.Config(image, config); err != nil {
		return nil, err
	}
	return newIndex(image)
}

// onlyImage returns the image of a base image made for one platform.
func onlyImage(ctx context.Context, i Image) (v1.Image, error) {
	index, err := i.load(ctx)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, errors.New(i.name + " is not an image for one platform")
	}
	return index.Image(manifest.Manifests[0].Digest)
}
