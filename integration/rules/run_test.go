package rules_test

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
		{name: "unchanged", dockerfile: file},
		{name: "comment", dockerfile: file, change: edited("RUN cat", "\n# Why not?\nRUN cat")},
		{name: "image config", dockerfile: file, change: edited("USER 0", "LABEL a=b\nCMD [\"true\"]\nEXPOSE 80\nUSER 0")},
		{name: "command", dockerfile: file, change: edited("cat out", "cat  out"), ran: []string{"RUN cat  out"}},
		{name: "exec form", dockerfile: file, change: edited("cat out", `["cat", "out"]`), ran: []string{`RUN ["cat", "out"]`}},
		{name: "environment", dockerfile: file, change: edited("=one", "=two"), ran: both},
		{name: "more environment", dockerfile: file, change: edited("=one", "=one MORE=1"), ran: both},
		{name: "user", dockerfile: file, change: edited("USER 0", "USER root"), ran: both},
		{name: "working directory", dockerfile: file, change: edited("/work", "/other"), ran: append(both, "WORKDIR /other")},
		{name: "shell", dockerfile: file, change: edited("RUN --net", "SHELL [\"/bin/busybox\", \"sh\", \"-c\"]\nRUN --net"), ran: both},
		{
			name: "mount", dockerfile: file, change: edited("target=/scratch", "target=/tmp"),
			ran: []string{"RUN --network=default --mount=type=tmpfs,target=/tmp env > out", last},
		},
		{
			name: "network", dockerfile: file, change: edited("=default", "=none"),
			ran: []string{"RUN --network=none --mount=type=tmpfs,target=/scratch env > out", last},
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
			name:       "same files",
			dockerfile: "FROM $BASE\nRUN echo first\nRUN true\nCOPY file /\nWORKDIR /w\nRUN echo last\n",
			files:      map[string]string{"file": ""},
			change:     edited("true", "true again"),
			ran:        []string{"RUN true again", "COPY file /", "WORKDIR /w", "RUN echo last"},
		},
		{
			name:       "a step more at the end",
			dockerfile: "FROM $BASE\nRUN echo first\n",
			change:     edited("first", "first\nRUN echo last"),
			ran:        []string{"RUN echo last"},
		},
		{
			name:       "a step less at the start",
			dockerfile: "FROM $BASE\nRUN echo first\nRUN echo last\n",
			change:     edited("RUN echo first\n", ""),
			ran:        []string{"RUN echo last"},
		},
		{
			name:       "equal content across stages",
			dockerfile: stages,
			change:     edited("echo constant", "echo  constant"),
			ran:        []string{"RUN echo  constant > /made", "RUN sed s/a/a/ /made > /copy"},
		},
		{
			name:       "other content across stages",
			dockerfile: stages,
			change:     edited("echo constant", "echo other"),
			ran: []string{
				"RUN echo other > /made", "RUN sed s/a/a/ /made > /copy",
				"COPY --from=made /copy /copy", bound, "RUN cat /copy",
			},
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
		{name: "value", dockerfile: file, files: files, change: given("CACHEBUST", "2"), ran: after},
		{name: "default", dockerfile: file, files: files, change: edited("=1", "=2"), ran: after},
		{name: "same value", dockerfile: file, files: files, change: given("CACHEBUST", "1")},
		{name: "undeclared", dockerfile: file, files: files, change: given("ELSE", "2")},
		{
			name:       "used",
			dockerfile: "FROM $BASE\nARG NAME=file\nCOPY $NAME /\n",
			files:      map[string]string{"file": "file", "other": "other"},
			change:     given("NAME", "other"),
			ran:        []string{"COPY other /"},
		},
	}
}
