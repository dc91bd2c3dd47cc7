package cachepolicy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// sum is a shortened SHA-256 sum.
type sum [16]byte

// stepKeys are sums that two steps share when their cache keys are equal, as far
// as a plan can tell.
type stepKeys struct {
	own sum // the step's own inputs
	// strong also holds all that the step follows: equal strong sums, equal keys.
	strong   sum
	strongOK bool
	// weak holds what it follows by definition, but not what by content: where weak
	// sums differ, keys do.
	weak   sum
	weakOK bool
}

// keys returns the keys of all steps. A step with an input that is not resolved
// has none, and so have the steps that follow it by definition. A step that always
// runs has none either: no later build can reuse its result.
func (p *Plan) keys(sets fileSets) []stepKeys {
	out := make([]stepKeys, len(p.Steps))
	for i := range p.Steps {
		out[i] = p.Steps[i].keys(sets, out)
	}
	return out
}

// fileSets are the known file sets of a plan by ID, each with its sum.
type fileSets map[string]knownSet

type knownSet struct {
	*FileSet
	sum string
}

func (p *Plan) fileSets() fileSets {
	sets := fileSets{}
	for i := range p.Files {
		if s := &p.Files[i]; s.Known {
			sets[s.ID] = knownSet{FileSet: s, sum: s.sum()}
		}
	}
	return sets
}

// lacks reports whether what the input is cannot be told.
func (sets fileSets) lacks(in *Input) bool {
	_, known := sets[in.Files]
	return in.Unresolved || in.Files != "" && !known
}

func (s *Step) keys(sets fileSets, earlier []stepKeys) stepKeys {
	own, ok := s.ownSum(sets)
	k := stepKeys{own: own, strongOK: ok, weakOK: ok}
	strong, weak := newHasher(), newHasher()
	strong.add(string(own[:]))
	weak.add(string(own[:]))
	for _, f := range s.Follows {
		strong.add(string(f.By))
		weak.add(string(f.By))
		switch {
		case f.Step < 0: // a source, which counts by its content
			strong.add(f.Digest)
			k.strongOK = k.strongOK && f.Digest != ""
		case f.By == ByContent:
			e := earlier[f.Step]
			strong.add(string(e.strong[:]))
			k.strongOK = k.strongOK && e.strongOK
		default:
			e := earlier[f.Step]
			strong.add(string(e.strong[:]))
			weak.add(string(e.weak[:]))
			k.strongOK = k.strongOK && e.strongOK
			k.weakOK = k.weakOK && e.weakOK
		}
	}
	k.strong, k.weak = strong.sum(), weak.sum()
	return k
}

// alwaysRuns reports whether the step runs in every build by its rule.
func (s *Step) alwaysRuns() bool {
	return slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.Kind == InputOff })
}

// ownSum returns the sum of the step's own inputs, and whether it can stand for
// them.
func (s *Step) ownSum(sets fileSets) (sum, bool) {
	h, ok := newHasher(), !s.alwaysRuns()
	h.add(s.ID.Instruction)
	h.add(s.Key)
	for _, in := range keyOrder(s.Inputs) {
		if s.Key == "" {
			h.add(kindOrder(in.Kind))
			if !namedElsewhere(in.Kind) {
				h.add(in.Name)
			}
			h.add(in.Value)
			h.add(in.Digest)
		}
		if in.Files != "" || s.Key == "" {
			h.add(sets[in.Files].sum)
		}
		ok = ok && !sets.lacks(&in)
	}
	return h.sum(), ok
}

// inputSum stands for an input with its value.
type inputSum struct {
	kind                       InputKind
	name, value, digest, files string
}

// inputSums counts the inputs of all steps.
func (p *Plan) inputSums(sets fileSets) map[inputSum]int {
	out := map[inputSum]int{}
	for i := range p.Steps {
		for _, in := range p.Steps[i].Inputs {
			out[inputSum{in.Kind, in.Name, in.Value, in.Digest, sets[in.Files].sum}]++
		}
	}
	return out
}

// keyOrder returns inputs in an order in which that of the plan does not show,
// save among variables, whose order is in the key.
func keyOrder(inputs []Input) []Input {
	sorted := slices.Clone(inputs)
	slices.SortStableFunc(sorted, func(a, b Input) int {
		if isVariable(a.Kind) && isVariable(b.Kind) {
			return 0
		}
		return cmp.Or(strings.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), strings.Compare(a.Name, b.Name))
	})
	return sorted
}

// isVariable reports whether the inputs of a kind reach the command's environment.
func isVariable(k InputKind) bool { return k == InputArg || k == InputEnv }

// kindOrder returns a text to tell and sort kinds by, the same for all variables:
// an ARG and an ENV reach the command alike.
func kindOrder(k InputKind) string {
	if isVariable(k) {
		return string(InputEnv)
	}
	return string(k)
}

// namedElsewhere reports whether inputs of a kind are keyed by what the name leads
// to, whatever the name.
func namedElsewhere(k InputKind) bool {
	switch k {
	case InputBase, InputHTTP, InputGit, InputImage:
		return true
	case InputCommand, InputArg, InputEnv, InputFiles, InputUser, InputWorkdir, InputShell, InputPlatform, InputSecret,
		InputSSH, InputMount, InputOption, InputOff, InputTTL, InputKeyArg, InputText, InputFile:
		return false
	}
	return false
}

// sum returns a text that stands for the content of a known set.
func (s *FileSet) sum() string {
	if s.Digest != "" {
		return s.Digest
	}
	if s.total != "" {
		return s.total
	}
	h := newHasher()
	for i := range s.Files {
		f := &s.Files[i]
		h.add(f.Path)
		h.add(string(f.Digest[:]))
		h.add(strconv.FormatUint(uint64(f.Mode.counted(s.IgnoreModes)), 8))
	}
	total := h.sum()
	return "sha256:" + hex.EncodeToString(total[:])
}

// hasher sums a list of texts so that no two lists run into each other.
type hasher struct {
	h   hash.Hash
	buf []byte // what h has not seen yet
}

func newHasher() *hasher { return &hasher{h: sha256.New()} }

func (h *hasher) add(text string) {
	const flush = 4096
	h.buf = strconv.AppendInt(h.buf, int64(len(text)), 10)
	h.buf = append(h.buf, ' ')
	h.buf = append(h.buf, text...)
	if len(h.buf) > flush {
		h.h.Write(h.buf)
		h.buf = h.buf[:0]
	}
}

// sum ends the list.
func (h *hasher) sum() sum {
	h.h.Write(h.buf)
	var out sum
	copy(out[:], h.h.Sum(nil))
	return out
}
