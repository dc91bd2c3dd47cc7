package explain_test

import (
	"os"
	"path/filepath"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

var epoch = time.Unix(1_000_000_000, 0)

// stages are builds of several stages.
func stages() []rebuild {
	const file = `FROM $BASE AS deps
COPY lock /lock
RUN cat /lock > /deps

FROM $BASE AS build
COPY --from=deps /deps /deps
COPY src /src
RUN cat /src > /out

FROM $BASE AS test
RUN --mount=from=build,source=/out,target=/out cat /out

FROM build AS more
RUN echo more

FROM $BASE
COPY --from=build /out /out
COPY --from=more /src /src
COPY --from=test /etc/unique /unique
RUN ls
`
	files := map[string]string{"lock": "1", "src": "1"}
	return []rebuild{
		{Name: "source", Dockerfile: file, Files: files, Change: scenario.Written("src", "2"), Want: expected{notes: map[string]string{
			"COPY src /src": "src changed", "RUN cat /src > /out": "follows 3/4", "RUN echo more": "follows build 3/4",
			"RUN --mount=from=build,source=/out,target=/out cat /out": "follows build 4/4 if that changed",
			"COPY --from=build /out /out":                             "follows build 4/4 if that changed",
			"COPY --from=more /src /src":                              "follows more 1/1 if that changed",
			"COPY --from=test /etc/unique /unique":                    "follows 3/5 if that changed",
			"RUN ls":                                                  "follows 4/5 if that changed",
		}}},
		{Name: "dependencies as they were", Dockerfile: file, Files: files, Change: scenario.Edited("RUN cat /lock >", "RUN cat  /lock >"), Want: expected{notes: map[string]string{
			"RUN cat  /lock > /deps": "instruction changed",
		}, kept: map[string]string{
			"COPY --from=deps /deps /deps": "follows deps 3/3 if that changed", "COPY src /src": "follows 2/4 if that changed",
			"RUN cat /src > /out": "follows 3/4 if that changed", "RUN echo more": "follows build 4/4 if that changed",
			"RUN --mount=from=build,source=/out,target=/out cat /out": "follows build 4/4 if that changed",
			"COPY --from=build /out /out":                             "follows build 4/4 if that changed",
			"COPY --from=more /src /src":                              "follows 2/5 if that changed",
			"COPY --from=test /etc/unique /unique":                    "follows 3/5 if that changed",
			"RUN ls":                                                  "follows 4/5 if that changed",
		}}},
		{Name: "target", Dockerfile: file, Files: files, Options: sandbox.Build{Target: "deps"}, Change: func(p *project) { p.Target = "build" },
			Want: expected{silent: []string{"COPY --from=deps /deps /deps", "COPY src /src", "RUN cat /src > /out"}}},
	}
}

// contexts are named contexts and several Dockerfiles in one directory.
func contexts() []rebuild {
	return []rebuild{
		{
			Name: "named local", Dockerfile: "FROM $BASE\nCOPY --from=lib /f /f\nRUN ls\n", Prepare: named,
			Change: func(p *project) { p.Must(os.WriteFile(filepath.Join(p.Contexts["lib"], "f"), []byte("2"), 0o644)) },
			Want:   expected{notes: map[string]string{"COPY --from=lib /f /f": "f changed", "RUN ls": "follows 2/3"}},
		},
		{
			Name: "named local below", Dockerfile: "FROM $BASE\nCOPY --from=lib /f /f\nRUN ls\n", Prepare: named,
			Change: func(p *project) { p.Must(os.WriteFile(filepath.Join(p.Contexts["lib"], "g"), []byte("2"), 0o644)) },
		},
		{
			Name: "another Dockerfile", Dockerfile: "FROM $BASE\nRUN echo one\n",
			Change: func(p *project) {
				p.Write("Dockerfile.other", "ARG BASE=none\nFROM $BASE\nRUN echo two\n")
				p.Filename = "Dockerfile.other"
			},
			Want: expected{silent: []string{"RUN echo two"}},
		},
		{
			Name: "reverted", Dockerfile: "FROM $BASE\nCOPY f /\nRUN ls\n", Files: map[string]string{"f": "1"},
			Change: func(p *project) {
				p.Write("f", "2")
				solve(p)
				p.Write("f", "1")
			},
		},
		{
			Name: "reverted, with another change", Dockerfile: "FROM $BASE\nCOPY f /\nCOPY g /\nRUN ls\n", Files: map[string]string{"f": "1", "g": "1"},
			Change: func(p *project) {
				p.Write("f", "2")
				solve(p)
				p.Write("f", "1")
				p.Write("g", "2")
			},
			Want: expected{notes: map[string]string{"COPY g /": "g changed", "RUN ls": "follows 3/4"}},
		},
	}
}

// named gives the build a named context.
func named(p *project) {
	p.Contexts = map[string]string{"lib": sandbox.Files(p.T, map[string]string{"f": "1", "g": "1"})}
}
