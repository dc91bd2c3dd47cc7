package record_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// typicalTravel has builds of a project with so many files, of which each build changes
// a few.
func typicalTravel(builds, files int) record.Travel {
	chance := rand.NewChaCha8([32]byte{1})
	random := rand.New(chance)
	list := make([]cacheplan.File, files)
	for i := range list {
		list[i] = cacheplan.File{Path: fmt.Sprintf("src/components/part-%03d/index-%d.tsx", i/7, i%7), Mode: 0o100644}
		chance.Read(list[i].Digest[:])
	}
	slices.SortFunc(list, func(a, b cacheplan.File) int { return strings.Compare(a.Path, b.Path) })
	r := record.Record{}
	for n := range builds {
		list = slices.Clone(list)
		for range 5 {
			chance.Read(list[random.IntN(files)].Digest[:])
		}
		p := &cacheplan.Plan{Version: cacheplan.Version, Dockerfile: "Dockerfile", Platform: "linux/amd64", Revision: fmt.Sprintf("%040x", random.Uint64())}
		set := cacheplan.FileSet{ID: "set", Patterns: []string{"."}}
		set.SetFiles(list)
		p.Files = []cacheplan.FileSet{set}
		for i := range 30 {
			s := cacheplan.Step{ID: cachepolicy.StepID{Stage: "app", Number: i + 1, Total: 30, Instruction: "RUN", Line: i}, Name: fmt.Sprintf("[app %d/30] RUN make part-%d", i+1, i)}
			for v := range 12 {
				s.Inputs = append(s.Inputs, cachepolicy.NewInput(cachepolicy.InputEnv, fmt.Sprint("VARIABLE_", v), fmt.Sprint("value ", v), cachepolicy.Origin{Line: v}))
			}
			s.Key = fmt.Sprintf("sha256:%064x", random.Uint64()) // all of them differ in each build
			if i > 0 {
				s.Follows = []cacheplan.Follow{cacheplan.FollowStep(i-1, cacheplan.ByDefinition, "")}
			}
			p.Steps = append(p.Steps, s)
		}
		p.Steps[0].Inputs = append(p.Steps[0].Inputs, cachepolicy.Input{Kind: cachepolicy.InputFiles, Name: "set", Files: "set"})
		r = r.Add(record.Build{ID: fmt.Sprint(n), Time: time.Unix(int64(n), 0), Plan: p})
	}
	return record.Travel{Record: r.ForTravel(false)}
}

// What travels is small, and what does not fit is left out.
func TestTravelSize(t *testing.T) {
	data, err := typicalTravel(16, 600).Encode(360 << 10)
	if err != nil {
		t.Fatal(err)
	}
	back, err := record.DecodeTravel(data)
	if err != nil || len(back.Builds) != 16 {
		t.Fatalf("%d builds, %v", len(back.Builds), err)
	}
	t.Logf("16 builds of 600 files: %d bytes", len(data))
	large := typicalTravel(16, 60_000)
	data, err = large.Encode(360 << 10)
	if err != nil || len(data) > 360<<10 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if back, err := record.DecodeTravel(data); err != nil || len(back.Builds) != 1 || back.Builds[0].ID != "15" {
		t.Errorf("%d builds, %v", len(back.Builds), err)
	}
}

