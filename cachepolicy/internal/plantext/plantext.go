// Package plantext reads plans from short texts, so that tests show what they are
// about.
package plantext

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Parse reads a plan. A line that is not indented begins a step, "STAGE I/N INSTRUCTION…", or a
// file set, "set ID PATTERN…"; the indented lines below belong to it:
//
//	line 7                  the instruction's line; by default 10 times its position
//	base REF DIGEST         arg NAME=VALUE LINE      env NAME=VALUE LINE
//	files ID LINE           file ID (key=file:)      ttl 24h WINDOW
//	http|git|image REF DIGEST                        off
//	fields FILE DIGEST      field FILE: FIELD=VALUE
//	secret|ssh|workdir|user|option|… NAME VALUE      unresolved KIND NAME
//	rule OPTION[=VALUE] LINE                         no-cache
//	alone                   the step does not follow the one before it in its stage
//	after|content STAGE/I   the step follows that one by definition, by content
//	source REF DIGEST       the step takes content from there
//	fetched URL DIGEST      the step takes all of that
//	key DIGEST              the digest of its operation
//	failed                  what became of it
//
// A step follows the one before it in its stage by definition.
func Parse(t testing.TB, text string) record.PastBuild {
	t.Helper()
	p := planParser{t: t, build: record.PastBuild{Plan: &cacheplan.Plan{Version: cacheplan.Version, Dockerfile: "Dockerfile", Platform: "linux/amd64"}}, stages: map[string]int{}}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case line[0] != ' ' && line[0] != '\t' && fields[0] == "set":
			p.build.Plan.Files = append(p.build.Plan.Files, cacheplan.FileSet{ID: fields[1], Patterns: fields[2:]})
			p.set = &p.build.Plan.Files[len(p.build.Plan.Files)-1]
		case line[0] != ' ' && line[0] != '\t':
			p.set = nil
			p.step(fields)
		case p.set != nil:
			p.file(fields)
		default:
			p.property(fields)
		}
	}
	if err := p.build.Plan.Check(); err != nil {
		t.Fatal(err)
	}
	return p.build
}

type planParser struct {
	t      testing.TB
	build  record.PastBuild
	stages map[string]int
	set    *cacheplan.FileSet
}

func (p *planParser) step(fields []string) {
	stage, numbers, text := fields[0], strings.Split(fields[1], "/"), strings.Join(fields[2:], " ")
	if _, ok := p.stages[stage]; !ok {
		p.stages[stage] = len(p.stages)
	}
	plan := p.build.Plan
	s := cacheplan.Step{Name: fmt.Sprintf("[%s %s] %s", stage, fields[1], text)}
	line := 10 * (len(plan.Steps) + 1)
	s.ID = cachepolicy.StepID{Stage: stage, StageIndex: p.stages[stage], Number: p.int(numbers[0]), Total: p.int(numbers[1]), Line: line, EndLine: line, Instruction: fields[2]}
	if fields[2] != "FROM" {
		s.Inputs = append(s.Inputs, cachepolicy.NewInput(cachepolicy.InputCommand, fields[2], text, cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: line}))
	}
	if i := len(plan.Steps) - 1; i >= 0 && plan.Steps[i].ID.Stage == stage {
		s.Follows = []cacheplan.Follow{cacheplan.FollowStep(i, cacheplan.ByDefinition, "")}
	}
	plan.Steps = append(plan.Steps, s)
	p.build.Results = append(p.build.Results, record.Result{})
}

