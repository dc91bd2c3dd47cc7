package rules_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// base is R1: FROM is keyed by the manifest that the reference names.
func base() []rebuild {
	const file = "ARG IMAGE=$BASE\nFROM $IMAGE\nRUN echo after\n"
	return []rebuild{
		{
			Name: "another image under the tag", Dockerfile: file,
			Change: func(p *project) { p.PushImage(p.Args["BASE"], p.NewBase()) },
			Want:   expected{ran: []string{"RUN echo after"}},
		},
		{
			Name: "the image under another tag", Dockerfile: file,
			Change: func(p *project) {
				image := p.NewBase()
				p.Arg("IMAGE", p.PushImage(scenario.NewRepository()+":1", image))
				expect(p, "another image", build(p), []string{"RUN echo after"})
				p.Arg("IMAGE", p.PushImage(scenario.NewRepository()+":2", image))
			},
		},
		{
			Name: "the image by its digest", Dockerfile: file,
			Change: func(p *project) {
				image := p.NewBase()
				ref := p.PushImage(scenario.NewRepository()+":1", image)
				p.Arg("IMAGE", ref)
				expect(p, "another image", build(p), []string{"RUN echo after"})
				digest, err := image.Digest()
				p.Must(err)
				p.Arg("IMAGE", ref+"@"+digest.String())
			},
		},
	}
}

// secrets is R8: a secret's value is not in the key; what its mount says is.
func secrets() []rebuild {
	const file = "FROM $BASE\nRUN --mount=type=secret,%s echo first\nRUN echo after\n"
	value := func(id, text string) func(*project) {
		return func(p *project) { p.Secrets[id] = []byte(text) }
	}
	var cases []rebuild
	for _, c := range []struct {
		name, mount, changed string // changed is empty if the mount stays
		change               func(*project)
	}{
		{"value", "id=one", "", value("one", "changed")},
		{"value in the environment", "id=one,env=VAR", "", value("one", "changed")},
		{"another secret", "id=one", "", value("three", "new")},
		{"id", "id=one", "id=two", nil},
		{"id with the same target", "id=one,target=/other", "id=two,target=/other", nil},
		{"target", "id=one", "id=one,target=/other", nil},
		{"variable", "id=one,env=VAR", "id=one,env=OTHER", nil},
		{"mode", "id=one", "id=one,mode=0440", nil},
		{"owner", "id=one", "id=one,uid=1", nil},
		{"required", "id=one", "id=one,required", nil},
	} {
		r := rebuild{
			Name:       c.name,
			Dockerfile: fmt.Sprintf(file, c.mount),
			Options:    sandbox.Build{Secrets: map[string][]byte{"one": []byte("1"), "two": []byte("2")}},
			Change:     c.change,
		}
		if c.changed != "" {
			r.Change = scenario.Edited(c.mount, c.changed)
			r.Want.ran = []string{"RUN --mount=type=secret," + c.changed + " echo first", "RUN echo after"}
		}
		cases = append(cases, r)
	}
	return cases
}

