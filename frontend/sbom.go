package frontend

import (
	"context"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/result"
	"golang.org/x/sync/errgroup"
)

// scanner looks up the SBOM scanner image of the option attest:sbom. It returns
// nil if no SBOM was asked for.
func (b *build) scanner(ctx context.Context) (sbom.Scanner, error) {
	cfg := b.ui.SBOM
	if cfg == nil {
		return nil, nil
	}
	platform := b.ui.BuildPlatforms[0]
	return sbom.CreateSBOMScanner(ctx, b.client, cfg.Generator, platform, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{
			ResolveMode: b.opts()["image-resolve-mode"],
			Platform:    &platform,
		},
	}, cfg.Parameters)
}

// attachSBOMs scans every platform's result, and the stages and the context that
// asked for a scan, and adds the SBOMs to the result as attestations.
func (b *build) attachSBOMs(ctx context.Context, built *built, scan sbom.Scanner) error {
	eg, ctx := errgroup.WithContext(ctx)
	for _, p := range built.platforms {
		eg.Go(func() error {
			var opts []llb.ConstraintsOpt
			if p.converted.IgnoreCache {
				opts = append(opts, llb.IgnoreCache)
			}
			targets := p.converted.SBOM()
			att, err := scan(ctx, p.id, targets.Core, targets.Extras, opts...)
			if err != nil {
				return err
			}
			solved, err := result.ConvertAttestation(&att, func(st *llb.State) (client.Reference, error) {
				def, err := st.Marshal(ctx)
				if err != nil {
					return nil, err
				}
				return b.solveDefinition(ctx, def.ToPB())
			})
			if err != nil {
				return err
			}
			built.rb.AddAttestation(p.id, *solved)
			return nil
		})
	}
	return eg.Wait()
}
