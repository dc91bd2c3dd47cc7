package explain

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// TableWidth is how many columns a line of the table has at most.
const TableWidth = 100

// The columns of the table: the state of a step, if anything is predicted, then its
// name, and below that, indented, each input with its kind and its origin.
const (
	stateColumn  = 8
	kindIndent   = 2
	kindColumn   = 10
	originColumn = 28
	// maxValueLines is how many lines a long value takes.
	maxValueLines = 3
)

// Table returns the plan as text for people: every step with every input of its
// key and where that comes from. With predictions (one for each step, or nil) it
// says in front of each step what is predicted. Every line fits TableWidth columns
// and ends in a newline; nothing in it is a control character.
func Table(p *cacheplan.Plan, predictions []Prediction) string {
	if len(predictions) != len(p.Steps) {
		predictions = nil
	}
	t := table{plan: p, sets: map[string]*cacheplan.FileSet{}}
	for i := range p.Files {
		t.sets[p.Files[i].ID] = &p.Files[i]
	}
	if predictions != nil {
		t.left = stateColumn
	}
	t.heading(predictions)
	for i := range p.Steps {
		var pr *Prediction
		if predictions != nil {
			pr = &predictions[i]
		}
		t.step(i, pr)
	}
	return t.b.String()
}

type table struct {
	plan *cacheplan.Plan
	sets map[string]*cacheplan.FileSet
	left int // the width of the column in front of the names
	b    strings.Builder
}

// line writes one line without blanks at its end.
func (t *table) line(text string) {
	t.b.WriteString(strings.TrimRight(text, " "))
	t.b.WriteByte('\n')
}

func (t *table) heading(predictions []Prediction) {
	what := cmp.Or(t.plan.Dockerfile, "Dockerfile")
	if t.plan.Target != "" {
		what += ", target " + t.plan.Target
	}
	if t.plan.Platform != "" {
		what += ", " + t.plan.Platform
	}
	t.line(phrase.Shorten(fmt.Sprintf("Cache plan of %s", phrase.OneLine(what)), TableWidth))
	summary := phrase.Count(len(t.plan.Steps), "step")
	if predictions != nil {
		states := map[State]int{}
		for _, p := range predictions {
			states[p.State]++
		}
		summary += fmt.Sprintf("; predicted: %d hit, %d re-run, %d unknown", states[StateHit], states[StateReRun], states[StateUnknown])
	}
	t.line(summary)
}

func (t *table) step(i int, pr *Prediction) {
	s := &t.plan.Steps[i]
	state, after := "", ""
	if pr != nil {
		state = string(pr.State)
		if pr.Seconds > 0 {
			after = fmt.Sprintf("  (ran %s)", seconds(pr.Seconds))
		}
	}
	name := phrase.Shorten(phrase.OneLine(s.Name), TableWidth-t.left-utf8.RuneCountInString(after))
	t.line("")
	t.line(pad(state, t.left) + name + after)
	if pr != nil && len(pr.Reasons) > 0 {
		t.detail("because", Text(pr.Reasons))
	}
	for _, r := range s.Rule {
		t.row("rule", phrase.Join(string(r.Option), r.Value, "="), r.Origin.String())
	}
	for _, in := range s.Inputs {
		if in.Kind != cachepolicy.InputCommand || !strings.HasSuffix(s.Name, in.Value) || in.Digest != "" {
			t.row(string(in.Kind), t.input(in), in.Origin.String())
		}
	}
	for _, f := range s.Follows {
		what := f.Source
		if f.Step >= 0 {
			what = stepName(t.plan, f.Step, s)
		}
		how := "by " + string(f.By)
		if f.Via != "" {
			how += ", " + f.Via
		}
		t.row("follows", what, how)
	}
	if s.NoCache {
		t.detail("no-cache", "asked for with the build")
	}
}

