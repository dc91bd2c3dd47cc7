package explain

import (
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

const (
	maxShownValue = 24 // bytes of a value that are shown in a reason
	maxShownText  = 40 // bytes of an instruction
)

// says is the text of a kind whose reasons are all alike.
func says(text string) func(Reason) string {
	return func(Reason) string { return text }
}

func (r Reason) file() string { return fmt.Sprintf("%s %s", phrase.Name(r.Name), r.Change) }

func (r Reason) mode() string {
	return fmt.Sprintf("%s mode %s → %s", phrase.Name(r.Name), r.Old, r.New)
}

func (r Reason) moreFiles() string { return phrase.Count(r.Count, "more file") }

func (r Reason) someFiles() string {
	return fmt.Sprintf("files changed (%s)", phrase.Count(r.Count, "file"))
}

func (r Reason) moreFields() string { return phrase.Count(r.Count, "more field") }

func (r Reason) arg() string { return r.variable("ARG") }

func (r Reason) env() string { return r.variable("ENV") }

func (r Reason) variable(word string) string {
	text := fmt.Sprintf("%s %s %s", word, phrase.Name(r.Name), r.Change)
	if v := r.values(); v != "" && r.Change == Changed {
		text = fmt.Sprintf("%s %s%s", word, phrase.Name(r.Name), v)
	}
	if r.Line > 0 {
		text += fmt.Sprintf(" (line %d)", r.Line)
	}
	return text
}

func (r Reason) field() string {
	text := phrase.OneLine(r.Name)
	if r.In != "" {
		text = phrase.OneLine(r.In) + ": " + text
	}
	if v := r.values(); v != "" {
		return text + v
	}
	return fmt.Sprintf("%s %s", text, r.Change)
}

// values returns " old → new" when both are short enough to show.
func (r Reason) values() string {
	if r.Change != Changed || r.Old == "" && r.New == "" || len(r.Old) > maxShownValue || len(r.New) > maxShownValue {
		return ""
	}
	return fmt.Sprintf(" %s → %s", phrase.Name(r.Old), phrase.Name(r.New))
}

func (r Reason) base() string {
	if r.Change == Added { // another reference altogether
		return fmt.Sprintf("base image %s → %s", phrase.Name(r.Old), phrase.Name(r.New))
	}
	return r.moved()
}

func (r Reason) source() string {
	if r.Change != Changed {
		return fmt.Sprintf("key source %s %s", phrase.Name(r.Name), r.Change)
	}
	return r.moved()
}

func (r Reason) rule() string {
	switch {
	case r.Old == "":
		return "rule added: " + phrase.OneLine(r.New)
	case r.New == "":
		return "rule removed: " + phrase.OneLine(r.Old)
	}
	return fmt.Sprintf("rule %s → %s", phrase.OneLine(r.Old), phrase.OneLine(r.New))
}

func (r Reason) ttl() string { return fmt.Sprintf("ttl %s rolled over", r.Name) }

func (r Reason) setting() string {
	return fmt.Sprintf("%s %s%s", phrase.OneLine(r.Name), r.Change, r.values())
}

func (r Reason) order() string {
	return fmt.Sprintf("no longer after %s", phrase.Shorten(phrase.OneLine(r.Old), maxShownText))
}

func (r Reason) follows() string {
	if r.Change == Changed {
		return "follows " + r.OnName + ", run by another build"
	}
	return "follows " + r.OnName
}

func (r Reason) mayFollow() string { return "follows " + r.OnName + " if that changed" }

func (r Reason) mayHaveMoved() string {
	if r.Old == "" || r.New == "" {
		return fmt.Sprintf("depends on what is in %s now", phrase.Name(r.Name))
	}
	return r.moved() + ", if that changed what is taken"
}

// moved says which digests something had and has.
func (r Reason) moved() string {
	return fmt.Sprintf("%s moved %s → %s", phrase.Name(r.Name), phrase.ShortDigest(r.Old), phrase.ShortDigest(r.New))
}

func (r Reason) unresolved() string { return fmt.Sprintf("%s is not known", phrase.Name(r.Name)) }

// shortRevision returns how people call a commit.
func shortRevision(revision string) string {
	commit, dirty := strings.CutSuffix(revision, "-dirty")
	commit = phrase.OneLine(commit[:min(len(commit), 7)])
	if dirty {
		commit += "-dirty"
	}
	return commit
}
