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
	// ask are questions that are put before the build.
	ask  []question
	args []string
}

// question is a run of buildx build that builds nothing and answers something.
type question struct {
	title string
	args  []string
	fails bool // the answer is an exit status of 1
}

var scenes = []scene{
	{
		title:   "Why a step runs again, known before and said in the build",
		example: "layers",
		rounds: []round{
			{title: "first build"},
			{title: "unchanged"},
			{title: "source changed", prepare: appendTo("src/server.js", "\nrouter.listen(8080)\n"), ask: []question{
				{title: "what will the build do?", args: []string{"--call=cache"}},
				expect("a change of the sources installs nothing again", "deps/*=hit, build/*=re-run", false),
			}},
			{title: "lock changed", prepare: appendTo("package-lock.json", "\n"), ask: []question{
				expect("that is what a CI job finds out", "deps/*=hit", true),
			}},
			{title: "CACHEBUST=2", args: []string{"--build-arg", "CACHEBUST=2"}},
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

// expect asks whether steps will do what is expected of them.
func expect(title, expected string, fails bool) question {
	return question{title: title, args: []string{"--call=cache-assert", "--build-arg", "CACHEWRIGHT_EXPECT=" + expected}, fails: fails}
}

// appendTo appends text to a file of the project.
func appendTo(name, text string) func(project string) error {
	return func(project string) error {
		f, err := os.OpenFile(filepath.Join(project, filepath.FromSlash(name)), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		return err
	}
}
