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
	"github.com/cachewright/cachewright/integration/scenario"
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
	one := scenario.Start(t)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	w := scenario.NewWeb(t)
	for _, c := range slices.Concat(notExported(), sharedWindows(), sharedKeys(w)) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, one, c.rebuild)
			mode := c.mode
			if mode == "" {
				mode = "max"
			}
			cache := scenario.NewRepository() + ":cache"
			imports, exports := one.RegistryCache(cache, mode)
			p.CacheExports = []client.CacheOptionsEntry{exports}
			first := build(p)
			expect(p, "first build", first, first.texts())
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
			if c.Change != nil {
				c.Change(p)
			}
			p.Sandbox, p.CacheExports, p.CacheImports = two, nil, []client.CacheOptionsEntry{imports}
			expect(p, "another daemon", build(p), c.Want.ran)
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
				Name:       "off",
				Dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=off\nRUN echo > /off\nRUN echo > /after\n",
				Want:       expected{ran: []string{"RUN echo > /off", "RUN echo > /after"}},
			},
			kept: []string{"off", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "off, seen by another stage",
				Dockerfile: "FROM $BASE AS made\n# cache=off\nRUN echo > /off\nFROM $BASE\nCOPY --from=made /off /copy\nRUN echo > /after\n",
				Want:       expected{ran: []string{"RUN echo > /off"}},
			},
			kept: []string{"off"}, sent: []string{"copy", "after"},
		},
		{
			rebuild: rebuild{
				Name:       "RUN",
				Dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nRUN echo > /here\nRUN echo > /after\n", Files: files,
				Want: expected{ran: []string{"RUN echo > /here", "RUN echo > /after"}},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "COPY",
				Dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nCOPY file /here\nWORKDIR /after\n", Files: files,
				Want: expected{ran: []string{"COPY file /here", "WORKDIR /after"}},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "ADD",
				Dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nADD file /here\n", Files: files,
				Want: expected{ran: []string{"ADD file /here"}},
			},
			kept: []string{"here"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "COPY --link",
				Dockerfile: "FROM $BASE\nRUN echo > /before\n# cache=export=no\nCOPY --link file /here\nRUN echo > /after\n", Files: files,
				Want: expected{ran: []string{"COPY --link file /here", "LINK COPY --link file /here", "RUN echo > /after"}},
			},
			kept: []string{"here", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "COPY --link on top",
				Dockerfile: "FROM $BASE\n# cache=export=no\nRUN echo > /here\nCOPY --link file /link\n", Files: files,
				Want: expected{ran: []string{"RUN echo > /here", "LINK COPY --link file /link"}},
			},
			kept: []string{"here"}, sent: []string{"link"},
		},
		{
			rebuild: rebuild{
				Name:       "stage",
				Dockerfile: "# cache=export=no\nFROM $BASE AS made\nRUN echo > /made\nFROM $BASE\nCOPY --from=made /made /copy\nRUN echo > /after\n", Files: files,
				Want: expected{ran: []string{"RUN echo > /made"}},
			},
			kept: []string{"made"}, sent: []string{"copy", "after"},
		},
		{
			rebuild: rebuild{
				Name:       "stage on top",
				Dockerfile: "FROM $BASE AS made\nRUN echo > /before\n# cache=export=no\nRUN echo > /made\nFROM made\nRUN echo > /after\n", Files: files,
				Want: expected{ran: []string{"RUN echo > /made", "RUN echo > /after"}},
			},
			kept: []string{"made", "after"}, sent: []string{"before"},
		},
		{
			rebuild: rebuild{
				Name:       "cleared",
				Dockerfile: "# cache=export=no\nFROM $BASE\n# cache=default\nRUN echo > /cleared\nRUN echo > /here\n", Files: files,
				Want: expected{ran: []string{"RUN echo > /here"}},
			},
			kept: []string{"here"}, sent: []string{"cleared"},
		},
	}
}

// sharedWindows are builds of two daemons that start in the same window of a ttl,
// and in different ones.
func sharedWindows() []remoteCase {
	r := rebuild{
		Dockerfile: "FROM $BASE\nRUN echo before\n# cache=ttl=daily\nRUN echo kept\nRUN echo after\n",
		Options:    sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T00:00:00Z"}},
	}
	inside, across := r, r
	inside.Name, inside.Change = "ttl, same window", scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T23:59:59Z")
	across.Name, across.Change = "ttl, next window", scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T00:00:00Z")
	across.Want.ran = []string{"RUN echo kept", "RUN echo after"}
	last := inside
	last.Name = "ttl, same window, mode min"
	return []remoteCase{{rebuild: inside}, {rebuild: last, mode: "min"}, {rebuild: across}}
}

// sharedKeys are key sources that two daemons look up.
func sharedKeys(w *scenario.Web) []remoteCase {
	w.SetText("/page", "1")
	var cases []remoteCase
	for _, mode := range []string{"max", "min"} {
		url, file := "http, "+mode, "file, "+mode
		w.SetText("/"+mode, "1")
		const dockerfile = "FROM $BASE\nRUN echo before\n# cache=key=%\nRUN echo keyed\nRUN echo after\n"
		ran := []string{"RUN echo keyed", "RUN echo after"}
		files := map[string]string{"file": "1"}
		cases = append(cases,
			remoteCase{rebuild: rebuild{Name: url + ", unchanged", Dockerfile: replaced(dockerfile, "%", w.URL+"/page")}, mode: mode},
			remoteCase{rebuild: rebuild{
				Name: url + ", changed", Dockerfile: replaced(dockerfile, "%", w.URL+"/"+mode),
				Change: w.Paged("/"+mode, "2"), Want: expected{ran: ran},
			}, mode: mode},
			remoteCase{rebuild: rebuild{Name: file + ", unchanged", Dockerfile: replaced(dockerfile, "%", "file:file"), Files: files}, mode: mode},
			remoteCase{rebuild: rebuild{
				Name: file + ", changed", Dockerfile: replaced(dockerfile, "%", "file:file"), Files: files,
				Change: scenario.Written("file", "2"), Want: expected{ran: ran},
			}, mode: mode},
		)
	}
	return cases
}
