package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// html prints one page that needs no network and no script: the causes, the graph of
// the stages, and the Dockerfile with what is known of each step beside its lines.
func html(r *Report) (*Answer, error) {
	var b strings.Builder
	if err := r.page().render().Render(&b); err != nil {
		return nil, err
	}
	return &Answer{Text: b.String(), Value: r.document()}, nil
}

// page is what is shown, without its markup.
type page struct {
	Subject, Headline, Lead string
	Predicted               bool
	Tally                   []pageTally
	Causes                  []pageCause
	Graph                   *graph
	Stages                  []pageStage
}

// pageTally is how many steps are in one state.
type pageTally struct {
	Class, Word string
	Count       int
}

// pageCause is one cause with its chain.
type pageCause struct {
	Number  int // from 1; the chain's class is c and the number
	Step    int
	Line    int
	Name    string
	Reasons []string
	Effect  string
}

// pageStage is one stage, or what stands above the first.
type pageStage struct {
	Index   int // -1 above the first stage
	Name    string
	Summary string
	Class   string
	Blocks  []pageBlock
}

// pageBlock is some lines of the Dockerfile, and the steps that they are.
type pageBlock struct {
	Lines []pageLine
	Steps []pageStep
}

// pageLine is one line in two parts: the instruction, a comment, or nothing, and the
// rest.
type pageLine struct {
	Number         int
	Class          string
	Keyword, Texts string
}

// pageStep is one step.
type pageStep struct {
	Index   int
	Number  string // as in build 2/2
	Text    string // of a trigger, whose text is not in the file
	State   string
	Class   string
	Reasons []string
	Facts   []string
	Rows    []row
	Inputs  string // how many
}

// maxChains is how many causes have a chain that can be shown alone.
const maxChains = 40

func (r *Report) page() page {
	classes := r.classes()
	p := page{Subject: r.subject(), Predicted: r.predicted()}
	p.Headline, p.Lead = r.headline()
	if p.Predicted {
		p.Tally = slices.DeleteFunc([]pageTally{
			{"rerun", "run again", r.count(explain.StateReRun)},
			{"unknown", "unknown", r.count(explain.StateUnknown)},
			{"hit", "from the cache", r.count(explain.StateHit)},
		}, func(t pageTally) bool { return t.Count == 0 })
	}
	for i, c := range r.causes() {
		p.Causes = append(p.Causes, r.pageCause(i+1, c))
	}
	p.Graph = r.graph(classes)
	p.Stages = r.pageStages(classes)
	return p
}

// headline says the most important thing in a few words, and the next one.
func (r *Report) headline() (headline, lead string) {
	total := phrase.Count(len(r.Plan.Steps), "step")
	again, open := r.count(explain.StateReRun), r.count(explain.StateUnknown)
	switch {
	case !r.predicted():
		return total, "This builder keeps no record of earlier builds, so nothing is predicted."
	case again > 0:
		return fmt.Sprintf("%d of %s run again", again, total), "Predicted by comparing this build with the builder’s record of earlier ones."
	case open == len(r.Plan.Steps):
		return "Nothing is known of " + total, "This builder has no record of an earlier build of this Dockerfile."
	case open > 0:
		return fmt.Sprintf("%d of %s may run again", open, total), "Predicted by comparing this build with the builder’s record of earlier ones."
	}
	return fmt.Sprintf("All %s come from the cache", total), "Predicted by comparing this build with the builder’s record of earlier ones."
}

func (r *Report) pageCause(number int, c Cause) pageCause {
	s := &r.Plan.Steps[c.Step]
	out := pageCause{Number: number, Step: c.Step, Line: s.ID.Line, Name: phrase.OneLine(s.Name), Reasons: texts(c.Reasons)}
	var effect []string
	if n := len(c.Follow); n > 0 {
		effect = append(effect, stepsFollow(n))
	}
	if n := len(c.MayFollow); n > 0 {
		effect = append(effect, fmt.Sprintf("%s may, if the files differ", phrase.Count(n, "step")))
	}
	out.Effect = strings.Join(effect, "; ")
	return out
}

func texts(reasons []explain.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, phrase.OneLine(r.String()))
	}
	return out
}

// classes returns for each step the class of its state and of its chain.
func (r *Report) classes() []string {
	out := make([]string, len(r.Plan.Steps))
	if !r.predicted() {
		return out
	}
	number := map[int]int{}
	for i, c := range r.causes() {
		number[c.Step] = i + 1
	}
	for i, root := range r.roots() {
		out[i] = stateClass(r.Predictions[i].State)
		if n := number[root]; root >= 0 && n > 0 && n <= maxChains {
			out[i] += fmt.Sprintf(" chain c%d", n)
		}
		if root == i {
			out[i] += " cause"
		}
	}
	return out
}

func stateClass(s explain.State) string {
	switch s {
	case explain.StateHit:
		return "hit"
	case explain.StateReRun:
		return "rerun"
	case explain.StateUnknown:
		return "unknown"
	}
	return ""
}

