package rules_test

import (
	"github.com/cachewright/cachewright/integration/scenario"
)

// definition is R2 and R4: a RUN is keyed by its command, environment, user,
// working directory and mounts.
func definition() []rebuild {
	const file = `FROM $BASE
ENV NAME=one
USER 0
WORKDIR /work
RUN --network=default --mount=type=tmpfs,target=/scratch env > out
RUN cat out
`
	const first, last = "RUN --network=default --mount=type=tmpfs,target=/scratch env > out", "RUN cat out"
	both := []string{first, last}
	return []rebuild{
		{Name: "unchanged", Dockerfile: file},
		{Name: "comment", Dockerfile: file, Change: scenario.Edited("RUN cat", "\n# Why not?\nRUN cat")},
		{Name: "image config", Dockerfile: file, Change: scenario.Edited("USER 0", "LABEL a=b\nCMD [\"true\"]\nEXPOSE 80\nUSER 0")},
		{Name: "command", Dockerfile: file, Change: scenario.Edited("cat out", "cat  out"), Want: expected{ran: []string{"RUN cat  out"}}},
		{Name: "exec form", Dockerfile: file, Change: scenario.Edited("cat out", `["cat", "out"]`), Want: expected{ran: []string{`RUN ["cat", "out"]`}}},
		{Name: "environment", Dockerfile: file, Change: scenario.Edited("=one", "=two"), Want: expected{ran: both}},
		{Name: "more environment", Dockerfile: file, Change: scenario.Edited("=one", "=one MORE=1"), Want: expected{ran: both}},
		{Name: "user", Dockerfile: file, Change: scenario.Edited("USER 0", "USER root"), Want: expected{ran: both}},
		{Name: "working directory", Dockerfile: file, Change: scenario.Edited("/work", "/other"), Want: expected{ran: append(both, "WORKDIR /other")}},
		{Name: "shell", Dockerfile: file, Change: scenario.Edited("RUN --net", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nRUN --net"), Want: expected{ran: both}},
		{
			Name: "mount", Dockerfile: file, Change: scenario.Edited("target=/scratch", "target=/tmp"),
			Want: expected{ran: []string{"RUN --network=default --mount=type=tmpfs,target=/tmp env > out", last}},
		},
		{
			Name: "network", Dockerfile: file, Change: scenario.Edited("=default", "=none"),
			Want: expected{ran: []string{"RUN --network=none --mount=type=tmpfs,target=/scratch env > out", last}},
		},
	}
}

// chain is R5: what follows a step that ran runs too, also when the step's
// files are what they were, but not what is keyed by content.
func chain() []rebuild {
	const stages = `FROM $BASE AS made
RUN echo constant > /made
RUN sed s/a/a/ /made > /copy

FROM $BASE
COPY --from=made /copy /copy
RUN --mount=type=bind,from=made,source=/copy,target=/bound cat /bound > /bound-copy
RUN cat /copy
`
	const bound = "RUN --mount=type=bind,from=made,source=/copy,target=/bound cat /bound > /bound-copy"
	return []rebuild{
		{
			Name:       "same files",
			Dockerfile: "FROM $BASE\nRUN echo first\nRUN true\nCOPY file /\nWORKDIR /w\nRUN echo last\n",
			Files:      map[string]string{"file": ""},
			Change:     scenario.Edited("true", "true again"),
			Want:       expected{ran: []string{"RUN true again", "COPY file /", "WORKDIR /w", "RUN echo last"}},
		},
		{
			Name:       "a step more at the end",
			Dockerfile: "FROM $BASE\nRUN echo first\n",
			Change:     scenario.Edited("first", "first\nRUN echo last"),
			Want:       expected{ran: []string{"RUN echo last"}},
		},
		{
			Name:       "a step less at the start",
			Dockerfile: "FROM $BASE\nRUN echo first\nRUN echo last\n",
			Change:     scenario.Edited("RUN echo first\n", ""),
			Want:       expected{ran: []string{"RUN echo last"}},
		},
		{
			Name:       "equal content across stages",
			Dockerfile: stages,
			Change:     scenario.Edited("echo constant", "echo  constant"),
			Want:       expected{ran: []string{"RUN echo  constant > /made", "RUN sed s/a/a/ /made > /copy"}},
		},
		{
			Name:       "other content across stages",
			Dockerfile: stages,
			Change:     scenario.Edited("echo constant", "echo other"),
			Want: expected{ran: []string{
				"RUN echo other > /made", "RUN sed s/a/a/ /made > /copy",
				"COPY --from=made /copy /copy", bound, "RUN cat /copy",
			}},
		},
	}
}

// arguments is R7: a declared argument is in the key of each RUN after its ARG
// in the same stage, used or not, and of nothing else.
func arguments() []rebuild {
	const file = `FROM $BASE AS other
RUN echo other > /other

FROM $BASE
RUN echo before
COPY file /before/
WORKDIR /before
ARG CACHEBUST=1
COPY file /after/
WORKDIR /after
RUN echo after
RUN --mount=type=tmpfs,target=/t echo last
COPY --from=other /other /other
`
	files := map[string]string{"file": "file"}
	after := []string{"RUN echo after", "RUN --mount=type=tmpfs,target=/t echo last", "COPY --from=other /other /other"}
	return []rebuild{
		{Name: "value", Dockerfile: file, Files: files, Change: scenario.Given("CACHEBUST", "2"), Want: expected{ran: after}},
		{Name: "default", Dockerfile: file, Files: files, Change: scenario.Edited("=1", "=2"), Want: expected{ran: after}},
		{Name: "same value", Dockerfile: file, Files: files, Change: scenario.Given("CACHEBUST", "1")},
		{Name: "undeclared", Dockerfile: file, Files: files, Change: scenario.Given("ELSE", "2")},
		{
			Name:       "used",
			Dockerfile: "FROM $BASE\nARG NAME=file\nCOPY $NAME /\n",
			Files:      map[string]string{"file": "file", "other": "other"},
			Change:     scenario.Given("NAME", "other"),
			Want:       expected{ran: []string{"COPY other /"}},
		},
	}
}
