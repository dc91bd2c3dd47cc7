package bench

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/cachewright/cachewright/integration/npmregistry"
	"github.com/cachewright/cachewright/integration/sandbox"
)

// npmPackages is how many packages an npm project asks for.
const npmPackages = 60

// The versions of the packages. The first ones have a newer one too.
const (
	npmVersion = "1.0.0"
	npmNewer   = "1.1.0"
)

// packages is a registry of made-up packages, of 100 to 500 KB that hardly compress.
type packages struct {
	server http.Server
	url    string
	pages  map[string][]byte
}

// startPackages starts one on a free port.
func startPackages() (*packages, error) {
	r := &packages{}
	// The files are there before the first request: the projects are made of them.
	r.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		data, ok := r.pages[req.URL.Path]
		if !ok {
			http.NotFound(w, req)
			return
		}
		_, _ = w.Write(data)
	})
	addr, err := listen(&r.server)
	if err != nil {
		return nil, err
	}
	r.url = "http://" + addr
	random := rand.NewChaCha8([32]byte{})
	var all []npmregistry.Package
	for i := range npmPackages {
		versions := []string{npmVersion}
		if i < 2 {
			versions = append(versions, npmNewer)
		}
		for _, version := range versions {
			content := make([]byte, 75_000+5_000*i)
			_, _ = random.Read(content) // never fails
			all = append(all, npmregistry.Package{Name: npmName(i), Version: version,
				Index: fmt.Sprintf("module.exports = %q\n", base64.StdEncoding.EncodeToString(content))})
		}
	}
	r.pages, err = npmregistry.Pages(r.url, all)
	return r, err
}

func (r *packages) close() error { return r.server.Shutdown(context.Background()) }

func npmName(i int) string { return fmt.Sprintf("p%02d", i) }

// project installs all packages, and with each change the newer version of one more.
func (r *packages) project() (runnerProject, error) {
	var files [3]map[string]string
	for changes := range files {
		manifest, lock, err := r.manifests(changes)
		if err != nil {
			return runnerProject{}, err
		}
		files[changes] = map[string]string{
			"package.json": manifest, "package-lock.json": lock,
			".npmrc": "registry=" + r.url + "\nupdate-notifier=false\naudit=false\nfund=false\nloglevel=http\n",
			"Dockerfile": "FROM node:20\nWORKDIR /app\nCOPY package.json package-lock.json .npmrc ./\n# cache=mounts=share\n" +
				"RUN --mount=type=cache,id=bench-npm,target=/root/.npm npm ci --prefer-offline\n",
		}
	}
	// A package that no change is about, and that is fetched.
	last := npmregistry.Package{Name: npmName(npmPackages - 1), Version: npmVersion}.Path()
	return runnerProject{
		name: "npm install", image: sandbox.Node, builds: [3]string{"first", "one dependency raised", "another dependency raised"},
		files:  func(changes int) map[string]string { return files[changes] },
		mounts: []string{"bench-npm"}, command: "npm ci",
		anew: func(line string) bool { return strings.Contains(line, last) && strings.Contains(line, "cache miss") },
	}, nil
}

// manifests returns package.json and package-lock.json of a project that has the newer
// version of the first packages.
func (r *packages) manifests(newer int) (manifest, lock string, err error) {
	dependencies := map[string]string{}
	locked := map[string]any{"": map[string]any{"name": "app", "version": "1.0.0", "dependencies": dependencies}}
	for i := range npmPackages {
		p := npmregistry.Package{Name: npmName(i), Version: npmVersion}
		if i < newer {
			p.Version = npmNewer
		}
		dependencies[p.Name] = p.Version
		locked["node_modules/"+p.Name] = map[string]string{
			"version": p.Version, "resolved": r.url + p.Path(), "integrity": npmregistry.Integrity(r.pages[p.Path()]), "license": "MIT",
		}
	}
	for text, value := range map[*string]any{
		&manifest: map[string]any{"name": "app", "version": "1.0.0", "private": true, "dependencies": dependencies},
		&lock:     map[string]any{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": locked},
	} {
		data, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return "", "", err
		}
		*text = string(data)
	}
	return manifest, lock, nil
}
