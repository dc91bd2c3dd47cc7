package recorder

import (
	"slices"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
	"github.com/cachewright/cachewright/frontend/travel"
)

// project is the name under which the record travels: none where the project's files
// have to tell it from others, since what else does is of this builder.
func (r *run) project() string {
	if r.record != r.req.Record {
		return ""
	}
	return r.record
}

// travelled returns the record that came with an imported cache, if it is one of the
// plan's project. What is wrong with it, the frontend says, which reads it too.
func (r *run) travelled(plan *cacheplan.Plan) record.Travel {
	if r.req.Share == "" {
		return record.Travel{}
	}
	data, err := store{dir: r.dirs.Travelled}.read(TravelledName, travel.MaxBytes)
	if err != nil {
		return record.Travel{}
	}
	t, _ := record.DecodeTravel(data)
	return t.Of(plan, r.project())
}

// predict fills in what the report says of the steps.
func (r *run) predict(plan *cacheplan.Plan, ledger *record.Ledger, own []record.PastBuild, travelled record.Travel) {
	keys := plan.Keys(plan.KnownSets())
	var here []bool
	for _, k := range keys {
		here = append(here, ledger.Strong(k) == record.Done)
	}
	known := travelled.Ledger()
	ledger.Merge(known.Exported)
	past := slices.Concat(own, travelled.Past(plan, nil))
	r.report.Predictions = explain.PredictKnown(plan, ledger, past)
	r.report.Builds = ofSameTarget(past, plan)
	for i, p := range r.report.Predictions {
		if p.State == explain.StateHit && !here[i] {
			r.report.Elsewhere = append(r.report.Elsewhere, i)
			if known.Lacks(keys[i]) {
				r.report.Lacking = append(r.report.Lacking, i)
			}
		}
		if known.IsOlder(keys[i]) {
			r.report.Predictions[i] = p.MayBeImported()
		}
	}
}

// writeTravel writes what is to travel with the cache that the build exports.
func (r *run) writeTravel(build record.Build, own record.Record, travelled record.Travel) error {
	if r.req.Share == "" {
		return nil
	}
	all := record.Merge(own.Of(build.Traces).Add(build), travelled.Record)
	values := r.req.Share == cachepolicy.ShareValues
	t := record.Travel{TravelHeader: record.TravelHeader{Project: r.project(), Values: values}, Record: all.ForTravel(values)}
	data, err := t.Encode(travel.MaxBytes)
	if err != nil {
		return err
	}
	return writeAtomically(r.dirs.travel(), data)
}
