package cachepolicy

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
)

func TestParseSource(t *testing.T) {
	for text, want := range map[string]Source{
		"https://e.org":                       {SourceHTTP, "https://e.org"},
		"http://e.org:8080/a?b=c#d":           {SourceHTTP, "http://e.org:8080/a?b=c#d"},
		"HTTPS://e.org/a":                     {SourceHTTP, "HTTPS://e.org/a"},
		"https://e.org/x.gitx":                {SourceHTTP, "https://e.org/x.gitx"},
		"https://e.org/x.git":                 {SourceGit, "https://e.org/x.git"},
		"https://e.org/x.git#main:sub":        {SourceGit, "https://e.org/x.git#main:sub"},
		"https://e.org/x.git?ref=v1":          {SourceGit, "https://e.org/x.git?ref=v1"},
		"git://e.org/x":                       {SourceGit, "git://e.org/x"},
		"ssh://git@e.org/x":                   {SourceGit, "ssh://git@e.org/x"},
		"git@e.org:x/y.git#v1":                {SourceGit, "git@e.org:x/y.git#v1"},
		"image://alpine":                      {SourceImage, "alpine"},
		"image://r.example:5000/a/b:1":        {SourceImage, "r.example:5000/a/b:1"},
		"file:package.json":                   {SourceFile, "package.json"},
		"file:./a//b/":                        {SourceFile, "a/b"},
		"file:/a":                             {SourceFile, "a"},
		"file:.":                              {SourceFile, "."},
		"file:/":                              {SourceFile, "."},
		"file:src/*.go":                       {SourceFile, "src/*.go"},
		"file:a b":                            {SourceFile, "a b"},
		"file:..a":                            {SourceFile, "..a"},
		"arg:VERSION":                         {SourceArg, "VERSION"},
		"arg:a.b-c":                           {SourceArg, "a.b-c"},
		"text:2":                              {SourceText, "2"},
		"text://x":                            {SourceText, "//x"},
		"text:https://e.org":                  {SourceText, "https://e.org"},
		"image://alpine@sha256:" + testDigest: {SourceImage, "alpine@sha256:" + testDigest},
	} {
		got, err := parseSource(text)
		if err != nil || got != want {
			t.Errorf("parseSource(%q) = %v, %v, want %v", text, got, err, want)
		}
		again, err := parseSource(got.String())
		if err != nil || again != got {
			t.Errorf("%v is written %q, which reads as %v, %v", got, got.String(), again, err)
		}
	}
}

const testDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParseSourceErrors(t *testing.T) {
	for _, tt := range []struct{ text, message, suggestion string }{
		{"", "is not a source", ""},
		{"package.json", "is not a source", "file:package.json"},
		{"htps://e.org/x", "is not a source", "https://e.org/x"},
		{"https:/e.org/x", "is not a source", "https://e.org/x"},
		{"https://", "not a URL with a host", ""},
		{"https:///x", "not a URL with a host", ""},
		{"https://e.org/%zz", "not a URL with a host", ""},
		{"https://user:pw@e.org/x", "host e.org carries credentials", ""},
		{"https://token@e.org/x.git", "host e.org carries credentials", ""},
		{"ssh://git:pw@e.org/x.git", "host e.org carries credentials", ""},
		{"ftp://e.org/x", "is not a source", ""},
		{"image:alpine", "is not a source", "image://alpine"},
		{"docker-image://alpine", "is not a source", "image://alpine"},
		{"image://", "not an image reference", ""},
		{"image://UPPER", "not an image reference", ""},
		{"image://alpine:${V}", "not an image reference", ""},
		{"file:", "names nothing", ""},
		{"file://a", "is not a source", "file:a"},
		{"file:../a", "leaves the build context", ""},
		{"file:a/../../b", "leaves the build context", ""},
		{"file:a[", "not a wildcard", ""},
		{"arg:", "not the name of a build argument", ""},
		{"arg:A=B", "not the name of a build argument", ""},
		{"arg:$A", "not the name of a build argument", ""},
		{"arg:CACHEWRIGHT_NOW", "reaches no step", ""},
		{"env:HOME", "is not a source", "arg:HOME"},
		{"text:", "names nothing", ""},
		{"fil:a", "is not a source", "file:a"},
		{"arq:A", "is not a source", "arg:A"},
	} {
		_, err := parseSource(tt.text)
		if err == nil || !strings.Contains(err.Message, tt.message) || err.Suggestion != tt.suggestion {
			t.Errorf("parseSource(%q): %v, want %q and suggestion %q", tt.text, err, tt.message, tt.suggestion)
			continue
		}
		if strings.Contains(err.Error(), "pw@") || strings.Contains(err.Error(), "token@") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// isGitForADD is what docker/dockerfile does with a source of ADD.
func isGitForADD(text string) bool {
	ref, isGit, err := dfgitutil.ParseGitRef(text)
	if err != nil {
		return isGit // git, with bad options
	}
	return !ref.IndistinguishableFromLocal
}

func TestIsGitRef(t *testing.T) {
	for _, text := range gitSeeds {
		if got, want := IsGitRef(text), isGitForADD(text); got != want {
			t.Errorf("IsGitRef(%q) = %v, want %v as ADD has it", text, got, want)
		}
	}
}

var gitSeeds = []string{
	"https://e.org/x.git", "https://e.org/x.git#a", "https://e.org/x.git?branch=b", "https://e.org/x.git?foo=b", "https://e.org/x", "https://e.org/.git/",
	"http://e.org/x.git", "HTTP://e.org/x.git", "git://e.org", "ssh://e.org/x", "ssh://a@e.org:22/x", "git@e.org:x", "git@e.org:", "a-b_c@e.org:x?a=b#c",
	"git@e_org:x", "@e.org:x", "git@:x", "git@e.org", "a b@e.org:x", "github.com/a/b", "./x.git", "../x.git", "x.git", "file:///x.git", "ftp://e.org/x.git",
	"git@e.org:x?a=%zz", "git@e.org:x#a?b=%zz", "https://e.org/x.git#%zz", "a+b://e.org/x.git", "://x.git", "", "git@e.org:x\ny", "https://e.org/a?x=.git",
	"a@b@c:d", "https://user:pw@e.org/x.git",
}

func FuzzIsGitRef(f *testing.F) {
	for _, s := range gitSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, want := IsGitRef(text), isGitForADD(text); got != want {
			t.Errorf("IsGitRef(%q) = %v, want %v as ADD has it", text, got, want)
		}
	})
}
