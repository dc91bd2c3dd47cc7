package llbconv

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/moby/buildkit/solver/pb"

	"github.com/cachewright/cachewright/llbconv/internal/vertex"
)

// setKeys gives every step of the plan that runs an operation a digest of it: with
// all that is in BuildKit's key of the operation, and without its inputs, which the
// plan has as files and as what the step follows.
func (w *planner) setKeys() {
	k := keyer{encoded: w.def.encoded, steps: map[*vertex.Vertex]bool{}}
	for _, s := range w.def.steps {
		if s.step != nil { // an image is keyed by its digest alone
			k.steps[s.op] = true
		}
	}
	for i, s := range w.def.steps {
		if s.step != nil && (s.decision == nil || !s.decision.Off) { // off has a new key each time
			k.secret = nil
			if w.plan.Steps[i].Withholds() {
				k.secret = w.key() // a digest of all values would give the secret ones away
			}
			w.plan.Steps[i].Key = k.key(s.op)
		}
	}
}

// keyer takes the digests of operations.
type keyer struct {
	encoded *vertex.Encoded
	steps   map[*vertex.Vertex]bool
	secret  []byte // keys the digests, unless it is empty
}

// key returns the digest of an operation; nothing if it is not in the definition.
func (k *keyer) key(v *vertex.Vertex) string {
	var op pb.Op
	if v == nil || op.UnmarshalVT(k.encoded.Bytes(v)) != nil || op.Op == nil {
		return ""
	}
	for _, in := range op.Inputs {
		in.Digest = k.inputKey(v, in.Digest)
	}
	keepKeyed(&op)
	data, err := op.MarshalVT()
	if err != nil {
		return ""
	}
	if len(k.secret) == 0 {
		return string(vertex.Digest(data))
	}
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(data)
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}

// inputKey returns what an input adds to the key of v itself. That is nothing,
// unless it is a file operation that prepares something for this step alone, such
// as an inline document.
func (k *keyer) inputKey(v *vertex.Vertex, digest string) string {
	for _, out := range v.Op.AppendInputs(nil) {
		in, ok := vertex.Of(out)
		if !ok || string(k.encoded.Digest(in)) != digest || k.steps[in] {
			continue
		}
		if _, ok := in.Op.(*vertex.File); ok {
			return k.key(in)
		}
	}
	return ""
}

// keepKeyed removes from an operation what BuildKit leaves out of its key: file
// operations run anywhere, and proxies, addresses of extra hosts and the identity
// of most cache mounts make no difference.
func keepKeyed(op *pb.Op) {
	op.Constraints = nil
	switch o := op.Op.(type) {
	case *pb.Op_Exec:
		o.Exec.Meta.ProxyEnv = nil
		for _, h := range o.Exec.Meta.ExtraHosts {
			h.IP = ""
		}
		if len(o.Exec.Mounts) == 1 && isPlainRoot(o.Exec.Mounts[0]) {
			o.Exec.Mounts = nil
		}
		for _, m := range o.Exec.Mounts {
			if c := m.CacheOpt; c != nil && !isDefaultCache(m.Dest, c.ID, c.Sharing) {
				c.ID, c.Sharing = "", pb.CacheSharingOpt_SHARED
			}
		}
	case *pb.Op_File, *pb.Op_Merge:
		op.Platform = nil
	}
}

// isPlainRoot reports whether a mount is the container's root as most RUNs have it;
// where it is the only one, it is not in the key.
func isPlainRoot(m *pb.Mount) bool {
	return m.Dest == pb.RootMount && m.Selector == "" && !m.Readonly && m.MountType == pb.MountType_BIND && m.ResultID == ""
}

// isDefaultCache reports whether a cache mount has the id that its target gives it,
// which stays in the key.
func isDefaultCache(target, cacheID string, sharing pb.CacheSharingOpt) bool {
	_, id, ok := strings.Cut(cacheID, "/")
	own := cacheID == target || ok && id == target
	return own && sharing == pb.CacheSharingOpt_SHARED
}