// input returns the text that stands for an input's value.
func (t *table) input(in cachepolicy.Input) string {
	switch in.Kind {
	case cachepolicy.InputFiles, cachepolicy.InputFile:
		return phrase.Join(in.Name, t.files(in.Files), ": ")
	case cachepolicy.InputBase, cachepolicy.InputHTTP, cachepolicy.InputGit, cachepolicy.InputImage:
		return phrase.Join(in.Name, t.digest(in), " ")
	case cachepolicy.InputCommand:
		if in.Digest == "" {
			return in.Value
		}
		return phrase.Join(in.Value, t.digest(in), " ")
	case cachepolicy.InputOff, cachepolicy.InputText, cachepolicy.InputUser, cachepolicy.InputWorkdir, cachepolicy.InputShell, cachepolicy.InputPlatform:
		return cmp.Or(in.Value, in.Name)
	case cachepolicy.InputTTL, cachepolicy.InputOption, cachepolicy.InputMount, cachepolicy.InputSecret, cachepolicy.InputSSH:
		return phrase.Join(in.Name, in.Value, ": ")
	case cachepolicy.InputArg, cachepolicy.InputEnv, cachepolicy.InputKeyArg:
		if in.Secret {
			return in.Name + " (value withheld)"
		}
		return in.Name + "=" + in.Value
	}
	return phrase.Join(in.Name, in.Value, " ")
}

func (t *table) digest(in cachepolicy.Input) string {
	switch {
	case in.Digest != "":
		algorithm, _, ok := strings.Cut(in.Digest, ":")
		if ok && !strings.HasPrefix(shortDigest(in.Digest), algorithm) {
			return algorithm + ":" + shortDigest(in.Digest)
		}
		return shortDigest(in.Digest)
	case in.Unresolved:
		return "(not resolved)"
	}
	return in.Value
}

// files says how many files a set has.
func (t *table) files(id string) string {
	s := t.sets[id]
	if s == nil || !s.Known {
		return "(not read)"
	}
	return phrase.Count(s.Size(), "file")
}

// row writes an input with where it comes from. A text too long for its column
// takes the line's right part too, and more lines.
func (t *table) row(kind, text, origin string) {
	start := t.left + kindIndent + kindColumn
	valueColumn := TableWidth - originColumn - start
	lines := chunks(phrase.OneLine(text), valueColumn-1)
	if len(lines) > 1 {
		lines = chunks(phrase.OneLine(text), TableWidth-start)
	}
	last := len(lines) - 1
	if utf8.RuneCountInString(lines[last]) >= valueColumn {
		lines = append(lines, "")
		last++
	}
	lines[last] = pad(lines[last], valueColumn) + phrase.Shorten(phrase.OneLine(origin), originColumn)
	t.lines(kind, lines)
}

// detail writes a text that may go on over several lines.
func (t *table) detail(kind, text string) {
	t.lines(kind, wrap(phrase.OneLine(text), TableWidth-t.left-kindIndent-kindColumn))
}

// lines writes lines with the kind in front of the first.
func (t *table) lines(kind string, lines []string) {
	for _, line := range lines {
		t.line(strings.Repeat(" ", t.left+kindIndent) + pad(phrase.Shorten(phrase.OneLine(kind), kindColumn-1), kindColumn) + line)
		kind = ""
	}
}

// chunks cuts a text into lines of so many columns. What would need more than
// maxValueLines is left out.
func chunks(text string, columns int) []string {
	runes := []rune(text)
	if len(runes) > maxValueLines*columns {
		runes = append(runes[:maxValueLines*columns-1], '…')
	}
	var lines []string
	for len(runes) > columns {
		lines = append(lines, string(runes[:columns]))
		runes = runes[columns:]
	}
	return append(lines, string(runes))
}

// wrap breaks a text at blanks into lines of so many columns; a longer word is
// cut.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		word = phrase.Shorten(word, columns)
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(columns-utf8.RuneCountInString(text), 0))
}

// seconds returns a duration as people say it.
func seconds(s float64) string {
	if s >= 60 {
		return fmt.Sprintf("%dm%02ds", int(s)/60, int(s)%60)
	}
	return strconv.FormatFloat(s, 'f', 1, 64) + "s"
}