func (r *Report) pageStep(i int, class string) pageStep {
	s := &r.Plan.Steps[i]
	out := pageStep{Index: i, Number: r.Plan.StepName(i, nil), Class: class, Rows: r.rows(i)}
	if s.ID.Number == 0 {
		out.Number = s.ID.Stage
	}
	if s.ID.Line == 0 {
		out.Text = phrase.OneLine(s.Name)
	}
	out.Inputs = phrase.Count(len(out.Rows), "input")
	if r.predicted() {
		p := &r.Predictions[i]
		out.State, out.Reasons = string(p.State), texts(p.Reasons)
		if age := r.age(i); age != "" {
			out.Facts = append(out.Facts, age)
		}
	}
	if s.NoCache {
		out.Facts = append(out.Facts, "--no-cache")
	}
	return out
}

// pageStages cuts the Dockerfile into its stages, and those into blocks.
func (r *Report) pageStages(classes []string) []pageStage {
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(r.Dockerfile), "\r\n", "\n"), "\n"), "\n")
	at := map[int][]int{} // the steps by the line on which they begin
	for i := range r.Plan.Steps {
		line := r.Plan.Steps[i].ID.Line
		if line == 0 {
			line = r.stageLine(r.Plan.Steps[i].ID.StageIndex)
		}
		at[line] = append(at[line], i)
	}
	out := []pageStage{{Index: -1}}
	starts := r.stageStarts(lines)
	for _, s := range starts {
		out = append(out, pageStage{Index: s.index, Name: s.name, Summary: r.stageSummary(s.index)})
	}
	current := 0
	for n := 1; n <= len(lines); {
		for current < len(starts) && starts[current].line <= n {
			current++
		}
		end := n
		block := pageBlock{}
		for _, i := range at[n] {
			end = max(end, r.Plan.Steps[i].ID.EndLine)
			block.Steps = append(block.Steps, r.pageStep(i, classes[i]))
		}
		for ; n <= min(end, len(lines)); n++ {
			block.Lines = append(block.Lines, pageLineOf(n, lines[n-1], len(block.Lines) > 0 || n > 1 && continued(lines[n-2])))
		}
		out[current].add(block)
	}
	for i := range out {
		out[i].trim()
	}
	return slices.DeleteFunc(out, func(s pageStage) bool { return len(s.Blocks) == 0 })
}

// trim leaves out the empty lines at the end.
func (s *pageStage) trim() {
	n := len(s.Blocks) - 1
	if n < 0 || len(s.Blocks[n].Steps) > 0 {
		return
	}
	b := &s.Blocks[n]
	for len(b.Lines) > 0 && strings.TrimSpace(b.Lines[len(b.Lines)-1].Keyword+b.Lines[len(b.Lines)-1].Texts) == "" {
		b.Lines = b.Lines[:len(b.Lines)-1]
	}
	if len(b.Lines) == 0 {
		s.Blocks = s.Blocks[:n]
	}
}

// add appends a block, joined with the last one if neither has steps. A step takes
// the comments above it along, of which its rule is one.
func (s *pageStage) add(b pageBlock) {
	n := len(s.Blocks) - 1
	if n < 0 || len(s.Blocks[n].Steps) > 0 {
		s.Blocks = append(s.Blocks, b)
		return
	}
	last := &s.Blocks[n]
	if len(b.Steps) == 0 {
		last.Lines = append(last.Lines, b.Lines...)
		return
	}
	comments := len(last.Lines)
	for comments > 0 && last.Lines[comments-1].Class != "" {
		comments--
	}
	b.Lines = slices.Concat(last.Lines[comments:], b.Lines)
	if last.Lines = last.Lines[:comments]; comments == 0 {
		s.Blocks = s.Blocks[:n]
	}
	s.Blocks = append(s.Blocks, b)
}

// stageStart is where a stage begins on the page: at the comment above its FROM.
type stageStart struct {
	index, line int
	name        string
}

func (r *Report) stageStarts(lines []string) []stageStart {
	var out []stageStart
	for i, s := range r.Stages {
		start := stageStart{index: i, line: s.Line, name: s.Name}
		if start.name == "" {
			start.name = fmt.Sprintf("stage-%d", i)
		}
		for start.line > 2 && start.line-2 < len(lines) && strings.HasPrefix(lines[start.line-2], "#") {
			start.line--
		}
		out = append(out, start)
	}
	return out
}

// stageLine returns the line of a stage's FROM, or 1 if that is not known.
func (r *Report) stageLine(stage int) int {
	if stage < len(r.Stages) {
		return r.Stages[stage].Line
	}
	return 1
}

// continued reports whether a line of an instruction goes on on the next one.
func continued(line string) bool {
	trimmed := strings.TrimSpace(line)
	return strings.HasSuffix(trimmed, `\`) && !strings.HasPrefix(trimmed, "#")
}

// pageLineOf splits a line for its colours. One that continues an instruction has no
// keyword.
func pageLineOf(number int, text string, continues bool) pageLine {
	trimmed := strings.TrimLeft(text, " \t")
	switch {
	case strings.HasPrefix(trimmed, "# cache="):
		return pageLine{Number: number, Class: "directive", Texts: text}
	case strings.HasPrefix(trimmed, "#"):
		return pageLine{Number: number, Class: "comment", Texts: text}
	case continues:
		return pageLine{Number: number, Texts: text}
	}
	keyword, _, _ := strings.Cut(trimmed, " ")
	end := len(text) - len(trimmed) + len(keyword)
	return pageLine{Number: number, Keyword: text[:end], Texts: text[end:]}
}
