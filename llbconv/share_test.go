package llbconv_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/cachewright/cachewright/llbconv"
	"github.com/cachewright/cachewright/llbconv/internal/oracle"
)

const sharing = `FROM busybox AS a
# cache=mounts=share
RUN --mount=type=cache,target=/c --mount=type=cache,id=go,target=/d,uid=5 one
RUN --mount=type=cache,target=/other two
# cache=mounts=share
FROM a
RUN --mount=type=cache,target=/c/. --mount=type=cache,target=/from,from=a --mount=type=cache,target=/ro,readonly three
RUN four
RUN --mount=type=cache,id=go,target=/e,mode=0700,sharing=locked five
`

// Which mounts are shared, by which steps, and under which names.
func TestSharedMounts(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		options          []string
		want             []string
	}{
		{"rules", sharing, nil, []string{"//c: RUN one, RUN three", "/go 5:0 755: RUN one", "/go 0:0 700: RUN five"}},
		{"namespace", "FROM a\n# cache=mounts=share\nRUN --mount=type=cache,id=x,target=/c one\n", []string{"build-arg:BUILDKIT_CACHE_MOUNT_NS=ns"}, []string{"ns/x: RUN one"}},
		{"override", "FROM a\nRUN --mount=type=cache,target=/c one\nRUN two\n", []string{"build-arg:CACHEWRIGHT_RULES=stage-0/*: mounts=share"}, []string{"//c: RUN one"}},
		{"rules off", sharing, []string{"build-arg:CACHEWRIGHT_RULES=off"}, nil},
		{"default", "# cache=mounts=share\nFROM a\n# cache=default\nRUN --mount=type=cache,target=/c one\n", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, def := shared(t, test.dockerfile, test.options)
			plan := planIn(t.Context(), t, def)
			var got []string
			for _, m := range def.SharedMounts() {
				var steps []string
				for _, i := range m.Steps {
					words := strings.Fields(plan.Steps[i].Name)
					steps = append(steps, "RUN "+words[len(words)-1])
				}
				got = append(got, m.Name+": "+strings.Join(steps, ", "))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The rule is in nothing that the daemon gets.
func TestSharedMountsAreNoKey(t *testing.T) {
	res, def := shared(t, sharing, nil)
	other, plain := shared(t, sharing, []string{"build-arg:CACHEWRIGHT_RULES=off"})
	if d := cmp.Diff(plain.PB, def.PB, protocmp.Transform()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(other.Image, res.Image); d != "" {
		t.Error(d)
	}
	keys := func(d *llbconv.Definition) (out []string) {
		for _, s := range planIn(t.Context(), t, d).Steps {
			out = append(out, s.Key)
		}
		return out
	}
	if !slices.Equal(keys(def), keys(plain)) {
		t.Error("other keys")
	}
}

func shared(t *testing.T, dockerfile string, options []string) (*llbconv.Result, *llbconv.Definition) {
	t.Helper()
	c := &oracle.Case{Dockerfile: []byte(dockerfile)}
	if err := c.SetOptions(strings.Join(options, "\n")); err != nil {
		t.Fatal(err)
	}
	res, err := oracle.Converted(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	def, err := res.Definition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return res, def
}
