package llbconv_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

// TestPlanKeys changes generated Dockerfiles in one place and compares what the
// plan says of the steps' keys with the LLB: equal for the one exactly where it is
// for the other. PLAN_FILES is how many files (default 2000), PLAN_SEED the first.
func TestPlanKeys(t *testing.T) {
	count, first := envInt(t, "PLAN_FILES", 2000), envInt(t, "PLAN_SEED", 0)
	compared, equal, wrong := 0, 0, 0
	for seed := first; seed < first+count && wrong < 10; seed++ {
		before := oracle.Generate(seed)
		after := mutate(before, rand.New(rand.NewPCG(seed, 1)))
		old, err := keyedSteps(t.Context(), before)
		if err != nil {
			continue
		}
		steps, err := keyedSteps(t.Context(), after)
		if err != nil {
			continue
		}
		if old.withholds() != steps.withholds() {
			continue // their digests are keyed with different secrets
		}
		known := map[digest.Digest]bool{}
		for _, d := range old.llb {
			known[d] = true
		}
		for i, p := range explain.Predict(steps.plan, []record.PastBuild{{Plan: old.plan}}) {
			s := &steps.plan.Steps[i]
			if s.NoCache || p.State == explain.StateUnknown || steps.llb[i] == "" {
				continue
			}
			compared++
			hit := p.State == explain.StateHit
			if hit {
				equal++
			}
			if hit != known[steps.llb[i]] {
				wrong++
				t.Errorf("seed %d: %s: predicted %s (%s), but its vertex is the same: %v\n%s\n%s", seed, s.Name, p.State, explain.Text(p.Reasons), known[steps.llb[i]], before, after)
				break
			}
		}
	}
	t.Logf("%d steps compared, %d of them with an equal key", compared, equal)
	if equal == 0 || equal == compared {
		t.Error("the changes do not show anything")
	}
}

// keyed are the steps of a plan with the digest of what their vertices are keyed by.
type keyed struct {
	plan *cacheplan.Plan
	llb  []digest.Digest // by the step's index; empty where it has no vertex
}

func (k *keyed) withholds() bool {
	return slices.ContainsFunc(k.plan.Steps, cacheplan.Step.Withholds)
}

func keyedSteps(ctx context.Context, c *oracle.Case) (*keyed, error) {
	res, err := oracle.Converted(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	def, err := res.Definition(ctx, llb.LocalUniqueID("unique"))
	if err != nil {
		return nil, err
	}
	plan, err := def.Plan(ctx, func() ([]byte, error) { return []byte("key"), nil })
	if err != nil {
		return nil, err
	}
	k := &keyed{plan: plan}
	for i := range k.plan.Files { // as if every selection had its own, constant content
		f := &k.plan.Files[i]
		f.Known, f.Digest = true, fmt.Sprint(f.Context, f.Patterns, f.Exclude, f.IgnoreModes)
	}
	return k, k.digests(def.PB, def.StepDigests())
}

// digests computes the vertices' keys: their operations without what BuildKit
// leaves out of a key, on top of the keys of their inputs.
func (k *keyed) digests(def *pb.Definition, steps []digest.Digest) error {
	keys := map[string]digest.Digest{}
	for _, dt := range def.Def {
		id := digest.FromBytes(dt)
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return err
		}
		for _, in := range op.Inputs {
			in.Digest = string(keys[in.Digest])
		}
		normalizeKey(&op)
		data, err := op.MarshalVT()
		if err != nil {
			return err
		}
		keys[string(id)] = digest.FromBytes(data)
	}
	for _, id := range steps {
		k.llb = append(k.llb, keys[string(id)])
	}
	return nil
}

// normalizeKey removes from an operation what is not in its cache key.
func normalizeKey(op *pb.Op) {
	op.Constraints = nil
	switch o := op.Op.(type) {
	case *pb.Op_Source:
		o.Source.Attrs = nil
		if _, pinned, ok := strings.Cut(o.Source.Identifier, "@"); ok { // keyed by its digest
			o.Source.Identifier = pinned
		}
	case *pb.Op_File, *pb.Op_Merge:
		op.Platform = nil
	case *pb.Op_Exec:
		o.Exec.Meta.ProxyEnv = nil
		for _, h := range o.Exec.Meta.ExtraHosts {
			h.IP = ""
		}
		for _, m := range o.Exec.Mounts {
			if m.CacheOpt != nil {
				m.CacheOpt = &pb.CacheOpt{}
			}
		}
	}
}

// mutate changes one thing about a case.
func mutate(c *oracle.Case, r *rand.Rand) *oracle.Case {
	out := *c
	lines := strings.SplitAfter(string(c.Dockerfile), "\n")
	i := r.IntN(len(lines))
	switch r.IntN(5) {
	case 0: // a line less
		lines = append(lines[:i:i], lines[i+1:]...)
	case 1: // a line twice
		lines = append(lines[:i:i], append([]string{lines[i]}, lines[i:]...)...)
	case 2: // another letter
		text := []byte(lines[i])
		if at := r.IntN(len(text) + 1); at < len(text) && text[at] >= 'a' && text[at] <= 'y' {
			text[at]++
		}
		lines[i] = string(text)
	case 3: // two lines in the other order
		if i > 0 {
			lines[i-1], lines[i] = lines[i], lines[i-1]
		}
	case 4: // another build argument
		out.Attrs = map[string]string{}
		for k, v := range c.Attrs {
			out.Attrs[k] = v
		}
		out.Attrs["build-arg:"+[]string{"VERSION", "FOO", "TARGETARCH", "A", "B"}[r.IntN(5)]] = "changed"
	}
	out.Dockerfile = []byte(strings.Join(lines, ""))
	return &out
}
