package frontend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/errdefs"

	"github.com/cachewright/cachewright/frontend"
)

// TestDescribe asks for every subrequest that is described.
func TestDescribe(t *testing.T) {
	g := gateway("FROM scratch\n", map[string]string{"requestid": "frontend.subrequests.describe"})
	res, err := frontend.Build(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	var all []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
		if slices.Contains([]string{"frontend.cache-assert", "frontend.cache-diff", "frontend.cache-advice"}, r.Name) {
			continue // needs a builder that runs steps, or earlier builds
		}
		g := gateway("FROM scratch\n", map[string]string{"requestid": r.Name})
		res, err := frontend.Build(t.Context(), g)
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
			continue
		}
		if got := string(res.Metadata["version"]); got != r.Version {
			t.Errorf("%s: version %q, described as %q", r.Name, got, r.Version)
		}
		for _, md := range r.Metadata {
			if _, ok := res.Metadata[md.Name]; !ok {
				t.Errorf("%s: no %s in the answer", r.Name, md.Name)
			}
		}
		if res.Ref != nil {
			t.Errorf("%s: the answer has a reference", r.Name)
		}
	}
	for _, want := range []string{"frontend.outline", "frontend.targets", "frontend.lint", "frontend.convertllb", "frontend.cache", "frontend.cache-html", "frontend.cache-assert", "frontend.subrequests.describe"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not described: %q", want, names)
		}
	}
}

// TestCacheWithoutBuilder asks for the plan where the frontend has no image that
// it could run: the plan is there, a prediction is not.
func TestCacheWithoutBuilder(t *testing.T) {
	dockerfile := "FROM busybox\nRUN make\n"
	res, err := frontend.Build(t.Context(), gateway(dockerfile, map[string]string{"requestid": "frontend.cache"}))
	if err != nil {
		t.Fatal(err)
	}
	text := string(res.Metadata["result.txt"])
	if !strings.Contains(text, "[2/2] RUN make") || strings.Contains(text, "predicted") {
		t.Errorf("the plan is:\n%s", text)
	}
	_, err = frontend.Build(t.Context(), gateway(dockerfile, map[string]string{
		"requestid": "frontend.cache-assert", "build-arg:CACHEWRIGHT_EXPECT": "*=hit",
	}))
	if err == nil || !strings.Contains(err.Error(), "nothing can be predicted") {
		t.Errorf("the assertion gives %v", err)
	}
}

// TestSubrequestErrors marks the lines of a file that cannot be described, which
// docker/dockerfile does not.
func TestSubrequestErrors(t *testing.T) {
	for _, request := range []string{"frontend.outline", "frontend.targets", "frontend.convertllb"} {
		g := gateway("FROM busybox\nRUN --foo x\n", map[string]string{"requestid": request})
		_, err := frontend.Build(t.Context(), g)
		if err == nil {
			t.Errorf("%s: no error", request)
			continue
		}
		sources := errdefs.Sources(err)
		if len(sources) != 1 || sources[0].Ranges[0].Start.Line != 2 {
			t.Errorf("%s: %v has sources %v", request, err, sources)
		}
	}
}

// TestOutlineOfManyStages has stages that each read the two before, which takes
// time exponential in their number if one is visited for every way to it.
func TestOutlineOfManyStages(t *testing.T) {
	const n = 300
	var file strings.Builder
	for i := range n {
		fmt.Fprintf(&file, "FROM scratch AS s%d\nARG A%d=%d\n", i, i, i)
		for _, j := range []int{i - 2, i - 1} {
			if j >= 0 {
				fmt.Fprintf(&file, "COPY --from=s%d / /\n", j)
			}
		}
	}
	var o outline.Outline
	unmarshal(t, gateway(file.String(), map[string]string{"requestid": "frontend.outline"}), &o)
	if len(o.Args) != n || o.Args[n-1].Name != fmt.Sprintf("A%d", n-1) {
		t.Errorf("%d arguments, want %d", len(o.Args), n)
	}
}

// TestOutlineOrder has what docker/dockerfile lists in random order.
func TestOutlineOrder(t *testing.T) {
	const file = `ARG Z=1 Y=$Z X=$Y
FROM busybox AS a
ARG Z X=a
RUN --mount=type=secret,id=2 --mount=type=secret,id=1,required x
FROM busybox AS b
ARG X=b B A
FROM busybox
COPY --from=b / /
COPY --from=a / /
`
	var o outline.Outline
	unmarshal(t, gateway(file, map[string]string{"requestid": "frontend.outline"}), &o)
	var got []string
	for _, a := range o.Args {
		got = append(got, fmt.Sprintf("%d %s=%s", a.Location.Ranges[0].Start.Line, a.Name, a.Value))
	}
	for _, s := range o.Secrets {
		got = append(got, fmt.Sprintf("%d secret %s %t", s.Location.Ranges[0].Start.Line, s.Name, s.Required))
	}
	want := []string{"1 Z=1", "6 A=", "6 B=", "6 X=b", "4 secret 1 true", "4 secret 2 false"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func unmarshal(t *testing.T, g *fakeGateway, into any) {
	t.Helper()
	res, err := frontend.Build(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(res.Metadata["result.json"], into); err != nil {
		t.Fatal(err)
	}
}

// TestCacheImports counts the solves that may use the imported cache: those of
// the platforms, and those of their SBOMs.
func TestCacheImports(t *testing.T) {
	g := gateway("FROM busybox\nRUN x\n", map[string]string{
		"cache-imports": `[{"Type":"registry","Attrs":{"ref":"x"}},{"Type":"local"}]`,
		"platform":      "linux/amd64,linux/arm64",
		"attest:sbom":   "generator=docker/scanner:1",
	})
	if _, err := frontend.Build(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, req := range g.solves {
		if cmp.Equal(req.CacheImports, []client.CacheOptionsEntry{{Type: "registry", Attrs: map[string]string{"ref": "x"}}, {Type: "local"}}) {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d solves with the imports, want 4 of %d", n, len(g.solves))
	}
}

// TestUnknownForms asks for forms and formats that there are none of.
func TestUnknownForms(t *testing.T) {
	for _, c := range []struct {
		opts map[string]string
		want string
	}{
		{map[string]string{"requestid": "frontend.cache-htm"}, "there is no such form; there are cache, cache-verbose, "},
		{map[string]string{"requestid": "frontend.cache", "format": "yaml"}, `cache has no format "yaml"`},
		{map[string]string{"requestid": "frontend.cache-diff"}, "--build-context cachewright-past=DIR"},
		{map[string]string{"requestid": "frontend.cache-advice"}, "there is no advice here"},
		{map[string]string{"requestid": "frontend.cache-assert"}, "CACHEWRIGHT_EXPECT"},
	} {
		_, err := frontend.Build(t.Context(), gateway("FROM scratch\n", c.opts))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.opts, err, c.want)
		}
	}
	_, err := frontend.Build(t.Context(), gateway("FROM scratch\n", map[string]string{"requestid": "frontend.cache-htm"}))
	var unsupported *errdefs.UnsupportedSubrequestError
	if !errors.As(err, &unsupported) {
		t.Errorf("a client does not see that the request is unsupported: %v", err)
	}
}
