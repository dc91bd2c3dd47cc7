package explain_test

import (
	"github.com/cachewright/cachewright/integration/scenario"
)

// elsewhere are changes of what instructions take from outside the build: images,
// URLs, repositories, and named contexts that are images.
func elsewhere(w *scenario.Web) []rebuild {
	w.SetText("/added", "1")
	w.SetText("/same", "1")
	const repository = "added.git"
	const moved = "$NAME moved $OLD → $NEW, if that changed what is taken"
	page, same, git := w.URL+"/added", w.URL+"/same", w.URL+"/git/"+repository
	return []rebuild{
		{
			Name: "ADD of a URL", Dockerfile: "FROM $BASE\nADD " + page + " /p\nRUN cat /p\nADD " + same + " /s\n", Change: w.Paged("/added", "2"),
			Want: expected{notes: map[string]string{
				"ADD " + page + " /p": page + " moved " + shortSum("1") + " → " + shortSum("2"),
				"RUN cat /p":          "follows 2/4", "ADD " + same + " /s": "follows 2/4",
			}},
		},
		{
			Name: "ADD of a repository", Dockerfile: "FROM $BASE\nADD " + git + "#main /r\nRUN ls /r\n",
			Prepare: func(p *project) { p.Words["$OLD"] = w.Commit(p, repository)[:12] },
			Change:  func(p *project) { p.Words["$NEW"] = w.Commit(p, repository)[:12] },
			Want: expected{notes: map[string]string{
				"ADD " + git + "#main /r": git + " moved $OLD → $NEW, if that changed what is taken",
				"RUN ls /r":               "follows 2/3 if that changed",
			}},
		},
		{
			Name: "COPY from an image", Dockerfile: "FROM $BASE\nCOPY --from=IMAGE /etc/unique /u\nRUN cat /u\n", Prepare: image, Change: again,
			Want: expected{notes: map[string]string{"COPY --from=$NAME /etc/unique /u": moved, "RUN cat /u": "follows 2/3 if that changed"}},
		},
		{
			Name: "COPY of the same from an image", Dockerfile: "FROM $BASE\nCOPY --from=IMAGE /bin/busybox /b\nRUN ls /b\n", Prepare: image, Change: again,
			Want: expected{kept: map[string]string{"COPY --from=$NAME /bin/busybox /b": moved, "RUN ls /b": "follows 2/3 if that changed"}},
		},
		{
			Name: "a mount of an image", Dockerfile: "FROM $BASE\nRUN --mount=from=IMAGE,target=/m cat /m/etc/unique\n", Prepare: image, Change: again,
			Want: expected{notes: map[string]string{"RUN --mount=from=$NAME,target=/m cat /m/etc/unique": moved}},
		},
		{
			Name: "a context that is an image", Dockerfile: "FROM ctx\nCOPY a.txt /\nRUN cat /a.txt\n", Files: map[string]string{"a.txt": "1"},
			Prepare: func(p *project) {
				pushed(p)
				p.Attr("context:ctx", "docker-image://"+p.Words["$NAME"])
			},
			Change: scenario.Written("a.txt", "2"),
			Want:   expected{notes: map[string]string{"COPY a.txt /": "a.txt changed", "RUN cat /a.txt": "follows 1/3"}},
		},
	}
}

// pushed pushes an image.
func pushed(p *project) {
	img := p.NewBase()
	p.Words["$NAME"], p.Words["$OLD"] = p.PushImage(scenario.NewRepository()+":1", img), short(p, img)
}

// image pushes an image and has the Dockerfile name it for IMAGE.
func image(p *project) {
	pushed(p)
	p.Edit("IMAGE", p.Words["$NAME"])
}

// again pushes another image under the name.
func again(p *project) {
	img := p.NewBase()
	p.PushImage(p.Words["$NAME"], img)
	p.Words["$NEW"] = short(p, img)
}

// settings are changes of the options of the build.
func settings() []rebuild {
	const file = "FROM $BASE\nWORKDIR /w\nRUN echo one\n"
	run := func(note string) expected { return expected{notes: map[string]string{"RUN echo one": note}} }
	return []rebuild{
		{Name: "host", Dockerfile: file, Change: scenario.Asked("add-hosts", "h=1.2.3.4"), Want: run("add-host h added")},
		{Name: "network and host", Dockerfile: file, Change: scenario.All(scenario.Asked("add-hosts", "h=1.2.3.4"), scenario.Asked("force-network-mode", "none")), Want: run("network added, add-host h added")},
		{Name: "ulimit", Dockerfile: file, Change: scenario.Asked("ulimit", "nofile=100:200"), Want: run("ulimit nofile added")},
		{Name: "shared memory", Dockerfile: file, Change: scenario.Asked("shm-size", "1048576"), Want: run("shm-size added")},
		{Name: "time", Dockerfile: file, Change: scenario.Given("SOURCE_DATE_EPOCH", "100"), Want: expected{notes: map[string]string{
			"WORKDIR /w": "SOURCE_DATE_EPOCH added", "RUN echo one": "follows 2/3",
		}}},
	}
}
