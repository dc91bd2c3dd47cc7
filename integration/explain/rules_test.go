package explain_test

import (
	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// ruleChanges are changes of directives, and what they do by themselves.
func ruleChanges() []rebuild {
	const daily = "FROM $BASE\nRUN echo before\n# cache=ttl=daily\nRUN echo kept\nRUN echo after\n"
	const plain = "FROM $BASE\nRUN echo before\nRUN echo kept\nRUN echo after\n"
	const based = "FROM $BASE\nRUN echo before\n# cache=base=content\nRUN echo kept\nRUN echo after\n"
	files := map[string]string{"src/a": "1"}
	ls := expected{kept: map[string]string{"RUN ls /src": "follows 2/3 if that changed"}}
	march := sandbox.Build{Args: map[string]string{"CACHEWRIGHT_NOW": "2026-03-01T12:00:00Z"}}
	because := func(note string) map[string]string {
		return map[string]string{"RUN echo kept": note, "RUN echo after": "follows 3/4"}
	}
	return []rebuild{
		{Name: "ttl rolled", Dockerfile: daily, Options: march, Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-02T12:00:00Z"), Want: expected{notes: because("ttl daily rolled over")}},
		{Name: "ttl in its window", Dockerfile: daily, Options: march, Change: scenario.Given("CACHEWRIGHT_NOW", "2026-03-01T18:00:00Z")},
		{Name: "ttl changed", Dockerfile: daily, Options: march, Change: scenario.Edited("daily", "monthly"), Want: expected{notes: because("rule ttl=daily → ttl=monthly")}},
		{Name: "ttl removed", Dockerfile: daily, Options: march, Change: scenario.Edited("# cache=ttl=daily\n", ""), Want: expected{notes: because("rule removed: ttl=daily")}},
		{Name: "rule added", Dockerfile: plain, Options: march, Change: scenario.Edited("RUN echo kept", "# cache=ttl=7d\nRUN echo kept"), Want: expected{notes: because("rule added: ttl=7d")}},
		{Name: "rules off", Dockerfile: daily, Options: march, Change: scenario.Given("CACHEWRIGHT_RULES", "off"), Want: expected{notes: because("rule removed: ttl=daily")}},
		{Name: "rule by override", Dockerfile: daily, Options: march, Change: scenario.Given("CACHEWRIGHT_RULES", "@5: ttl=1h"), Want: expected{notes: because("rule ttl=daily → ttl=1h")}},
		{Name: "export", Dockerfile: daily, Options: march, Change: scenario.Edited("ttl=daily", "ttl=daily;export=no"), Want: expected{notes: because("rule ttl=daily → ttl=daily;export=no")}},
		// These two are in no key of the builder's: nothing runs, and nothing is said for certain.
		{Name: "base=content added", Dockerfile: plain, Change: scenario.Edited("RUN echo kept", "# cache=base=content\nRUN echo kept")},
		{Name: "base=content removed", Dockerfile: based, Change: scenario.Edited("# cache=base=content\n", "")},
		{Name: "modes=ignore added", Dockerfile: "FROM $BASE\nCOPY src /src\nRUN ls /src\n", Files: files, Change: scenario.Edited("COPY", "# cache=modes=ignore\nCOPY"), Want: ls},
		{Name: "modes=ignore removed", Dockerfile: "FROM $BASE\n# cache=modes=ignore\nCOPY src /src\nRUN ls /src\n", Files: files, Change: scenario.Edited("# cache=modes=ignore\n", ""), Want: ls},
		{Name: "off in another stage", Dockerfile: "FROM $BASE AS t\n# cache=off\nRUN cat /proc/sys/kernel/random/uuid >/id\nFROM $BASE\nCOPY --from=t /id /\nRUN cat /id\n",
			Want: expected{notes: map[string]string{
				"RUN cat /proc/sys/kernel/random/uuid >/id": "runs in every build",
				"COPY --from=t /id /":                       "follows t 2/2 if that changed", "RUN cat /id": "follows 2/3 if that changed",
			}}},
		{Name: "off in another stage, with the same result", Dockerfile: "FROM $BASE AS t\n# cache=off\nRUN echo 1 >/id\nFROM $BASE\nCOPY --from=t /id /\nRUN cat /id\n",
			Want: expected{
				notes: map[string]string{"RUN echo 1 >/id": "runs in every build"},
				kept:  map[string]string{"COPY --from=t /id /": "follows t 2/2 if that changed", "RUN cat /id": "follows 2/3 if that changed"},
			}},
		{Name: "off", Dockerfile: "FROM $BASE\nRUN echo before\n# cache=off\nRUN echo kept\nRUN echo after\n", Want: expected{notes: because("runs in every build")}},
	}
}
