package explain

import (
	"fmt"
	"strings"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// ReasonKind says what kind of thing made a step run again.
type ReasonKind string

// The kinds of reasons.
const (
	ReasonFileChanged  ReasonKind = "file-changed"  // Name: path
	ReasonFileAdded    ReasonKind = "file-added"    // Name: path
	ReasonFileRemoved  ReasonKind = "file-removed"  // Name: path
	ReasonFileMode     ReasonKind = "file-mode"     // Name: path; Old, New: octal; nothing else changed
	ReasonMoreFiles    ReasonKind = "more-files"    // Count more files changed, were added or removed
	ReasonFiles        ReasonKind = "files-changed" // some of Count files; the record has no list
	ReasonField        ReasonKind = "field-changed" // In: file; Name: field; Old, New
	ReasonMoreFields   ReasonKind = "more-fields"   // Count more fields of files that only some fields count of
	ReasonArg          ReasonKind = "arg-changed"   // Name; Line: its ARG
	ReasonEnv          ReasonKind = "env-changed"   // Name; Line: its ENV
	ReasonCommand      ReasonKind = "command-changed"
	ReasonBase         ReasonKind = "base-moved"   // Name: reference; Old, New: digests, or references
	ReasonTTL          ReasonKind = "ttl-rolled"   // Name: the TTL; Old, New: windows
	ReasonSource       ReasonKind = "source-moved" // Name: URL, git or image reference; Old, New: digests
	ReasonSecret       ReasonKind = "secret-changed"
	ReasonSetting      ReasonKind = "setting-changed" // user, workdir, shell, a mount…; Name; Old, New
	ReasonRule         ReasonKind = "rule-changed"    // Old, New: the rules
	ReasonOrder        ReasonKind = "order-changed"   // Old: the step that it came after
	ReasonNewStep      ReasonKind = "new-step"        // no recorded build has the step
	ReasonCombination  ReasonKind = "new-combination" // each thing was there before, but not together
	ReasonUnfinished   ReasonKind = "unfinished"      // it failed or was not reached before
	ReasonForgotten    ReasonKind = "forgotten"       // there may have been a result: the record had no room for all
	ReasonNoRecord     ReasonKind = "no-record"       // nothing is known of earlier builds
	ReasonFollows      ReasonKind = "follows"         // On: the step with the cause
	ReasonMayFollow    ReasonKind = "may-follow"      // On: a step whose output may change
	ReasonUnresolved   ReasonKind = "unresolved"      // Name: an input that is not known yet
	ReasonAlways       ReasonKind = "always"          // rule off
	ReasonNoCache      ReasonKind = "no-cache"        // --no-cache, --no-cache-filter
	ReasonMayHaveMoved ReasonKind = "may-have-moved"  // Name: a source that moved; Old, New: digests, if known; its content may be the same
)

// Change says how an input differs.
type Change string

// How an input can differ.
const (
	Changed Change = "changed"
	Added   Change = "added"
	Removed Change = "removed"
)

// Reason is one cause for a step to run again, or to be unsure about.
type Reason struct {
	// Step is the index in Plan.Steps of the step it is about.
	Step   int        `json:"step"`
	Kind   ReasonKind `json:"kind"`
	Change Change     `json:"change,omitempty"`
	Name   string     `json:"name,omitempty"`
	// In is the file that a field is in.
	In string `json:"in,omitempty"`
	// Old and New are what differs, where that may be shown.
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
	// Line is the Dockerfile line that declares the thing, or 0.
	Line int `json:"line,omitempty"`
	// On is the index of the step that this one follows, for the kinds that say so,
	// else nil: the first step is one that can be followed.
	On *int `json:"on,omitempty"`
	// OnName is that step as a person reads it: 3/6, or build 3/6 in another stage.
	OnName string `json:"onName,omitempty"`
	Count  int    `json:"count,omitempty"`
	// keyless: it differs in the plan, and perhaps not in the builder's key.
	keyless bool
}

// Text joins reasons to what stands behind a step's name in the progress output,
// such as "server.js changed, public/logo.png added". It has no line break.
func Text(reasons []Reason) string {
	parts := make([]string, len(reasons))
	for i, r := range reasons {
		if r.In != "" && i > 0 && reasons[i-1].In == r.In {
			r.In = "" // named already
		}
		parts[i] = r.String()
	}
	return strings.Join(parts, ", ")
}

// String returns the reason in a few words.
func (r Reason) String() string {
	switch r.Kind {
	case ReasonFileChanged, ReasonFileAdded, ReasonFileRemoved:
		return fmt.Sprintf("%s %s", phrase.Name(r.Name), r.Change)
	case ReasonFileMode:
		return fmt.Sprintf("%s mode %s → %s", phrase.Name(r.Name), r.Old, r.New)
	case ReasonMoreFiles:
		return phrase.Count(r.Count, "more file")
	case ReasonFiles:
		return fmt.Sprintf("files changed (%s)", phrase.Count(r.Count, "file"))
	case ReasonField:
		return r.field()
	case ReasonMoreFields:
		return phrase.Count(r.Count, "more field")
	case ReasonArg:
		return r.variable("ARG")
	case ReasonEnv:
		return r.variable("ENV")
	case ReasonCommand:
		return "instruction changed"
	case ReasonBase:
		return r.base()
	case ReasonTTL:
		return fmt.Sprintf("ttl %s rolled over", r.Name)
	case ReasonSource:
		return r.source()
	case ReasonSecret, ReasonSetting:
		return fmt.Sprintf("%s %s%s", phrase.OneLine(r.Name), r.Change, r.values())
	case ReasonRule:
		return r.rule()
	case ReasonOrder:
		return fmt.Sprintf("no longer after %s", phrase.Shorten(phrase.OneLine(r.Old), maxShownText))
	case ReasonNewStep:
		return "new step"
	case ReasonCombination:
		return "not built in this combination before"
	case ReasonUnfinished:
		return "did not finish before"
	case ReasonForgotten:
		return "too long ago to be recorded"
	case ReasonNoRecord:
		return "no record of earlier builds"
	case ReasonFollows:
		return "follows " + r.OnName
	case ReasonMayFollow:
		return "follows " + r.OnName + " if that changed"
	case ReasonMayHaveMoved:
		if r.Old != "" && r.New != "" {
			return fmt.Sprintf("%s moved %s → %s, if that changed what is taken", phrase.Name(r.Name), phrase.ShortDigest(r.Old), phrase.ShortDigest(r.New))
		}
		return fmt.Sprintf("depends on what is in %s now", phrase.Name(r.Name))
	case ReasonUnresolved:
		return fmt.Sprintf("%s is not known", phrase.Name(r.Name))
	case ReasonAlways:
		return "runs in every build"
	case ReasonNoCache:
		return "no cache was asked for"
	}
	return string(r.Kind)
}

const (
	maxShownValue = 24 // bytes of a value that are shown in a reason
	maxShownText  = 40 // bytes of an instruction
)

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
	return fmt.Sprintf("%s moved %s → %s", phrase.Name(r.Name), phrase.ShortDigest(r.Old), phrase.ShortDigest(r.New))
}

func (r Reason) source() string {
	if r.Change != Changed {
		return fmt.Sprintf("key source %s %s", phrase.Name(r.Name), r.Change)
	}
	return fmt.Sprintf("%s moved %s → %s", phrase.Name(r.Name), phrase.ShortDigest(r.Old), phrase.ShortDigest(r.New))
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
