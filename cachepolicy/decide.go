package cachepolicy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// saltScheme is the first word of every salt. It changes when what follows
// changes its meaning, so that no old result is mistaken for a new one.
const saltScheme = "cachewright/1"

// Build is what a decision needs to know of the build as a whole. It is the same
// for all steps and platforms of one build.
type Build struct {
	// Now is the time that ttl counts by: the build's start, or CACHEWRIGHT_NOW.
	Now time.Time
	// Nonce is a text that no other build has, for off.
	Nonce string
	// Args are the build arguments given with the build, declared or not.
	Args map[string]string
	// SecretKey keys the digests that stand for secret-looking values in the plan.
	SecretKey []byte
}

// Facts is what a decision needs to know of one step.
type Facts struct {
	ID StepID
	// Identity tells the step from others and stays the same from build to build:
	// the stage's name and the instruction's text. It shifts the windows of ttl.
	Identity []byte
	// DeclaredArgs are the names of the ARGs declared above the step, in its stage.
	DeclaredArgs []string
	// NoCache says that a selector of --no-cache-filter picks the step.
	NoCache bool
	// LocalCopy says that a COPY or ADD takes files of the build context, OnlyLocal
	// that it takes nothing else.
	LocalCopy, OnlyLocal bool
	// CacheMount says that a RUN has a cache mount whose contents can travel.
	CacheMount bool
}

// Decision is what a rule means for one step.
type Decision struct {
	// Keys are the sources that the rule adds to the step's key, sorted and each
	// once. Of those outside the Dockerfile the caller fills in the digest.
	Keys []Key
	// Args says which ARGs reach the command, or nil for all.
	Args *ArgFilter
	// ContentBase: key the step by the content of the filesystem it starts from.
	ContentBase bool
	// NoExport: keep the result out of remote caches.
	NoExport bool
	// IgnoreModes: permission bits of the copied files do not count.
	IgnoreModes bool
	// ShareMounts: the contents of the step's cache mounts travel with the remote cache.
	ShareMounts bool
	// Fields says which fields of the copied files count, or nil for whole files.
	Fields *fieldspec.Spec
	// Off: the step runs in every build.
	Off bool
	// NoCache: the step runs in this build, since --no-cache-filter picks it. That is
	// in the salt too: were the key as before, a step further on could be taken from
	// the cache, with the old result below it.
	NoCache bool
	// Window is the window of ttl; the zero Window without one.
	Window Window

	nonce  string
	inputs []Input // of the options without a source
	ttl    string  // as in the salt
}

// Key is one source that a rule adds to a step's key.
type Key struct {
	Source
	// Digest is what the source is now: an HTTP content, a commit, a manifest. It is
	// empty for a literal and an argument, which are in the key as they are, and
	// where it cannot be known before the build: then the source itself has to be an
	// input of the step.
	Digest string

	input Input
	salt  string // of a literal or an argument
}

// Input is the key as an input of the plan.
func (k *Key) Input() Input {
	in := k.input
	if k.Outside() {
		in.Digest, in.Unresolved = k.Digest, k.Digest == ""
	}
	return in
}

// Origin is where the rule that names the source was written.
func (k *Key) Origin() Origin { return k.input.Origin }

// Outside reports whether the source is something that has to be looked at.
func (k *Key) Outside() bool { return k.salt == "" }

// Inputs are the key inputs that the rule adds, for the plan.
func (d *Decision) Inputs() []Input {
	out := slices.Clip(d.inputs)
	for i := range d.Keys {
		out = append(out, d.Keys[i].Input())
	}
	return out
}

// Salt returns the text that goes into the step's key, or nothing if the rule adds
// none. It is complete once the digests of Keys are filled in, and depends on the
// rule, the step and the build alone: equal salts, equal keys. Values stand before
// digests, which are of something found elsewhere.
func (d *Decision) Salt() string {
	var words []string
	if d.Off {
		words = append(words, "off="+encode(d.nonce))
	}
	if d.ttl != "" {
		words = append(words, "ttl="+d.ttl, "window="+strconv.FormatInt(d.Window.Index, 10))
	}
	for _, k := range d.Keys {
		if k.salt != "" {
			words = append(words, k.salt)
		}
	}
	for _, k := range d.Keys {
		if k.Digest != "" {
			words = append(words, string(k.Kind)+"@"+encode(k.Digest))
		}
	}
	if d.NoCache {
		words = append(words, "no-cache="+encode(d.nonce))
	}
	if len(words) == 0 {
		return ""
	}
	return saltScheme + " " + strings.Join(words, " ")
}

// Decide says what a rule means for a step. The error (*Error) is one that needs
// the step's facts to see: an ARG that is not declared, modes on a step that
// copies no local file, mounts on one that has no cache mount.
func Decide(r Rule, f Facts, b Build) (Decision, error) {
	d := Decision{NoCache: f.NoCache, nonce: b.Nonce}
	if err := d.checkFacts(r, f); err != nil {
		return Decision{}, err
	}
	if s, ok := r.Get(OptionOff); ok {
		if b.Nonce == "" {
			return Decision{}, (&Error{Option: OptionOff, Message: "the build has no nonce"}).At(s.Origin)
		}
		d.Off = true
		d.inputs = append(d.inputs, Input{Kind: InputOff, Name: "off", Value: "runs in every build", Origin: s.Origin})
	}
	if s, ok := r.Get(OptionTTL); ok {
		d.Window, d.ttl = s.ttl.Window(b.Now, f.Identity), s.ttl.String()
		d.inputs = append(d.inputs, ttlInput(s, d.Window))
	}
	d.addKeys(r, b)
	d.NoExport = d.Off || r.Has(OptionExport)
	d.ContentBase = r.Has(OptionBase)
	return d, nil
}

