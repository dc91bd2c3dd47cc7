package cachepolicy

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/agext/levenshtein"
)

// CommentLine is one comment line of a Dockerfile, with its `#`.
type CommentLine struct {
	Line int // from 1
	Text string
}

// Instruction is what AttachDirectives needs to know of one instruction: the
// keyword in upper case and the lines it covers, from 1, both included.
type Instruction struct {
	Keyword       string
	Line, EndLine int
	// HeredocLines is how many of the lines, the last ones, are heredoc bodies and
	// their terminators. Whatever they hold is text, not a comment.
	HeredocLines int
}

// HeredocLines returns how many lines heredocs with these bodies take in the
// Dockerfile, each with its terminator. A body ends in a newline or is empty.
func HeredocLines(bodies ...string) int {
	n := len(bodies)
	for _, b := range bodies {
		n += strings.Count(b, "\n")
	}
	return n
}

// NearMiss is a comment that is no directive but was surely meant as one, such
// as `# cache: ttl=24h`. It is worth a warning.
type NearMiss struct {
	Line       int
	Text       string // the comment as written
	Suggestion string // the directive that was probably meant
	Trailing   bool   // it stands at the end of an instruction's line, where it is none
}

// Directives are the rules that a Dockerfile's comments state.
type Directives struct {
	// Rules holds the rule of each instruction that has one, by its first line.
	Rules map[int]Rule
	// NearMisses lists comments that were probably meant as directives.
	NearMisses []NearMiss
}

// AttachDirectives finds every `# cache=` line of a Dockerfile and the
// instruction it belongs to: the one right below its block of comment lines. A
// blank line or an empty comment (`#`) ends a block. The instructions are in
// the order of the file.
//
// A directive inside an instruction or above none, and one that the instruction
// does not take, is an error (*Error), so that no rule is lost silently. A line
// that looks like a directive inside a heredoc is text.
func AttachDirectives(dockerfile []byte, instructions []Instruction) (Directives, error) {
	a := attacher{out: Directives{Rules: map[int]Rule{}}, rest: instructions}
	dockerfile = bytes.TrimPrefix(dockerfile, []byte("\xef\xbb\xbf"))
	for line := 1; len(dockerfile) > 0; line++ {
		var text []byte
		text, dockerfile, _ = bytes.Cut(dockerfile, []byte("\n"))
		if err := a.line(line, text); err != nil {
			return Directives{}, err
		}
	}
	if err := a.endBlock("nothing follows it; put it right above the instruction it is for"); err != nil {
		return Directives{}, err
	}
	return a.out, nil
}

// attacher walks over the lines of a Dockerfile.
type attacher struct {
	out   Directives
	rest  []Instruction // the instructions that end on this line or later
	block []CommentLine // the directives of the block of comments above this line
}

// line takes in one line of the Dockerfile.
func (a *attacher) line(number int, raw []byte) error {
	for len(a.rest) > 0 && a.rest[0].EndLine < number {
		a.rest = a.rest[1:]
	}
	text := bytes.TrimFunc(raw, unicode.IsSpace)
	isComment := bytes.HasPrefix(text, []byte("#"))
	if len(a.rest) > 0 && a.rest[0].Line <= number {
		in := a.rest[0]
		if number <= in.EndLine-in.HeredocLines {
			a.trailing(number, text)
		}
		if number == in.Line {
			return a.attach(in)
		}
		if isComment && number <= in.EndLine-in.HeredocLines {
			return insideError(CommentLine{Line: number, Text: string(text)}, in)
		}
		return nil
	}
	switch {
	case len(text) == 0:
		return a.endBlock("a blank line separates it from the instruction below; put it right above the instruction it is for")
	case isComment && len(text) == 1:
		return a.endBlock("an empty comment line separates it from the instruction below; put it right above the instruction it is for")
	case isComment:
		a.comment(CommentLine{Line: number, Text: string(text)})
	}
	return nil
}

// trailing takes in a line of an instruction that ends in what would be a directive
// on a line of its own.
func (a *attacher) trailing(number int, text []byte) {
	i := bytes.LastIndexByte(text, '#')
	if i <= 0 || !unicode.IsSpace(rune(text[i-1])) {
		return
	}
	rule, ok := directiveText(string(text[i:]))
	if !ok {
		return
	}
	if _, err := parseRule(Rule{}, rule, Origin{}); err == nil {
		a.out.NearMisses = append(a.out.NearMisses, NearMiss{Line: number, Text: string(text[i:]), Suggestion: "# cache=" + rule, Trailing: true})
	}
}

