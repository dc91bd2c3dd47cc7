package cachepolicy

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// parsePlan reads a plan from a short text, so that tests show what they are
// about. A line that is not indented begins a step, "STAGE I/N INSTRUCTION…", or a
// file set, "set ID PATTERN…"; the indented lines below belong to it:
//
//	line 7                  the instruction's line; by default 10 times its position
//	base REF DIGEST         arg NAME=VALUE LINE      env NAME=VALUE LINE
//	files ID LINE           file ID (key=file:)      ttl 24h WINDOW
//	http|git|image REF DIGEST                        off
//	secret|ssh|workdir|user|option|… NAME VALUE      unresolved KIND NAME
//	rule OPTION[=VALUE] LINE                         no-cache
//	alone                   the step does not follow the one before it in its stage
//	after|content STAGE/I   the step follows that one by definition, by content
//	source REF DIGEST       the step takes content from there
//	failed, seconds 1.5     what became of it
//
// A step follows the one before it in its stage by definition.
func parsePlan(t testing.TB, text string) PastBuild {
	t.Helper()
	p := planParser{t: t, build: PastBuild{Plan: &Plan{Version: PlanVersion, Dockerfile: "Dockerfile", Platform: "linux/amd64"}}, stages: map[string]int{}}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case line[0] != ' ' && line[0] != '\t' && fields[0] == "set":
			p.build.Plan.Files = append(p.build.Plan.Files, FileSet{ID: fields[1], Patterns: fields[2:]})
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
	build  PastBuild
	stages map[string]int
	set    *FileSet
}

func (p *planParser) step(fields []string) {
	stage, numbers, text := fields[0], strings.Split(fields[1], "/"), strings.Join(fields[2:], " ")
	if _, ok := p.stages[stage]; !ok {
		p.stages[stage] = len(p.stages)
	}
	plan := p.build.Plan
	s := Step{Name: fmt.Sprintf("[%s %s] %s", stage, fields[1], text)}
	line := 10 * (len(plan.Steps) + 1)
	s.ID = StepID{Stage: stage, StageIndex: p.stages[stage], Number: p.int(numbers[0]), Total: p.int(numbers[1]), Line: line, EndLine: line, Instruction: fields[2]}
	if fields[2] != "FROM" {
		s.Inputs = append(s.Inputs, NewInput(InputCommand, fields[2], text, Origin{Kind: OriginLine, Line: line}))
	}
	if i := len(plan.Steps) - 1; i >= 0 && plan.Steps[i].ID.Stage == stage {
		s.Follows = []Follow{FollowStep(i, ByDefinition, "")}
	}
	plan.Steps = append(plan.Steps, s)
	p.build.Results = append(p.build.Results, Result{})
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
		*p.set = p.set.withoutFiles()
	case "many": // many COUNT CONTENT
		for i := range p.int(fields[1]) {
			p.set.Files = append(p.set.Files, File{Path: fmt.Sprintf("f%05d", i), Digest: digestOf(fields[2]), Mode: 0o100644})
		}
	default:
		f := File{Path: fields[0], Digest: digestOf(fields[1])}
		if err := f.Mode.UnmarshalText([]byte(fields[2])); err != nil {
			p.t.Fatal(err)
		}
		p.set.Files = append(p.set.Files, f)
	}
}

func digestOf(content string) FileDigest {
	var d FileDigest
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
	ruleOrigin := Origin{Kind: OriginRule, Line: s.ID.Line - 1}
	add := func(in Input) { s.Inputs = append(s.Inputs, in) }
	switch kind := InputKind(fields[0]); fields[0] {
	case "line":
		s.ID.Line, s.ID.EndLine = p.int(get(1)), p.int(get(1))
	case "arg", "env":
		name, value, _ := strings.Cut(get(1), "=")
		origin := Origin{Kind: OriginLine, Line: p.int(get(2))}
		if kind == InputArg {
			origin.Kind = OriginBuildArg
		}
		add(NewVariable(kind, name, value, origin, []byte("key")))
	case "base":
		add(Input{Kind: kind, Name: get(1), Digest: get(2), Origin: Origin{Kind: OriginLine, Line: s.ID.Line}})
	case "files":
		add(Input{Kind: kind, Name: get(1), Files: get(1), Origin: Origin{Kind: OriginLine, Line: s.ID.Line}})
	case "file":
		add(Input{Kind: kind, Name: get(1), Files: get(1), Origin: ruleOrigin})
	case "ttl":
		add(Input{Kind: kind, Name: get(1), Value: "window " + get(2), Origin: ruleOrigin})
	case "http", "git", "image":
		add(Input{Kind: kind, Name: get(1), Digest: get(2), Unresolved: get(2) == "", Origin: ruleOrigin})
	case "text", "key-arg":
		add(Input{Kind: kind, Name: get(1), Value: get(2), Origin: ruleOrigin})
	case "off":
		add(Input{Kind: kind, Name: "off", Origin: ruleOrigin})
	case "unresolved":
		add(Input{Kind: InputKind(get(1)), Name: get(2), Unresolved: true})
	case "rule":
		option, value, _ := strings.Cut(get(1), "=")
		s.Rule = append(s.Rule, PlanSetting{Option: Option(option), Value: value, Origin: ruleOrigin})
	case "no-cache":
		s.NoCache = true
	case "alone":
		s.Follows = nil
	case "after":
		s.Follows = append(s.Follows, FollowStep(p.find(get(1)), ByDefinition, "stage"))
	case "content":
		s.Follows = append(s.Follows, FollowStep(p.find(get(1)), ByContent, "--from"))
	case "source":
		s.Follows = append(s.Follows, FollowSource(get(1), get(2), "--from"))
	case "failed":
		p.build.Results[len(steps)-1].Outcome = OutcomeFailed
	case "seconds":
		n, err := strconv.ParseFloat(get(1), 64)
		if err != nil {
			p.t.Fatal(err)
		}
		p.build.Results[len(steps)-1].Seconds = n
	case "secret", "ssh", "workdir", "user", "option", "mount", "shell", "platform":
		add(Input{Kind: kind, Name: get(1), Value: get(2), Origin: Origin{Kind: OriginLine, Line: s.ID.Line}})
	default:
		p.t.Fatalf("unknown property %q", fields)
	}
}
