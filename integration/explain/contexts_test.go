package explain_test

import (
	"os"
	"path/filepath"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
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
		{name: "source", dockerfile: file, files: files, change: written("src", "2"), notes: map[string]string{
			"COPY src /src": "src changed", "RUN cat /src > /out": "follows 3/4", "RUN echo more": "follows build 3/4",
			"RUN --mount=from=build,source=/out,target=/out cat /out": "follows build 4/4 if that changed",
			"COPY --from=build /out /out":                             "follows build 4/4 if that changed",
			"COPY --from=more /src /src":                              "follows 2/5 if that changed",
			"COPY --from=test /etc/unique /unique":                    "follows 3/5 if that changed",
			"RUN ls":                                                  "follows 4/5 if that changed",
		}},
		{name: "dependencies as they were", dockerfile: file, files: files, change: edited("RUN cat /lock >", "RUN cat  /lock >"), notes: map[string]string{
			"RUN cat  /lock > /deps": "instruction changed",
		}, kept: map[string]string{
			"COPY --from=deps /deps /deps": "follows deps 3/3 if that changed", "COPY src /src": "follows 2/4 if that changed",
			"RUN cat /src > /out": "follows 3/4 if that changed", "RUN echo more": "follows build 4/4 if that changed",
			"RUN --mount=from=build,source=/out,target=/out cat /out": "follows build 4/4 if that changed",
			"COPY --from=build /out /out":                             "follows build 4/4 if that changed",
			"COPY --from=more /src /src":                              "follows 2/5 if that changed",
			"COPY --from=test /etc/unique /unique":                    "follows 3/5 if that changed",
			"RUN ls":                                                  "follows 4/5 if that changed",
		}},
		{name: "target", dockerfile: file, files: files, options: sandbox.Build{Target: "deps"}, change: func(p *project) { p.Target = "build" },
			silent: []string{"COPY --from=deps /deps /deps", "COPY src /src", "RUN cat /src > /out"}},
	}
}

// contexts are named contexts and several Dockerfiles in one directory.
func contexts() []rebuild {
	return []rebuild{
		{
			name: "named local", dockerfile: "FROM $BASE\nCOPY --from=lib /f /f\nRUN ls\n", prepare: named,
			change: func(p *project) { p.must(os.WriteFile(filepath.Join(p.Contexts["lib"], "f"), []byte("2"), 0o644)) },
			notes:  map[string]string{"COPY --from=lib /f /f": "f changed", "RUN ls": "follows 2/3"},
		},
		{
			name: "named local below", dockerfile: "FROM $BASE\nCOPY --from=lib /f /f\nRUN ls\n", prepare: named,
			change: func(p *project) { p.must(os.WriteFile(filepath.Join(p.Contexts["lib"], "g"), []byte("2"), 0o644)) },
		},
		{
			name: "another Dockerfile", dockerfile: "FROM $BASE\nRUN echo one\n",
			change: func(p *project) {
				p.write("Dockerfile.other", "ARG BASE=none\nFROM $BASE\nRUN echo two\n")
				p.Filename = "Dockerfile.other"
			},
			silent: []string{"RUN echo two"},
		},
		{
			name: "reverted", dockerfile: "FROM $BASE\nCOPY f /\nRUN ls\n", files: map[string]string{"f": "1"},
			change: func(p *project) {
				p.write("f", "2")
				p.solve()
				p.write("f", "1")
			},
		},
		{
			name: "reverted, with another change", dockerfile: "FROM $BASE\nCOPY f /\nCOPY g /\nRUN ls\n", files: map[string]string{"f": "1", "g": "1"},
			change: func(p *project) {
				p.write("f", "2")
				p.solve()
				p.write("f", "1")
				p.write("g", "2")
			},
			notes: map[string]string{"COPY g /": "g changed", "RUN ls": "follows 3/4"},
		},
	}
}

// named gives the build a named context.
func named(p *project) {
	p.Contexts = map[string]string{"lib": sandbox.Files(p.t, map[string]string{"f": "1", "g": "1"})}
}
