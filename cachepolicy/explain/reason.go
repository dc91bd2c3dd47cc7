package explain

import "strings"

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
	ReasonNotExported  ReasonKind = "not-exported"    // another builder has a result, which the imported cache may not have
	ReasonNoRecord     ReasonKind = "no-record"       // nothing is known of earlier builds
	ReasonFollows      ReasonKind = "follows"         // On: the step with the cause; Change: another build has run that, and it is a hit
	ReasonMayFollow    ReasonKind = "may-follow"      // On: a step whose output may change
	ReasonUnresolved   ReasonKind = "unresolved"      // Name: an input that is not known yet
	ReasonAlways       ReasonKind = "always"          // rule off
	ReasonNoCache      ReasonKind = "no-cache"        // --no-cache, --no-cache-filter
	ReasonMayHaveMoved ReasonKind = "may-have-moved"  // Name: a source that moved; Old, New: digests, if known; its content may be the same
)

// reasonRow is what is true of all reasons of a kind.
type reasonRow struct {
	weight weight
	// text returns the reason in a few words.
	text func(Reason) string
	// fill, where it is set, completes a reason that lies in an input.
	fill func(*Reason, *differ, inputPair)
	// mayRun: it says why a step may run of which nothing is certain.
	mayRun bool
	// asked: the step was asked to run, whatever has changed.
	asked bool
}

// weight orders the reasons of a step: what a person changed by hand comes first.
type weight int

const (
	weightCommand weight = iota + 1
	weightRule
	weightBase
	weightFile
	weightVariable
	weightOther
)

// reasonRows has a row for each kind.
var reasonRows = map[ReasonKind]reasonRow{
	ReasonCommand:      {weight: weightCommand, text: says("instruction changed")},
	ReasonRule:         {weight: weightRule, text: Reason.rule},
	ReasonBase:         {weight: weightBase, text: Reason.base, fill: fillBase},
	ReasonFileChanged:  {weight: weightFile, text: Reason.file},
	ReasonFileAdded:    {weight: weightFile, text: Reason.file},
	ReasonFileRemoved:  {weight: weightFile, text: Reason.file},
	ReasonFileMode:     {weight: weightFile, text: Reason.mode},
	ReasonMoreFiles:    {weight: weightFile, text: Reason.moreFiles},
	ReasonFiles:        {weight: weightFile, text: Reason.someFiles},
	ReasonField:        {weight: weightFile, text: Reason.field},
	ReasonMoreFields:   {weight: weightFile, text: Reason.moreFields},
	ReasonArg:          {weight: weightVariable, text: Reason.arg},
	ReasonEnv:          {weight: weightVariable, text: Reason.env},
	ReasonTTL:          {weight: weightOther, text: Reason.ttl, fill: fillTTL},
	ReasonSource:       {weight: weightOther, text: Reason.source},
	ReasonSecret:       {weight: weightOther, text: Reason.setting},
	ReasonSetting:      {weight: weightOther, text: Reason.setting},
	ReasonOrder:        {weight: weightOther, text: Reason.order},
	ReasonNewStep:      {weight: weightOther, text: says("new step")},
	ReasonCombination:  {weight: weightOther, text: says("not built in this combination before"), mayRun: true},
	ReasonUnfinished:   {weight: weightOther, text: says("did not finish before")},
	ReasonForgotten:    {weight: weightOther, text: says("too long ago to be recorded")},
	ReasonNotExported:  {weight: weightOther, text: says("may not be in the imported cache"), mayRun: true},
	ReasonNoRecord:     {weight: weightOther, text: says("no record of earlier builds")},
	ReasonFollows:      {weight: weightOther, text: Reason.follows},
	ReasonMayFollow:    {weight: weightOther, text: Reason.mayFollow, mayRun: true},
	ReasonMayHaveMoved: {weight: weightOther, text: Reason.mayHaveMoved, mayRun: true},
	ReasonUnresolved:   {weight: weightOther, text: Reason.unresolved},
	ReasonAlways:       {weight: weightOther, text: says("runs in every build"), asked: true},
	ReasonNoCache:      {weight: weightOther, text: says("no cache was asked for"), asked: true},
}

// MayRun reports whether reasons of the kind say why a step may run of which nothing
// is certain.
func (k ReasonKind) MayRun() bool { return reasonRows[k].mayRun }

// Asked reports whether a step with a reason of the kind was asked to run, whatever
// has changed.
func (k ReasonKind) Asked() bool { return reasonRows[k].asked }

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
	// Since is the revision that it is compared with, if that is another one.
	Since string `json:"since,omitempty"`
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
		if last := i == len(reasons)-1; r.Since != "" && (last || reasons[i+1].Since != r.Since) {
			parts[i] += " since " + shortRevision(r.Since)
		}
	}
	return strings.Join(parts, ", ")
}

// String returns the reason in a few words, without what it is compared with.
func (r Reason) String() string {
	row, ok := reasonRows[r.Kind]
	if !ok {
		return string(r.Kind) // of a newer version
	}
	return row.text(r)
}