// comment takes in a comment line outside instructions.
func (a *attacher) comment(c CommentLine) {
	if _, ok := directiveText(c.Text); ok {
		a.block = append(a.block, c)
	} else if suggestion := nearDirective(c.Text); suggestion != "" {
		a.out.NearMisses = append(a.out.NearMisses, NearMiss{Line: c.Line, Text: c.Text, Suggestion: suggestion})
	}
}

// attach gives the block's directives to the instruction below it.
func (a *attacher) attach(in Instruction) error {
	if len(a.block) == 0 {
		return nil
	}
	r, err := ParseDirectives(a.block, in.Keyword)
	if err != nil {
		return err
	}
	a.out.Rules[in.Line] = r
	a.block = nil
	return nil
}

// endBlock ends a block of comments with no instruction below it.
func (a *attacher) endBlock(why string) error {
	if len(a.block) == 0 {
		return nil
	}
	return &Error{Line: a.block[0].Line, Message: "the rule belongs to no instruction: " + why}
}

// insideError is the error of a directive between the lines of an instruction.
func insideError(c CommentLine, in Instruction) error {
	if _, ok := directiveText(c.Text); !ok {
		return nil
	}
	return &Error{Line: c.Line, Message: fmt.Sprintf("it stands inside the %s instruction that begins on line %d; put it above that line", in.Keyword, in.Line)}
}

// directiveText returns what follows `# cache=`, and whether the comment is a
// directive at all.
func directiveText(comment string) (string, bool) {
	text, ok := strings.CutPrefix(strings.TrimSpace(comment), "#")
	if !ok {
		return "", false
	}
	return strings.CutPrefix(strings.TrimLeftFunc(text, unicode.IsSpace), "cache=")
}

// ParseDirectives reads the directives among the comment lines right above an
// instruction, given by its upper-case keyword, and adds them up to one rule.
// Other comments are passed over. The error is an *Error on the directive's own
// line: an unknown option, a bad value, an option that the instruction does not
// take, the same option twice.
func ParseDirectives(lines []CommentLine, keyword string) (Rule, error) {
	var r Rule
	for _, c := range lines {
		text, ok := directiveText(c.Text)
		if !ok {
			continue
		}
		origin := Origin{Kind: OriginRule, Line: c.Line}
		before := r
		var err *Error
		if r, err = parseRule(r, text, origin); err != nil {
			return Rule{}, err.At(origin)
		}
		for _, s := range r.settings {
			if !before.Has(s.Option) && !s.Option.Takes(keyword) {
				return Rule{}, notTaken(s.Option, keyword).At(origin)
			}
		}
	}
	return r, nil
}

// notTaken explains that an instruction does not take an option.
func notTaken(o Option, keyword string) *Error {
	e := &Error{Option: o}
	switch keyword {
	case "RUN", "COPY", "ADD", "FROM":
		e.Message = fmt.Sprintf("does not apply to %s; it is for %s", keyword, enumerate(optionRows[optionIndex(o)].instructions))
	case "ONBUILD":
		e.Message = "does not apply to ONBUILD: its instruction runs in another build, which does not see this comment; put the rule on the FROM of the stage that inherits the trigger"
	default:
		e.Message = fmt.Sprintf("does not apply to %s, which takes no cache rule; put it above RUN, COPY, ADD or FROM", keyword)
	}
	return e
}

// enumerate joins words to "A", "A and B", "A, B and C".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// nearDirective returns the directive that a comment was surely meant to be, or
// "": at most one edit away from `cache`, then a separator, then a valid rule. A
// rule without a value, such as off, needs more than a blank before it.
func nearDirective(comment string) string {
	text := strings.TrimLeft(strings.TrimPrefix(comment, "#"), " \t")
	afterWord := strings.TrimLeft(text, alphanumeric)
	word := text[:len(text)-len(afterWord)]
	rest := strings.TrimLeft(afterWord, " \t:=")
	separator := afterWord[:len(afterWord)-len(rest)]
	if separator == "" || levenshtein.Distance(strings.ToLower(word), "cache", nil) > 1 {
		return ""
	}
	if !strings.ContainsAny(separator, ":=") && !strings.Contains(rest, "=") {
		return ""
	}
	if _, err := parseRule(Rule{}, rest, Origin{}); err != nil {
		return ""
	}
	return "# cache=" + rest
}
