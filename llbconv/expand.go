package llbconv

import (
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
	"github.com/pkg/errors"
)

const (
	argScanContext = "BUILDKIT_SBOM_SCAN_CONTEXT"
	argScanStage   = "BUILDKIT_SBOM_SCAN_STAGE"
)

// isScanArg reports whether a name is one of the arguments that steer SBOM scans:
// they never reach a step's environment.
func isScanArg(name string) bool {
	return name == argScanContext || name == argScanStage
}

// lexer expands the variables of one kind of words.
type lexer struct {
	kind   wordKind
	escape rune
	lex    *shell.Lex // has a large buffer, so that it is made for the first word that is not plain
}

type wordKind uint8

const (
	instructionWord wordKind = iota
	runTitle                 // the progress name of a RUN, which is shown as it was written
	inlineDocument           // in which quotes are ordinary text
)

// shell returns the lexer of BuildKit's shell package.
func (l *lexer) shell() *shell.Lex {
	if l.lex == nil {
		l.lex = shell.NewLex(l.escape)
		if l.kind == runTitle {
			l.lex.RawQuotes, l.lex.RawEscapes, l.lex.SkipUnsetEnv = true, true, true
		}
		l.lex.SkipProcessQuotes = l.kind == inlineDocument
	}
	return l.lex
}

// expand expands a word and tells which names it uses.
func (l *lexer) expand(word string, env shell.EnvGetter) (shell.ProcessWordResult, error) {
	if l.plain(word) {
		return shell.ProcessWordResult{Result: word}, nil
	}
	if err := checkNesting(word, l.escape); err != nil {
		return shell.ProcessWordResult{}, err
	}
	return l.shell().ProcessWordWithMatches(word, env)
}

// plain reports whether expanding a word cannot change it: it has no character
// that the lexer treats specially, nothing that is not UTF-8 and would be
// replaced, and no byte order mark, which would be dropped. Most words are plain,
// and the lexer is slow.
func (l *lexer) plain(word string) bool {
	special := "$<'\""
	if l.kind == inlineDocument {
		special = "$<"
	}
	return !strings.ContainsAny(word, special) && !strings.ContainsRune(word, l.escape) &&
		!strings.HasPrefix(word, "\ufeff") && utf8.ValidString(word)
}

// maxNested is how many substitutions one word may nest. The lexer recurses for
// each, and a stack that overflows ends the process.
const maxNested = 50_000

// checkNesting fails on a word with too many nested substitutions. Where quotes or
// escapes make it hard to tell which are nested, all count.
func checkNesting(word string, escape rune) error {
	if strings.Count(word, "${") <= maxNested {
		return nil
	}
	plainText := !strings.ContainsAny(word, `"'`) && !strings.ContainsRune(word, escape)
	depth := 0
	for i := range len(word) {
		switch {
		case strings.HasPrefix(word[i:], "${"):
			depth++
		case word[i] == '}' && plainText && depth > 0:
			depth--
		}
		if depth > maxNested {
			return errors.Errorf("more than %d nested variable substitutions", maxNested)
		}
	}
	return nil
}

// setLexers makes the lexers for the file's escape character. In an inline document
// that is always a backslash.
func (c *conversion) setLexers(escape rune) {
	c.words = lexer{kind: instructionWord, escape: escape}
	c.titles = lexer{kind: runTitle, escape: escape}
	c.documents = lexer{kind: inlineDocument, escape: '\\'}
}

// expandWord expands the variables of one word of the current instruction in the
// environment of the stage so far and reports names that are not defined.
func (e *stageEval) expandWord(word string) (string, error) {
	return e.expandWith(&e.c.words, word)
}

// expandDocument expands the variables of an inline document.
func (e *stageEval) expandDocument(doc string) (string, error) {
	return e.expandWith(&e.c.documents, doc)
}

func (e *stageEval) expandWith(l *lexer, word string) (string, error) {
	res, err := l.expand(word, e.env)
	e.checkUndefined(res.Unmatched)
	for name := range res.Matched {
		if e.used == nil {
			e.used = map[string]bool{}
		}
		e.used[name] = true
	}
	if res.Result != "" && madeOfSecrets(res.Matched, e.env) {
		if e.secrets == nil {
			e.secrets = map[string]bool{}
		}
		e.secrets[res.Result] = true
	}
	return res.Result, err
}

// madeOfSecrets reports whether one of the variables that a word uses is secret.
func madeOfSecrets(used map[string]struct{}, env *environ) bool {
	for name := range used {
		if v, ok := env.lookup(name); ok && v.isSecret() {
			return true
		}
	}
	return false
}

// expandInPlace expands the words of an instruction that supports it.
func (e *stageEval) expandInPlace(cmd instructions.Command) error {
	if x, ok := cmd.(instructions.SupportsSingleWordExpansion); ok {
		if _, isArg := cmd.(*instructions.ArgCommand); !isArg { // ARG's default may be overridden
			if err := x.Expand(e.words); err != nil {
				return err
			}
		}
	}
	if x, ok := cmd.(instructions.SupportsSingleWordExpansionRaw); ok {
		return x.ExpandRaw(e.documents)
	}
	return nil
}

// checkUndefined reports names that the current instruction uses and nothing defines.
func (e *stageEval) checkUndefined(unmatched map[string]struct{}) {
	if len(unmatched) == 0 {
		return
	}
	for _, name := range sortedKeys(unmatched) {
		if isScanArg(name) || slices.Contains(argNames(e.s.args), name) {
			continue
		}
		match, _ := suggest.Search(name, e.env.Keys(), runtime.GOOS != "windows")
		e.lint.Run(&linter.RuleUndefinedVar, e.at, linter.RuleUndefinedVar.Format(name, match))
	}
}

// titleText expands a step's source text for its progress name; text that
// cannot be expanded is shown as it is.
func titleText(l *lexer, text string, env shell.EnvGetter) string {
	if res, err := l.expand(text, env); err == nil {
		text = res.Result
	}
	keyword, _, _ := strings.Cut(text, " ")
	if upper := strings.ToUpper(keyword); upper != keyword {
		text = upper + text[len(keyword):]
	}
	return text
}
