package cachepolicy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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
	// LocalCopy says that a COPY or ADD takes files of the build context.
	LocalCopy bool
}

// Decision is what a rule means for one step.
type Decision struct {
	// Salt is a text to put into the step's key, or empty for none. It depends on
	// the rule, the step and the build alone: equal salts, equal keys.
	Salt string
	// Mounts are the sources whose content or digest goes into the key, sorted and
	// each once.
	Mounts []Source
	// Args says which ARGs reach the command, or nil for all.
	Args *ArgFilter
	// ContentBase: key the step by the content of the filesystem it starts from.
	ContentBase bool
	// NoExport: keep the result out of remote caches.
	NoExport bool
	// IgnoreModes: permission bits of the copied files do not count.
	IgnoreModes bool
	// Off: the step runs in every build.
	Off bool
	// Window is the window of ttl; the zero Window without one.
	Window Window
	// Inputs are the key inputs that the rule adds, for the plan. The content of
	// Mounts is not known here: those inputs are marked Unresolved.
	Inputs []Input
}

// Decide says what a rule means for a step. The error (*Error) is one that needs
// the step's facts to see: an ARG that is not declared, modes on a step that
// copies no local file.
func Decide(r Rule, f Facts, b Build) (Decision, error) {
	var d Decision
	if err := d.checkFacts(r, f); err != nil {
		return Decision{}, err
	}
	var salt []string
	if s, ok := r.Get(OptionOff); ok {
		if b.Nonce == "" {
			return Decision{}, (&Error{Option: OptionOff, Message: "the build has no nonce"}).at(s.Origin)
		}
		d.Off = true
		salt = append(salt, "off="+encode(b.Nonce))
		d.Inputs = append(d.Inputs, Input{Kind: InputOff, Name: "off", Value: "runs in every build", Origin: s.Origin})
	}
	if s, ok := r.Get(OptionTTL); ok {
		d.Window = s.ttl.Window(b.Now, f.Identity)
		salt = append(salt, fmt.Sprintf("ttl=%s", s.ttl), "window="+strconv.FormatInt(d.Window.Index, 10))
		d.Inputs = append(d.Inputs, ttlInput(s, d.Window))
	}
	salt = append(salt, d.addKeys(r, b)...)
	if len(salt) > 0 {
		d.Salt = saltScheme + " " + strings.Join(salt, " ")
	}
	_, off := r.Get(OptionOff)
	d.NoExport = off || r.Has(OptionExport)
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
	if s, ok := r.Get(OptionModes); ok {
		if !f.LocalCopy && s.Origin.single() {
			return (&Error{Option: OptionModes, Message: fmt.Sprintf("this %s takes no file of the build context; modes=ignore is for local files, so remove it", f.ID.Instruction)}).at(s.Origin)
		}
		d.IgnoreModes = f.LocalCopy
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
		return (&Error{Option: OptionArgs, Message: message, Suggestion: nearest(n, declared)}).at(origin)
	}
	return nil
}

// addKeys adds the sources of key to the decision and returns their part of the
// salt. Their order has no meaning, and none is left.
func (d *Decision) addKeys(r Rule, b Build) []string {
	s, ok := r.Get(OptionKey)
	if !ok {
		return nil
	}
	keys := slices.Clone(s.keys)
	slices.SortFunc(keys, compareSources)
	var salt []string
	for _, k := range keys {
		in := Input{Kind: InputKind(k.Kind), Name: k.Ref, Origin: s.Origin}
		switch k.Kind {
		case SourceText:
			salt = append(salt, "text:"+encode(k.Ref))
			in.Name, in.Value = "text", k.Ref
		case SourceArg:
			value, given := b.Args[k.Ref]
			salt = append(salt, "arg:"+encode(k.Ref)+"="+argSalt(value, given))
			in.Kind, in.Value = InputKeyArg, "not given"
			if given {
				in = NewVariable(InputKeyArg, k.Ref, strconv.Quote(value), s.Origin, b.SecretKey)
			}
		case SourceHTTP, SourceGit, SourceImage, SourceFile:
			d.Mounts = append(d.Mounts, k)
			in.Unresolved = true
		}
		d.Inputs = append(d.Inputs, in)
	}
	return salt
}

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