func (p *planParser) int(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// file reads "PATH CONTENT MODE", or a lone word that is a property of the set.
func (p *planParser) file(fields []string) {
	p.set.Known = true
	switch fields[0] {
	case "unknown":
		p.set.Known = false
	case "ignore-modes":
		p.set.IgnoreModes = true
	case "large":
		*p.set = p.set.WithoutFiles()
	case "many": // many COUNT CONTENT
		for i := range p.int(fields[1]) {
			p.set.Files = append(p.set.Files, cacheplan.File{Path: fmt.Sprintf("f%05d", i), Digest: DigestOf(fields[2]), Mode: 0o100644})
		}
	default:
		f := cacheplan.File{Path: fields[0], Digest: DigestOf(fields[1])}
		if err := f.Mode.UnmarshalText([]byte(fields[2])); err != nil {
			p.t.Fatal(err)
		}
		p.set.Files = append(p.set.Files, f)
	}
}

// DigestOf is the digest of a file with that content.
func DigestOf(content string) cacheplan.FileDigest {
	var d cacheplan.FileDigest
	full := sha256.Sum256([]byte(content))
	copy(d[:], full[:])
	return d
}

func (p *planParser) find(ref string) int {
	for i, s := range p.build.Plan.Steps {
		if s.ID.String() == ref {
			return i
		}
	}
	p.t.Fatalf("there is no step %s", ref)
	return -1
}

func (p *planParser) property(fields []string) {
	steps := p.build.Plan.Steps
	s := &steps[len(steps)-1]
	get := func(i int) string {
		if i < len(fields) {
			return fields[i]
		}
		return ""
	}
	ruleOrigin := cachepolicy.Origin{Kind: cachepolicy.OriginRule, Line: s.ID.Line - 1}
	add := func(in cachepolicy.Input) { s.Inputs = append(s.Inputs, in) }
	switch kind := cachepolicy.InputKind(fields[0]); fields[0] {
	case "line":
		s.ID.Line, s.ID.EndLine = p.int(get(1)), p.int(get(1))
	case "arg", "env":
		name, value, _ := strings.Cut(get(1), "=")
		origin := cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: p.int(get(2))}
		if kind == cachepolicy.InputArg {
			origin.Kind = cachepolicy.OriginBuildArg
		}
		add(cachepolicy.NewVariable(kind, name, value, origin, []byte("key")))
	case "base":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Digest: get(2), Origin: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: s.ID.Line}})
	case "files":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Files: get(1), Origin: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: s.ID.Line}})
	case "file":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Files: get(1), Origin: ruleOrigin})
	case "ttl":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Value: "window " + get(2), Origin: ruleOrigin})
	case "http", "git", "image":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Digest: get(2), Unresolved: get(2) == "", Origin: ruleOrigin})
	case "fields":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Digest: get(2), Origin: ruleOrigin})
	case "field":
		name, value, _ := strings.Cut(strings.Join(fields[1:], " "), "=")
		add(cachepolicy.NewInput(kind, name, value, ruleOrigin))
	case "text", "key-arg":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Value: get(2), Origin: ruleOrigin})
	case "off":
		add(cachepolicy.Input{Kind: kind, Name: "off", Origin: ruleOrigin})
	case "unresolved":
		add(cachepolicy.Input{Kind: cachepolicy.InputKind(get(1)), Name: get(2), Unresolved: true})
	case "rule":
		option, value, _ := strings.Cut(get(1), "=")
		s.Rule = append(s.Rule, cacheplan.Setting{Option: cachepolicy.Option(option), Value: value, Origin: ruleOrigin})
	case "no-cache":
		s.NoCache = true
	case "alone":
		s.Follows = nil
	case "after":
		s.Follows = append(s.Follows, cacheplan.FollowStep(p.find(get(1)), cacheplan.ByDefinition, "stage"))
	case "content":
		s.Follows = append(s.Follows, cacheplan.FollowStep(p.find(get(1)), cacheplan.ByContent, "--from"))
	case "source":
		s.Follows = append(s.Follows, cacheplan.FollowSource(get(1), get(2), "--from"))
	case "fetched":
		s.Follows = append(s.Follows, cacheplan.FollowFetched(get(1), get(2), "ADD"))
	case "key":
		s.Key = get(1)
	case "failed":
		p.build.Results[len(steps)-1].Outcome = record.OutcomeFailed
	case "secret", "ssh", "workdir", "user", "option", "mount", "shell", "platform":
		add(cachepolicy.Input{Kind: kind, Name: get(1), Value: get(2), Origin: cachepolicy.Origin{Kind: cachepolicy.OriginLine, Line: s.ID.Line}})
	default:
		p.t.Fatalf("unknown property %q", fields)
	}
}

// Big is a plan of many steps in a few stages and sets of many files.
func Big(steps, files int, variant string) record.PastBuild {
	p := &cacheplan.Plan{Version: cacheplan.Version}
	set := cacheplan.FileSet{ID: "all", Patterns: []string{"."}, Known: true}
	for i := range files {
		set.Files = append(set.Files, cacheplan.File{Path: fmt.Sprintf("src/package%03d/file%05d.go", i/100, i), Digest: DigestOf(fmt.Sprint(i)), Mode: 0o100644})
	}
	set.Files[files/2].Digest = DigestOf(variant)
	p.Files = []cacheplan.FileSet{set}
	for i := range steps {
		s := cacheplan.Step{ID: cachepolicy.StepID{Stage: fmt.Sprintf("s%d", i%10), StageIndex: i % 10, Number: i/10 + 1, Total: steps / 10, Line: i, EndLine: i, Instruction: "RUN"}}
		s.Name = fmt.Sprintf("[%s] RUN %d", s.ID, i)
		s.Inputs = []cachepolicy.Input{cachepolicy.NewInput(cachepolicy.InputCommand, "RUN", fmt.Sprintf("RUN %d", i), cachepolicy.Origin{}), cachepolicy.NewInput(cachepolicy.InputEnv, "PATH", "/usr/bin", cachepolicy.Origin{})}
		if i >= 10 {
			s.Follows = []cacheplan.Follow{cacheplan.FollowStep(i-10, cacheplan.ByDefinition, "")}
		} else {
			s.Inputs = append(s.Inputs, cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: ".", Files: "all"})
		}
		p.Steps = append(p.Steps, s)
	}
	return record.PastBuild{Plan: p}
}
