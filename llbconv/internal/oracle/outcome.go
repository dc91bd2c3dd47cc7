package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// Outcome is what a conversion for one platform gives, in comparable form.
type Outcome struct {
	// Err is what it failed with; most of the rest is unset then.
	Err *Failure
	// Warnings are the findings of the build checks.
	Warnings []Warning
	// Advice are hints that only this project's converter gives.
	Advice []Warning
	// Graphs are the definitions: "" is the result, other names are the states
	// for an SBOM scanner.
	Graphs map[string]*Graph
	// Image and BaseImage are the configs as JSON.
	Image, BaseImage string
	// Epoch is SOURCE_DATE_EPOCH; empty if there is none.
	Epoch string
	// IgnoreCache reports whether scans are to ignore the cache.
	IgnoreCache bool
}

// Names of graphs for an SBOM scanner: the result, and the prefix of the others.
const (
	sbomCore  = "sbom core"
	sbomExtra = "sbom extra "
)

// Failure is an error of a conversion.
type Failure struct {
	Text string
	// Locations are the positions in the Dockerfile; nil if it has none.
	Locations [][]parser.Range
	// Marshal is set if converting worked, but marshalling the result did not.
	Marshal bool
}

// Warning is a finding of a build check.
type Warning struct {
	Rule, Description, URL, Message string
	Location                        []parser.Range
}

// Graph is a definition.
type Graph struct {
	// Order lists the operations as the definition does.
	Order []digest.Digest
	Ops   map[digest.Digest]*Op
	// Head is the digest of the terminal operation.
	Head digest.Digest
	// Files are the source files that positions refer to.
	Files []*pb.SourceInfo
}

// Op is an operation with all that belongs to it.
type Op struct {
	Bytes     []byte
	Meta      *pb.OpMetadata
	Locations *pb.Locations
}

// newFailure describes an error.
func newFailure(err error, marshal bool) *Failure {
	f := &Failure{Text: err.Error(), Marshal: marshal}
	var located *parser.LocationError
	if errors.As(err, &located) {
		f.Locations = located.Locations
	}
	return f
}

// addGraph marshals a state under a name.
func (o *Outcome) addGraph(ctx context.Context, name string, st llb.State) error {
	def, err := st.Marshal(ctx, llb.LocalUniqueID("unique"))
	if err != nil {
		return err
	}
	if _, err := proto.Marshal(def.ToPB()); err != nil {
		return err // it cannot be sent to a daemon
	}
	g := &Graph{Ops: map[digest.Digest]*Op{}}
	for _, dt := range def.Def {
		dgst := digest.FromBytes(dt)
		md := def.Metadata[dgst]
		op := &Op{Bytes: dt, Meta: (&md).ToPB()}
		if def.Source != nil {
			op.Locations = def.Source.Locations[string(dgst)]
		}
		g.Order = append(g.Order, dgst)
		g.Ops[dgst] = op
		g.Head = dgst
	}
	if def.Source != nil {
		g.Files = def.Source.Infos
	}
	g.normalizeGroups()
	if o.Graphs == nil {
		o.Graphs = map[string]*Graph{}
	}
	o.Graphs[name] = g
	return nil
}

// normalizeGroups replaces the random ids of progress groups by the digests of
// their members.
func (g *Graph) normalizeGroups() {
	members := map[string][]digest.Digest{}
	for _, dgst := range g.Order {
		if pg := g.Ops[dgst].Meta.ProgressGroup; pg != nil {
			members[pg.Id] = append(members[pg.Id], dgst)
		}
	}
	for _, op := range g.Ops {
		if pg := op.Meta.ProgressGroup; pg != nil {
			ids := members[pg.Id]
			slices.Sort(ids)
			pg = pg.CloneVT()
			pg.Id = "group of"
			for _, id := range slices.Compact(ids) {
				pg.Id += " " + id.Encoded()[:12]
			}
			op.Meta.ProgressGroup = pg
		}
	}
}

// jsonText is a value as indented JSON.
func jsonText(v any) string {
	dt, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "cannot be marshalled: " + err.Error()
	}
	return string(dt)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
