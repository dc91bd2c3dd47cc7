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

// plain reports whether expanding a word cannot change it: it has no character
// that the lexer treats specially, nothing that is not UTF-8 and would be
// replaced, and no byte order mark, which would be dropped. Most words are plain,
// and the lexer is slow.
func plain(lex *shell.Lex, escape rune, word string) bool {
	special := "$<"
	if !lex.SkipProcessQuotes {
		special = "$<'\""
	}
	return !strings.ContainsAny(word, special) && !strings.ContainsRune(word, escape) &&
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

// process expands a word and tells which names it uses.
func (c *conversion) process(word string, env shell.EnvGetter) (shell.ProcessWordResult, error) {
	if plain(c.lex, c.escape, word) {
		return shell.ProcessWordResult{Result: word}, nil
	}
	if err := checkNesting(word, c.escape); err != nil {
		return shell.ProcessWordResult{}, err
	}
	return c.lex.ProcessWordWithMatches(word, env)
}

// setLexers makes the lexers for the file's escape character. Each of them has a
// buffer of its own and is used for all instructions.
func (c *conversion) setLexers() {
	c.lex = shell.NewLex(c.escape)
	c.titleLex = shell.NewLex(c.escape)
	c.titleLex.RawQuotes, c.titleLex.RawEscapes, c.titleLex.SkipUnsetEnv = true, true, true
	c.docLex = shell.NewLex('\\')
	c.docLex.SkipProcessQuotes = true
}

// expandWord expands the variables of one word of the current instruction in the
// environment of the stage so far and reports names that are not defined.
func (e *stageEval) expandWord(word string) (string, error) {
	return e.expandWith(e.c.lex, e.c.escape, word)
}

// expandDocument expands the variables of an inline document: quotes are
// ordinary text there, and the escape character is always a backslash.
func (e *stageEval) expandDocument(doc string) (string, error) {
	return e.expandWith(e.c.docLex, '\\', doc)
}

func (e *stageEval) expandWith(lex *shell.Lex, escape rune, word string) (string, error) {
	if plain(lex, escape, word) {
		return word, nil
	}
	if err := checkNesting(word, escape); err != nil {
		return "", err
	}
	res, err := lex.ProcessWordWithMatches(word, e.env)
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
func titleText(lex *shell.Lex, escape rune, text string, env shell.EnvGetter) string {
	if !plain(lex, escape, text) && checkNesting(text, escape) == nil {
		if out, _, err := lex.ProcessWord(text, env); err == nil {
			text = out
		}
	}
	keyword, _, _ := strings.Cut(text, " ")
	if upper := strings.ToUpper(keyword); upper != keyword {
		text = upper + text[len(keyword):]
	}
	return text
}