// What is not whole is an error and nothing else.
func TestTravelDamaged(t *testing.T) {
	data, err := typicalTravel(2, 3).Encode(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if tr, err := record.DecodeTravel(nil); err != nil || len(tr.Builds) > 0 {
		t.Errorf("nothing: %v", err)
	}
	for name, bad := range map[string][]byte{
		"cut short":     data[:len(data)/2],
		"magic alone":   data[:8],
		"header alone":  data[:9],
		"something":     []byte("hello"),
		"newer version": append([]byte("CWTRAVEL\x09"), data[9:]...),
		"a bit":         slices.Concat(data[:len(data)/2], []byte{data[len(data)/2] ^ 1}, data[len(data)/2+1:]),
	} {
		if tr, err := record.DecodeTravel(bad); err == nil || len(tr.Builds) > 0 {
			t.Errorf("%s: %d builds, %v", name, len(tr.Builds), err)
		}
	}
}

// Values travel if that is asked for, and those that are withheld never.
func TestTravelValues(t *testing.T) {
	b := plantext.Parse(t, "app 1/1 RUN x\n  arg V=visible 1\n  workdir workdir /w/visible\n")
	b.Plan.Steps[0].Inputs = append(b.Plan.Steps[0].Inputs, cachepolicy.NewVariable(cachepolicy.InputArg, "NPM_TOKEN", "hunter2", cachepolicy.Origin{}, []byte("key")))
	b.Plan.SecretKey = "keyed"
	r := record.Record{}.Add(record.Build{ID: "a", Plan: b.Plan})
	for values, want := range map[bool]bool{true: true, false: false} {
		data := r.ForTravel(values).Encode()
		if bytes.Contains(data, []byte("visible")) != want {
			t.Errorf("values=%v: %q", values, data)
		}
		for _, never := range []string{"hunter2", "hmac", "keyed"} {
			if bytes.Contains(data, []byte(never)) {
				t.Errorf("values=%v: %s travels", values, never)
			}
		}
	}
}

// A record is used for builds of its own project.
func TestTravelOf(t *testing.T) {
	plan := func(files ...string) *cacheplan.Plan {
		p := plantext.Parse(t, "app 1/1 COPY . .\n").Plan
		set := cacheplan.FileSet{ID: "set"}
		var list []cacheplan.File
		for _, f := range files {
			list = append(list, cacheplan.File{Path: f, Digest: cacheplan.FileDigest{f[0]}, Mode: 0o100644})
		}
		set.SetFiles(list)
		p.Files = []cacheplan.FileSet{set}
		return p
	}
	r := record.Record{}.Add(record.Build{ID: "a", Plan: plan("a", "b")})
	for _, c := range []struct {
		of, project string
		files       []string
		want        int
	}{
		{"p", "p", []string{"x"}, 1},
		{"p", "q", []string{"a", "b"}, 0},
		{"p", "", []string{"a", "b"}, 0},
		{"", "", []string{"b", "c"}, 1},
		{"", "", []string{"x"}, 0},
		{"", "", nil, 1},
	} {
		tr := record.Travel{TravelHeader: record.TravelHeader{Project: c.of}, Record: r}
		if got := tr.Of(plan(c.files...), c.project); len(got.Builds) != c.want {
			t.Errorf("%+v: %d builds", c, len(got.Builds))
		}
	}
}

// Only what was exported with the record counts as built.
func TestTravelLedger(t *testing.T) {
	old := plantext.Parse(t, "app 1/2 RUN x\napp 2/2 RUN old\n")
	last := plantext.Parse(t, "app 1/2 RUN x\napp 2/2 RUN last\n  rule export=no 1\n")
	r := record.Record{}.Add(record.Build{ID: "old", Time: time.Unix(1, 0), Plan: old.Plan}).Add(record.Build{ID: "last", Time: time.Unix(2, 0), Plan: last.Plan})
	tr := record.Travel{TravelHeader: record.TravelHeader{Exported: []string{"last"}, Lacks: map[string][]int{"last": {0}}}, Record: r}
	keys := tr.Ledger()
	ledger := &keys.Exported
	olds, lasts := old.Plan.Keys(nil), last.Plan.Keys(nil)
	if got := ledger.Strong(olds[1]); got != record.Unseen {
		t.Errorf("not exported: %v", got)
	}
	if e, _ := ledger.Entry(lasts[0]); !e.Done || !e.First.Equal(time.Unix(1, 0)) {
		t.Errorf("exported: %+v", e)
	}
	if !keys.Lacks(lasts[0]) || !keys.Lacks(lasts[1]) || keys.IsOlder(lasts[0]) || !keys.IsOlder(olds[1]) {
		t.Errorf("%+v", keys)
	}
	if id, ok := tr.Find(last.Plan); !ok || id != "last" {
		t.Errorf("found %q", id)
	}
}
