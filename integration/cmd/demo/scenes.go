package main

import (
	"os"
	"path/filepath"
)

// scene is one project that is built several times.
type scene struct {
	title   string
	example string // its directory below examples/
	rounds  []round
}

// round is one build of a scene's project.
type round struct {
	title string
	// prepare changes the project before the build, nil for nothing.
	prepare func(project string) error
	args    []string
}

var scenes = []scene{
	{
		title:   "Without a rule: the same cache as docker/dockerfile's",
		example: "layers",
		rounds: []round{
			{title: "first build"},
			{title: "unchanged"},
			{title: "one source changed", prepare: changeSource},
			{title: "other CACHEBUST", args: []string{"--build-arg", "CACHEBUST=2"}},
		},
	},
	{
		title:   "Rules: ttl for data that goes stale, off for a test that must run",
		example: "fresh-data",
		rounds: []round{
			{title: "first build", args: at("2026-05-17T09:00:00Z")},
			{title: "same day", args: at("2026-05-17T17:00:00Z")},
			{title: "next day", args: at("2026-05-18T09:00:00Z")},
			{title: "rules off", args: []string{"--build-arg", "CACHEWRIGHT_RULES=off"}},
			{title: "rules off again", args: []string{"--build-arg", "CACHEWRIGHT_RULES=off"}},
		},
	},
}

// at sets the clock of the rules for a build.
func at(now string) []string {
	return []string{"--build-arg", "CACHEWRIGHT_NOW=" + now}
}

func changeSource(project string) error {
	file := filepath.Join(project, "src", "server.js")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, "\nrouter.listen(8080)\n"...), 0o644)
}
