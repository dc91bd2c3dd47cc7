package rules_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// base is R1: FROM is keyed by the manifest that the reference names.
func base() []rebuild {
	const file = "ARG IMAGE=$BASE\nFROM $IMAGE\nRUN echo after\n"
	return []rebuild{
		{
			name: "another image under the tag", dockerfile: file,
			change: func(p *project) { p.pushBase(p.Args["BASE"], p.newBase()) },
			ran:    []string{"RUN echo after"},
		},
		{
			name: "the image under another tag", dockerfile: file,
			change: func(p *project) {
				image := p.newBase()
				p.arg("IMAGE", p.pushBase(p.newRepository()+":1", image))
				p.expect("another image", p.build(), []string{"RUN echo after"})
				p.arg("IMAGE", p.pushBase(p.newRepository()+":2", image))
			},
		},
		{
			name: "the image by its digest", dockerfile: file,
			change: func(p *project) {
				image := p.newBase()
				ref := p.pushBase(p.newRepository()+":1", image)
				p.arg("IMAGE", ref)
				p.expect("another image", p.build(), []string{"RUN echo after"})
				digest, err := image.Digest()
				p.must(err)
				p.arg("IMAGE", ref+"@"+digest.String())
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
			name:       c.name,
			dockerfile: fmt.Sprintf(file, c.mount),
			options:    sandbox.Build{Secrets: map[string][]byte{"one": []byte("1"), "two": []byte("2")}},
			change:     c.change,
		}
		if c.changed != "" {
			r.change = edited(c.mount, c.changed)
			r.ran = []string{"RUN --mount=type=secret," + c.changed + " echo first", "RUN echo after"}
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
		{name: "proxy", dockerfile: plain, change: given("HTTP_PROXY", "http://192.0.2.1:3128")},
		{name: "no proxy", dockerfile: plain, change: given("no_proxy", "example.org")},
		{
			name: "declared proxy", dockerfile: "FROM $BASE\nARG HTTP_PROXY\nRUN echo first\nRUN echo last\n",
			change: given("HTTP_PROXY", "http://192.0.2.1:3128"), ran: all,
		},
		{name: "address of a host", dockerfile: plain, options: hosts, change: asked("add-hosts", "one=192.0.2.2")},
		{name: "name of a host", dockerfile: plain, options: hosts, change: asked("add-hosts", "two=192.0.2.1"), ran: all},
		{
			name: "contents of a cache mount", dockerfile: fmt.Sprintf(cached, "rules-contents"),
			change: func(p *project) {
				p.edit("echo first", "echo other")
				p.expect("another command", p.build(), []string{
					"RUN --mount=type=cache,id=rules-contents,target=/c cd /c* && echo other >> log",
				})
				p.edit("echo other", "echo first")
			},
		},
		{
			name: "target of a cache mount", dockerfile: fmt.Sprintf(cached, "rules-target"),
			change: edited("target=/c", "target=/cache"), ran: []string{run},
		},
		{
			name: "numbers in step names", dockerfile: plain,
			change: edited("echo last", "echo last\nRUN echo more"), ran: []string{"RUN echo more"},
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
			name: "all", dockerfile: file, files: files, change: asked("no-cache", ""),
			ran: []string{
				"COPY file /file", "RUN cp /file /deps", "RUN cp /deps /app", "RUN cat /app", "RUN echo tested > /log",
				"COPY --from=app /app .", "ADD file added", "COPY --from=test /log .", "RUN ls",
			},
		},
		{
			name: "a stage", dockerfile: file, files: files, change: asked("no-cache", "test"),
			ran: []string{"RUN echo tested > /log"},
		},
		{
			name: "a stage and the one on top", dockerfile: file, files: files, change: asked("no-cache", "deps"),
			ran: []string{"COPY file /file", "RUN cp /file /deps", "RUN cp /deps /app"},
		},
		{
			name: "two stages", dockerfile: file, files: files, change: asked("no-cache", "test,app"),
			ran: []string{"RUN cp /deps /app", "RUN cat /app", "RUN echo tested > /log"},
		},
		{name: "no such stage", dockerfile: file, files: files, change: asked("no-cache", "none")},
		{
			name: "changed output", dockerfile: "FROM $BASE AS made\nRUN cat /proc/uptime > /made\nFROM $BASE\nCOPY --from=made /made /\nRUN ls\n",
			change: asked("no-cache", "made"),
			ran:    []string{"RUN cat /proc/uptime > /made", "COPY --from=made /made /"},
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
	c := rebuild{dockerfile: "FROM $BASE\nRUN wget -qO /served " + server.URL + "\nRUN cat /served\n"}
	c.run(newProject(t, start(t), c))
	if n := served.Load(); n != 1 {
		t.Errorf("the server was asked %d times in two builds", n)
	}
}

// TestPrune is R10.
func TestPrune(t *testing.T) {
	sb := sandbox.New(t, sandbox.Options{}, sandbox.Busybox)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	c := rebuild{
		dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n",
		files:      map[string]string{"file": "file"},
	}
	p := newProject(t, sb, c)
	c.run(p)
	p.must(sb.Client().Prune(t.Context(), nil, client.PruneAll))
	after := p.build()
	p.expect("after prune", after, after.texts())
}