// ttlInput is the key input of a window, with the time at which it ends.
func ttlInput(s Setting, w Window) Input {
	return Input{
		Kind:   InputTTL,
		Name:   s.ttl.String(),
		Value:  fmt.Sprintf("window %d, until %s", w.Index, w.End.Format("2006-01-02 15:04:05 MST")),
		Origin: s.Origin,
	}
}

// checkFacts applies the options whose meaning depends on the step.
func (d *Decision) checkFacts(r Rule, f Facts) error {
	if s, ok := r.Get(OptionArgs); ok {
		filter := s.args
		if s.Origin.single() {
			if err := filter.Check(f.DeclaredArgs, s.Origin); err != nil {
				return err
			}
		}
		filter.Names = slices.DeleteFunc(slices.Clone(filter.Names), func(n string) bool {
			return !slices.Contains(f.DeclaredArgs, n)
		})
		d.Args = &filter
	}
	if s, ok := r.Get(OptionFields); ok {
		if !f.OnlyLocal && s.Origin.single() {
			return (&Error{Option: OptionFields, Message: fmt.Sprintf("this %s takes something else than files of the build context; fields is for those alone, so give them an instruction of their own, or remove it", f.ID.Instruction)}).At(s.Origin)
		}
		if f.OnlyLocal {
			d.Fields = &s.fields
		}
	}
	if s, ok := r.Get(OptionModes); ok {
		if !f.LocalCopy && s.Origin.single() {
			return (&Error{Option: OptionModes, Message: fmt.Sprintf("this %s takes no file of the build context; modes=ignore is for local files, so remove it", f.ID.Instruction)}).At(s.Origin)
		}
		d.IgnoreModes = f.LocalCopy
	}
	if s, ok := r.Get(OptionMounts); ok {
		if !f.CacheMount && s.Origin.single() {
			return (&Error{Option: OptionMounts, Message: fmt.Sprintf("this %s has no cache mount that begins empty; write RUN --mount=type=cache without from=, or remove the rule", f.ID.Instruction)}).At(s.Origin)
		}
		d.ShareMounts = f.CacheMount
	}
	return nil
}

// Check returns an error (*Error, at the origin of the args option) when the
// filter names an ARG that is not among the declared ones. Decide checks a rule
// for a single step. A rule for several, a stage's default or a broad override, is
// to be checked with all ARGs of the stage, since a step may stand above a
// declaration.
func (f ArgFilter) Check(declared []string, origin Origin) error {
	for _, n := range f.Names {
		if slices.Contains(declared, n) {
			continue
		}
		message := fmt.Sprintf("ARG %s is not declared in this stage; declare it or leave it out", n)
		if origin.single() {
			message = fmt.Sprintf("ARG %s is not declared above this step; declare it there or leave it out", n)
		}
		return (&Error{Option: OptionArgs, Message: message, Suggestion: phrase.Nearest(n, declared)}).At(origin)
	}
	return nil
}

// addKeys adds the sources of key to the decision. Their order has no meaning, and
// none is left.
func (d *Decision) addKeys(r Rule, b Build) {
	s, ok := r.Get(OptionKey)
	if !ok {
		return
	}
	for _, src := range slices.SortedFunc(slices.Values(s.keys), compareSources) {
		k := Key{Source: src, input: Input{Kind: InputKind(src.Kind), Name: src.Ref, Origin: s.Origin}}
		switch src.Kind {
		case SourceText:
			k.salt = "text:" + encode(src.Ref)
			k.input.Name, k.input.Value = "text", src.Ref
		case SourceArg:
			value, given := b.Args[src.Ref]
			k.salt = "arg:" + encode(src.Ref) + "=" + argSalt(value, given)
			k.input.Kind, k.input.Value = InputKeyArg, notGiven
			if given {
				if value == notGiven {
					value = strconv.Quote(value)
				}
				k.input = NewVariable(InputKeyArg, src.Ref, value, s.Origin, b.SecretKey)
			}
		case SourceHTTP, SourceGit, SourceImage, SourceFile:
		}
		d.Keys = append(d.Keys, k)
	}
}

// notGiven is shown as the value of a build argument that the build does not give.
const notGiven = "not given"

// argSalt stands for a build argument's value in the salt, which everybody can
// read in the image's provenance.
func argSalt(value string, given bool) string {
	if !given {
		return "unset"
	}
	sum := sha256.Sum256([]byte(value))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func compareSources(a, b Source) int {
	if c := strings.Compare(string(a.Kind), string(b.Kind)); c != 0 {
		return c
	}
	return strings.Compare(a.Ref, b.Ref)
}
