package travel_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cachewright/cachewright/integration/cacheapi"
	"github.com/cachewright/cachewright/integration/scenario"
)

// guarded has a secret in each place that builds have them in, under the name of the
// place with a $ before it. What it puts into the mount is to travel.
const guarded = `FROM busybox AS build
ARG API_TOKEN
ARG GREETING
ENV DB_PASSWORD=${API_TOKEN}.$GREETING
ADD http://user:$URL@$HOST/file /url
ADD http://user:$GIT@$HOST/git/repository.git#main /git
# cache=mounts=share
RUN --mount=type=cache,target=/c,id=secrets-$ID \
    --mount=type=bind,source=bound,target=/bound --mount=type=tmpfs,target=/memory \
    --mount=type=secret,id=env,env=KEY --mount=type=secret,id=file \
    test -n "$KEY" && test -n "$DB_PASSWORD" && test -s /run/secrets/file && test -n "$HTTPS_PROXY" && \
    cat /bound >/memory/list && echo $SHARED >/c/list
RUN --mount=type=cache,target=/private,id=private-$ID --mount=type=bind,source=bound,target=/bound \
    cat /bound >/private/list
FROM scratch
COPY --from=build /etc/group /
`

// What a build is given in secret is in no blob that its cache has afterwards, however
// it is compressed or encoded.
func TestSecretsStay(t *testing.T) {
	sb := start(t)
	server := cacheapi.NewGitHub(t)
	token := server.Token(main)
	for name, c := range map[string]struct {
		transport
		blobs func() map[string][]byte
	}{
		"registry": {registry(sb, "mode", "max"), func() map[string][]byte { return filesBelow(t, filepath.Join(sb.Dir(), "registry", "docker")) }},
		"gha":      {github(server, token, "max"), server.Blobs.All},
	} {
		t.Run(name, func(t *testing.T) {
			secrets := map[string]string{"gha token": token}
			p := plant(t, c.transport, secrets)
			for range 2 {
				p.fresh()
				p.Args["CACHEWRIGHT_NOW"] = "0"
				if _, r := p.build(); len(own(r)) == 0 {
					t.Errorf("nothing travelled: %q", warnings(r))
				}
			}
			found := search(t, c.blobs(), secrets)
			if found["SHARED"] == "" {
				t.Error("what the mount has did not travel")
			}
			delete(found, "SHARED")
			for place, blob := range found {
				t.Errorf("the secret in %s is in %s", place, blob)
			}
		})
	}
}

// plant returns a project with secrets, and adds them by their places.
func plant(t *testing.T, tr transport, secrets map[string]string) *project {
	t.Helper()
	web := scenario.NewWeb(t)
	web.SetText("/file", "text")
	web.Repository(&scenario.Project{T: t}, "repository.git")
	dockerfile := strings.ReplaceAll(guarded, "$HOST", strings.TrimPrefix(web.URL, "http://"))
	secret := func(place string) string {
		secrets[place] = "planted" + scenario.NewID()
		return secrets[place]
	}
	for _, place := range []string{"URL", "GIT", "SHARED"} {
		dockerfile = strings.ReplaceAll(dockerfile, "$"+place, secret(place))
	}
	p := newProject(t, tr, dockerfile)
	must(t, os.WriteFile(filepath.Join(p.Context, "bound"), []byte(secret("bound file")), 0o644))
	must(t, os.WriteFile(filepath.Join(p.Context, "unused"), []byte(secret("unused file")), 0o644))
	p.Args = map[string]string{
		"API_TOKEN": secret("secret argument"), "GREETING": secret("argument"), "UNKNOWN": secret("unused argument"),
		"HTTPS_PROXY": "http://user:" + secret("proxy") + "@127.0.0.1:1",
	}
	p.Attrs["label:token"] = secret("label")
	p.Secrets = map[string][]byte{"env": []byte(secret("secret variable")), "file": []byte(secret("secret file"))}
	return p
}

// search returns in which blob each of some texts is, as far as one has it, by the
// names of the texts.
func search(t *testing.T, blobs map[string][]byte, texts map[string]string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for path, blob := range blobs {
		unpack(t, blob, func(data []byte) {
			for name, text := range texts {
				for _, form := range forms(text) {
					if bytes.Contains(data, []byte(form)) {
						found[name] = path
					}
				}
			}
		})
	}
	return found
}

// forms returns how a text may be written.
func forms(text string) []string {
	out := []string{text, hex.EncodeToString([]byte(text))}
	for skipped := range 3 { // base64 begins anywhere in a text
		part := text[skipped:]
		part = part[:len(part)/3*3]
		out = append(out, base64.StdEncoding.EncodeToString([]byte(part)))
	}
	return out
}

// unpack calls visit with data, and with all that it turns out to have compressed or
// archived in it.
func unpack(t *testing.T, data []byte, visit func([]byte)) {
	t.Helper()
	visit(data)
	switch {
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bytes.NewReader(data))
		must(t, err)
		data, err = io.ReadAll(z)
		must(t, err)
		unpack(t, data, visit)
	case bytes.HasPrefix(data, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(nil)
		must(t, err)
		defer z.Close()
		data, err = z.DecodeAll(data, nil)
		must(t, err)
		unpack(t, data, visit)
	case len(data) > 262 && string(data[257:262]) == "ustar":
		for r := tar.NewReader(bytes.NewReader(data)); ; {
			_, err := r.Next()
			if err == io.EOF {
				return
			}
			must(t, err)
			file, err := io.ReadAll(r)
			must(t, err)
			unpack(t, file, visit)
		}
	default:
		inflate(data, visit)
	}
}

// inflate calls visit with all that is compressed with zlib anywhere in data.
func inflate(data []byte, visit func([]byte)) {
	for i := range max(0, min(len(data), 1<<20)-1) {
		if data[i] != 0x78 || (int(data[i])<<8|int(data[i+1]))%31 != 0 {
			continue
		}
		if z, err := zlib.NewReader(bytes.NewReader(data[i:])); err == nil {
			inflated, _ := io.ReadAll(z) // as far as it is
			visit(inflated)
		}
	}
}

// filesBelow returns the contents of all files below a directory by their paths.
func filesBelow(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	}))
	return out
}
