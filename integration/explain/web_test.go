package explain_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/cachewright/cachewright/integration/scenario"
)

func shortSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:12]
}

// keyChanges are changes of what key= names.
func keyChanges(w *scenario.Web) []rebuild {
	const file = "FROM $BASE\nRUN echo before\n# cache=key=%s\nRUN echo keyed\nRUN echo after\n"
	because := func(note string) map[string]string {
		return map[string]string{"RUN echo keyed": note, "RUN echo after": "follows 3/4"}
	}
	w.SetText("/page", "1")
	const repository = "source.git"
	return []rebuild{
		{
			Name: "http", Dockerfile: fmt.Sprintf(file, w.URL+"/page"), Change: w.Paged("/page", "2"),
			Want: expected{notes: because(w.URL + "/page moved " + shortSum("1") + " → " + shortSum("2"))},
		},
		{
			Name: "git", Dockerfile: fmt.Sprintf(file, w.URL+"/git/"+repository+"#main"),
			Prepare: func(p *project) { p.Words["$OLD"] = w.Commit(p, repository)[:12] },
			Change:  func(p *project) { p.Words["$NEW"] = w.Commit(p, repository)[:12] },
			Want:    expected{notes: because(w.URL + "/git/" + repository + "#main moved $OLD → $NEW")},
		},
		{
			Name: "image", Dockerfile: fmt.Sprintf(file, "image://REPOSITORY"),
			Prepare: func(p *project) {
				image := p.NewBase()
				p.Words["$NAME"], p.Words["$OLD"] = p.PushImage(scenario.NewRepository()+":1", image), short(p, image)
				p.Edit("REPOSITORY", p.Words["$NAME"])
			},
			Change: func(p *project) {
				image := p.NewBase()
				p.PushImage(p.Words["$NAME"], image)
				p.Words["$NEW"] = short(p, image)
			},
			Want: expected{notes: because("$NAME moved $OLD → $NEW")},
		},
		{
			Name: "file", Dockerfile: fmt.Sprintf(file, "file:go.sum"), Files: map[string]string{"go.sum": "1"}, Change: scenario.Written("go.sum", "2"),
			Want: expected{notes: because("go.sum changed")},
		},
		{Name: "argument", Dockerfile: fmt.Sprintf(file, "arg:REV"), Change: scenario.Given("REV", "2"), Want: expected{notes: because("ARG REV \"not given\" → 2 (line 4)")}},
		{Name: "text", Dockerfile: fmt.Sprintf(file, "text:1"), Change: scenario.Edited("text:1", "text:2"), Want: expected{notes: because("rule key=text:1 → key=text:2")}},
	}
}