// neverInTheKey is R9, with its neighbours that are in the key.
func neverInTheKey() []rebuild {
	const plain = "FROM $BASE\nRUN echo first\nRUN echo last\n"
	all := []string{"RUN echo first", "RUN echo last"}
	hosts := sandbox.Build{Attrs: map[string]string{"add-hosts": "one=192.0.2.1"}}
	const cached = "FROM $BASE\nRUN --mount=type=cache,id=%[1]s,target=/c cd /c* && echo first >> log\n"
	const run = "RUN --mount=type=cache,id=rules-target,target=/cache cd /c* && echo first >> log"
	return []rebuild{
		{Name: "proxy", Dockerfile: plain, Change: scenario.Given("HTTP_PROXY", "http://192.0.2.1:3128")},
		{Name: "no proxy", Dockerfile: plain, Change: scenario.Given("no_proxy", "example.org")},
		{
			Name: "declared proxy", Dockerfile: "FROM $BASE\nARG HTTP_PROXY\nRUN echo first\nRUN echo last\n",
			Change: scenario.Given("HTTP_PROXY", "http://192.0.2.1:3128"), Want: expected{ran: all},
		},
		{Name: "address of a host", Dockerfile: plain, Options: hosts, Change: scenario.Asked("add-hosts", "one=192.0.2.2")},
		{Name: "name of a host", Dockerfile: plain, Options: hosts, Change: scenario.Asked("add-hosts", "two=192.0.2.1"), Want: expected{ran: all}},
		{
			Name: "contents of a cache mount", Dockerfile: fmt.Sprintf(cached, "rules-contents"),
			Change: func(p *project) {
				p.Edit("echo first", "echo other")
				expect(p, "another command", build(p), []string{
					"RUN --mount=type=cache,id=rules-contents,target=/c cd /c* && echo other >> log",
				})
				p.Edit("echo other", "echo first")
			},
		},
		{
			Name: "target of a cache mount", Dockerfile: fmt.Sprintf(cached, "rules-target"),
			Change: scenario.Edited("target=/c", "target=/cache"), Want: expected{ran: []string{run}},
		},
		{
			Name: "numbers in step names", Dockerfile: plain,
			Change: scenario.Edited("echo last", "echo last\nRUN echo more"), Want: expected{ran: []string{"RUN echo more"}},
		},
	}
}

// noCache is R6. Of the steps outside a filtered stage, the daemon runs those
// that take files from it, unless their key is content and the content is equal.
// The steps behind them have the key they had, so they come from the cache, even
// if the files changed; builds with docker/dockerfile do the same.
func noCache() []rebuild {
	const file = `FROM $BASE AS deps
COPY file /file
RUN cp /file /deps

FROM deps AS app
RUN cp /deps /app
RUN cat /app

FROM $BASE AS test
RUN echo tested > /log

FROM $BASE
WORKDIR /out
COPY --from=app /app .
ADD file added
COPY --from=test /log .
RUN ls
`
	files := map[string]string{"file": "file"}
	return []rebuild{
		{
			Name: "all", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", ""),
			Want: expected{ran: []string{
				"COPY file /file", "RUN cp /file /deps", "RUN cp /deps /app", "RUN cat /app", "RUN echo tested > /log",
				"COPY --from=app /app .", "ADD file added", "COPY --from=test /log .", "RUN ls",
			}},
		},
		{
			Name: "a stage", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "test"),
			Want: expected{ran: []string{"RUN echo tested > /log"}},
		},
		{
			Name: "a stage and the one on top", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "deps"),
			Want: expected{ran: []string{"COPY file /file", "RUN cp /file /deps", "RUN cp /deps /app"}},
		},
		{
			Name: "two stages", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "test,app"),
			Want: expected{ran: []string{"RUN cp /deps /app", "RUN cat /app", "RUN echo tested > /log"}},
		},
		{Name: "no such stage", Dockerfile: file, Files: files, Change: scenario.Asked("no-cache", "none")},
		{
			Name: "changed output", Dockerfile: "FROM $BASE AS made\nRUN cat /proc/uptime > /made\nFROM $BASE\nCOPY --from=made /made /\nRUN ls\n",
			Change: scenario.Asked("no-cache", "made"),
			Want:   expected{ran: []string{"RUN cat /proc/uptime > /made", "COPY --from=made /made /"}},
		},
	}
}

// TestOutside is the other half of R4: what a command finds in its container or
// in the network is not in its key.
func TestOutside(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, served.Add(1))
	}))
	defer server.Close()
	c := rebuild{Dockerfile: "FROM $BASE\nRUN wget -qO /served " + server.URL + "\nRUN cat /served\n"}
	run(newProject(t, scenario.Start(t), c), c)
	if n := served.Load(); n != 1 {
		t.Errorf("the server was asked %d times in two builds", n)
	}
}

// TestPrune is R10.
func TestPrune(t *testing.T) {
	sb := scenario.StartOwn(t)
	c := rebuild{
		Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n",
		Files:      map[string]string{"file": "file"},
	}
	p := newProject(t, sb, c)
	run(p, c)
	p.Must(sb.Client().Prune(t.Context(), nil, client.PruneAll))
	after := build(p)
	expect(p, "after prune", after, after.texts())
}
