package travel_test

import (
	"archive/tar"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"

	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/integration/scenario"
)

// planted has secrets in all places from which something may get into a record.
const planted = `FROM busybox AS build
ARG RELEASE
ARG NPM_TOKEN
ENV DB_PASSWORD=$NPM_TOKEN REGION=$RELEASE
COPY main.js /
RUN --mount=type=secret,id=key,env=KEY test -n "$KEY$DB_PASSWORD$ID" # https://bob:$URLSECRET@example.org/
FROM scratch
COPY --from=build /main.js /list
`

// What a build is given in secret is in no blob of the registry afterwards, and values
// of variables are there only if that is asked for.
func TestRecordSecretsStay(t *testing.T) {
	for share, values := range map[string]bool{"auto": false, "values": true} {
		t.Run(share, func(t *testing.T) {
			t.Parallel()
			secret, inURL, value := "planted"+scenario.NewID(), "planted"+scenario.NewID(), "visible"+scenario.NewID()
			p := newProject(t, registry(start(t), "mode", "max"), strings.ReplaceAll(planted, "$URLSECRET", inURL))
			p.Args = map[string]string{"NPM_TOKEN": secret, "RELEASE": value, "CACHEWRIGHT_SHARE": share}
			p.Secrets = map[string][]byte{"key": []byte(secret)}
			for _, content := range []string{"1", "2"} {
				p.commit("3f2c1ab9e4d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", content)
				p.build()
			}
			all, records := registryBlobs(t, p.imports[0].Attrs["ref"])
			if !bytes.Contains(records, []byte("NPM_TOKEN")) || !bytes.Contains(records, []byte("main.js")) {
				t.Error("no record travelled")
			}
			for _, s := range []string{secret, inURL} {
				for form, text := range map[string]string{"plain": s, "base64": base64.StdEncoding.EncodeToString([]byte(s))} {
					if bytes.Contains(all, []byte(text)) {
						t.Errorf("a secret is in the registry, %s", form)
					}
				}
			}
			if bytes.Contains(records, []byte("hmac")) {
				t.Error("a keyed digest travelled")
			}
			if bytes.Contains(all, []byte(value)) != values {
				t.Errorf("a value is there: %v", !values)
			}
		})
	}
}

// registryBlobs returns the contents of all that a reference leads to, with what
// travels in them uncompressed, and that alone.
func registryBlobs(t *testing.T, ref string) (all, records []byte) {
	t.Helper()
	image, err := crane.Pull(ref, crane.Insecure)
	must(t, err)
	layers, err := image.Layers()
	must(t, err)
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		all = append(all, data...)
		records = append(records, recordIn(t, data)...)
	}
	for _, part := range []func() ([]byte, error){image.RawConfigFile, image.RawManifest} {
		data, err := part()
		must(t, err)
		all = append(all, data...)
	}
	return append(all, records...), records
}

// recordIn returns the record in a layer, uncompressed.
func recordIn(t *testing.T, layer []byte) []byte {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		if body, ok := bytes.CutPrefix(data, []byte("CWTRAVEL\x01")); ok && isCalled(h, data, recordName) {
			z, err := zlib.NewReader(bytes.NewReader(body))
			must(t, err)
			data, err := io.ReadAll(z)
			must(t, err)
			return data
		}
	}
}

// A record that is not whole, too large, of a newer version or of another project is
// not used, which is said once, gives no reason, and is over with the next export.
func TestForeignRecord(t *testing.T) {
	edited := func(change func(*record.Travel)) func([]byte) []byte {
		return func(data []byte) []byte {
			tr, err := record.DecodeTravel(data)
			must(t, err)
			change(&tr)
			data, err = tr.Encode(1 << 20)
			must(t, err)
			return data
		}
	}
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		silent bool
	}{
		"cut short":     {damage: func(data []byte) []byte { return data[:len(data)/2] }},
		"newer version": {damage: func(data []byte) []byte { return append([]byte("CWTRAVEL\x09"), data[9:]...) }},
		"huge":          {damage: func([]byte) []byte { return append([]byte("CWTRAVEL\x01"), make([]byte, 64<<20)...) }},
		"a bomb":        {damage: func([]byte) []byte { return bomb(t) }},
		"lost":          {damage: func([]byte) []byte { return nil }},
		"another project's": {silent: true, damage: edited(func(tr *record.Travel) {
			tr.Project = record.Name("another")
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := local(t, "mode", "max")
			p := newExplained(t, cache)
			rewrite(t, cache.exports[0].Attrs["dest"], recordName, c.damage)
			p.commit("77aa10bc04d07c5a1f3b8d6e5a4c3b2a19080706", "package.json", "{1}")
			_, r := p.build()
			for _, stage := range []string{"deps", "build"} {
				for _, step := range said(r, stage) {
					if strings.Count(step, " ") > 2 {
						t.Errorf("said: %s", step)
					}
				}
			}
			w := warnings(r)
			if c.silent && len(w) > 0 || !c.silent && (len(w) != 1 || !strings.Contains(w[0], "The record that came with the cache is not used")) {
				t.Errorf("warnings: %q", w)
			}
			p.commit("0bad5eed04d07c5a1f3b8d6e5a4c3b2a19080706", "main.js", "2")
			_, r = p.build()
			if got := said(r, "build"); len(r.Warnings) > 0 || len(got) != 3 || got[1] != "ran build 3/4 main.js changed since 77aa10b" {
				t.Errorf("afterwards: %q, %q", got, warnings(r))
			}
		})
	}
}

// bomb is small and expands to a lot.
func bomb(t *testing.T) []byte {
	var buf bytes.Buffer
	buf.WriteString("CWTRAVEL\x01")
	z := zlib.NewWriter(&buf)
	for range 64 {
		_, err := z.Write(make([]byte, 1<<20))
		must(t, err)
	}
	must(t, z.Close())
	return buf.Bytes()
}
