package rules_test

import (
	"archive/tar"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// remoteCase is a build whose cache is exported, and the same build, perhaps with
// a change, by another daemon that imports it. In ran are the steps that the
// second one runs.
type remoteCase struct {
	rebuild
	mode string // of the export: max if empty
	// kept are files that steps make and that the exported cache must not have,
	// sent those that it must have.
	kept, sent []string
}

func TestRemoteCache(t *testing.T) {
	t.Parallel()
	one := start(t)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	w := newWeb(t)
	for _, c := range slices.Concat(notExported(), sharedWindows(), sharedKeys(w)) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, one, c.rebuild)
			mode := c.mode
			if mode == "" {
				mode = "max"
			}
			cache := p.newRepository() + ":cache"
			imports, exports := one.RegistryCache(cache, mode)
			p.CacheExports = []client.CacheOptionsEntry{exports}
			first := p.build()
			p.expect("first build", first, first.texts())
			files := cachedFiles(t, one.Registry()+"/"+cache)
			for _, f := range c.kept {
				if slices.Contains(files, f) {
					t.Errorf("the exported cache has %s", f)
				}
			}
			for _, f := range c.sent {
				if !slices.Contains(files, f) {
					t.Errorf("the exported cache has no %s", f)
				}
			}
			if c.change != nil {
				c.change(p)
			}
			p.sb, p.CacheExports, p.CacheImports = two, nil, []client.CacheOptionsEntry{imports}
			p.expect("another daemon", p.build(), c.ran)
		})
	}
}

// cachedFiles lists the files in all layers of an exported cache.
func cachedFiles(t *testing.T, ref string) []string {
	t.Helper()
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(r, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, layer := range layers {
		rc, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(rc); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, strings.Trim(h.Name, "/"))
		}
		rc.Close()
	}
	return files
}

// notExported are steps with off or export=no. Neither their layer is in the exported
// cache nor those on top of it, which nobody could use without it. What another stage
// copies from there is.
func notExported() []remoteCase {
	files := map[string]string{"file": "file"}
	return []remoteCase{
		{
			rebuild: rebuild{
				name:       "off",
				dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=off\nRUN echo > /off\nRUN echo > /after\n",
				ran:        []string{"RUN echo > /off", "RUN echo > /after"},
			},
			kept: []string{"off", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "off, seen by another stage",
				dockerfile: "FROM $BASE AS made\n# cache=off\nRUN echo > /off\nFROM $BASE\nCOPY --from=made /off /copy\nRUN echo > /after\n",
				ran:        []string{"RUN echo > /off"},
			},
			kept: []string{"off"}, sent: []string{"copy", "after"},
		},
		{
			rebuild: rebuild{
				name:       "RUN",
				dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nRUN echo > /here\nRUN echo > /after\n", files: files,
				ran: []string{"RUN echo > /here", "RUN echo > /after"},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "COPY",
				dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nCOPY file /here\nWORKDIR /after\n", files: files,
				ran: []string{"COPY file /here", "WORKDIR /after"},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "ADD",
				dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nADD file /here\n", files: files,
				ran: []string{"ADD file /here"},
			},
			kept: []string{"here"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "COPY --link",
				dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nCOPY --link file /here\nRUN echo > /after\n", files: files,
				ran: []string{"COPY --link file /here", "LINK COPY --link file /here", "RUN echo > /after"},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "COPY --link on top",
				dockerfile: "FROM $BASE\n# cache=export=no\nRUN echo > /here\nCOPY --link file /link\n", files: files,
				ran: []string{"RUN echo > /here", "LINK COPY --link file /link"},
			},
			kept: []string{"here"}, sent: []string{"link"},
		},
		{
			rebuild: rebuild{
				name:       "stage",
				dockerfile: "# cache=export=no\nFROM $BASE AS made\nRUN echo > /made\nFROM $BASE\nCOPY --from=made /made /copy\nRUN echo > /after\n", files: files,
				ran: []string{"RUN echo > /made"},
			},
			kept: []string{"made"}, sent: []string{"copy", "after"},
		},
		{
			rebuild: rebuild{
				name:       "stage on top",
				dockerfile: "FROM $BASE AS made\nRUN echo > /before\n# cache=export=no\nRUN echo > /made\nFROM made\nRUN echo > /after\n", files: files,
				ran: []string{"RUN echo > /made", "RUN echo > /after"},
			},
			kept: []string{"made", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				name:       "cleared",
				dockerfile: "# cache=export=no\nFROM $BASE\n# cache=default\nRUN echo > /cleared\nRUN echo > /here\n", files: files,
				ran: []string{"RUN echo > /here"},
			},
			kept: []string{"here"}, sent: []string{"cleared"},
		},
	}
}

// sharedWindows are builds of two daemons that start in the same window of a ttl,
// and in different ones.
func sharedWindows() []remoteCase {
	r := rebuild{
		dockerfile: "FROM $BASE\nRUN echo before\n# cache=ttl=daily\nRUN echo kept\nRUN echo after\n",
		options:    sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T00:00:00Z"}},
	}
	inside, across := r, r
	inside.name, inside.change = "ttl, same window", given("CACHEWRIGHT_NOW", "2026-03-01T23:59:59Z")
	across.name, across.change = "ttl, next window", given("CACHEWRIGHT_NOW", "2026-03-02T00:00:00Z")
	across.ran = []string{"RUN echo kept", "RUN echo after"}
	last := inside
	last.name = "ttl, same window, mode min"
	return []remoteCase{{rebuild: inside}, {rebuild: last, mode: "min"}, {rebuild: across}}
}

// sharedKeys are key sources that two daemons look up.
func sharedKeys(w *web) []remoteCase {
	w.set("/page", page{body: "1"})
	var cases []remoteCase
	for _, mode := range []string{"max", "min"} {
		url, file := "http, "+mode, "file, "+mode
		w.set("/"+mode, page{body: "1"})
		const dockerfile = "FROM $BASE\nRUN echo before\n# cache=key=%\nRUN echo keyed\nRUN echo after\n"
		ran := []string{"RUN echo keyed", "RUN echo after"}
		files := map[string]string{"file": "1"}
		cases = append(cases,
			remoteCase{rebuild: rebuild{name: url + ", unchanged", dockerfile: replaced(dockerfile, "%", w.URL+"/page")}, mode: mode},
			remoteCase{rebuild: rebuild{
				name: url + ", changed", dockerfile: replaced(dockerfile, "%", w.URL+"/"+mode),
				change: func(*project) { w.set("/"+mode, page{body: "2"}) }, ran: ran,
			}, mode: mode},
			remoteCase{rebuild: rebuild{name: file + ", unchanged", dockerfile: replaced(dockerfile, "%", "file:file"), files: files}, mode: mode},
			remoteCase{rebuild: rebuild{
				name: file + ", changed", dockerfile: replaced(dockerfile, "%", "file:file"), files: files,
				change: written("file", "2"), ran: ran,
			}, mode: mode},
		)
	}
	return cases
}
