package frontend

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/pkg/errors"

	"github.com/cachewright/cachewright/llbconv"
)

// keyRequestID is the option that asks for something about the Dockerfile
// instead of a build.
const keyRequestID = "requestid"

// request is a subrequest that this frontend answers.
type request struct {
	definition subrequests.Request
	answer     func(ctx context.Context, b *build) (*client.Result, error)
}

// requests returns every subrequest, in the order in which they are described.
func requests() []request {
	all := []request{
		{outline.SubrequestsOutlineDefinition, answerOutline},
		{targets.SubrequestsTargetsDefinition, answerTargets},
		{lint.SubrequestLintDefinition, answerLint},
		{convertllb.SubrequestConvertLLBDefinition, answerConvertLLB},
	}
	all = append(all, cacheRequests()...)
	describe := subrequests.SubrequestsDescribeDefinition
	describe.Description += " of cachewright " + versionName()
	return append(all, request{describe, answerDescribe})
}

// subrequest answers the subrequest that the client asks for. It fails with
// errdefs.UnsupportedSubrequestError if there is none of that name.
func (b *build) subrequest(ctx context.Context) (*client.Result, error) {
	id := b.opts()[keyRequestID]
	for _, r := range requests() {
		if r.definition.Name == id {
			return r.answer(ctx, b)
		}
	}
	err := errdefs.NewUnsupportedSubrequestError(id)
	if strings.HasPrefix(id, "frontend.cache") {
		err = errors.Wrapf(err, "there is no such form; there are %s", formNames())
	}
	return nil, err
}

func answerOutline(ctx context.Context, b *build) (*client.Result, error) {
	o, err := llbconv.Outline(ctx, b.src.Data, b.options(ctx))
	if err != nil {
		return nil, err
	}
	return o.ToResult()
}

func answerTargets(_ context.Context, b *build) (*client.Result, error) {
	list, err := llbconv.Targets(b.src.Data)
	if err != nil {
		return nil, err
	}
	return list.ToResult()
}

func answerLint(ctx context.Context, b *build) (*client.Result, error) {
	return llbconv.Lint(ctx, b.src.Data, b.options(ctx)).ToResult(nil)
}

func answerConvertLLB(ctx context.Context, b *build) (*client.Result, error) {
	res, err := llbconv.ConvertLLB(ctx, b.src.Data, b.options(ctx))
	if err != nil {
		return nil, err
	}
	return res.ToResult()
}

// answerDescribe lists the subrequests.
func answerDescribe(context.Context, *build) (*client.Result, error) {
	var all []subrequests.Request
	for _, r := range requests() {
		all = append(all, r.definition)
	}
	list, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(list, &text); err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.AddMeta("result.json", list)
	res.AddMeta("result.txt", text.Bytes())
	res.AddMeta("version", []byte(subrequests.SubrequestsDescribeDefinition.Version))
	return res, nil
}
