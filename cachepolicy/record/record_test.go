package record_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/record"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

func recorded(t testing.TB, id string, unix int64, text string) record.Build {
	return record.Build{ID: id, Time: time.Unix(unix, 0).UTC(), Plan: plantext.Parse(t, text).Plan}
}

const recordPlan = `app 1/2 COPY . .
  files all
  env A=a 3
app 2/2 RUN x
  rule ttl=24h
  ttl 1d 7
set all .
  d v0 040755
  d/a v1 100644
  d/b %s 100755
set none y
  unknown
set large z
  many 5 v1
  large
`

func sampleRecord(t testing.TB) record.Record {
	var r record.Record
	for i := range 3 {
		r = r.Add(recorded(t, fmt.Sprint("b", i), int64(1000+i), fmt.Sprintf(recordPlan, fmt.Sprint("v", i))))
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]record.Record{"empty": {}, "sample": sampleRecord(t)} {
		data := r.Encode()
		got := record.Decode(data)
		if len(got.Builds) != len(r.Builds) {
			t.Fatalf("%s: %d builds, want %d", name, len(got.Builds), len(r.Builds))
		}
		if again := got.Encode(); !bytes.Equal(again, data) {
			t.Errorf("%s: the encoding is not stable", name)
		}
		for _, b := range got.Builds {
			for i := range b.Plan.Files {
				b.Plan.Files[i].SetSummed(b.Plan.Files[i].Files, "")
			}
		}
		if len(r.Builds) > 0 && !reflect.DeepEqual(got, r) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, r)
		}
	}
}

// Whatever happens to the bytes, there is no panic, and no record.
func TestDecodeRecordDamaged(t *testing.T) {
	good := sampleRecord(t).Encode()
	if len(record.Decode(good).Builds) != 3 {
		t.Fatal("the record itself does not decode")
	}
	damaged := map[string][]byte{"nil": nil, "empty": {}, "foreign": []byte("#!/bin/sh\necho a file of somebody else's\n"), "json": []byte(`{"version":1}`)}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x10
		damaged[fmt.Sprint("flipped ", i)] = flipped
		damaged[fmt.Sprint("cut ", i)] = good[:i]
	}
	future := bytes.Clone(good)
	future[len(record.Magic)]++
	damaged["future"] = seal(future)
	damaged["longer"] = append(bytes.Clone(good), 0)
	damaged["longer body"] = seal(append(bytes.Clone(good), 0))
	damaged["huge"] = make([]byte, record.MaxBytes+1)
	for name, data := range damaged {
		if r := record.Decode(data); len(r.Builds) != 0 {
			t.Errorf("%s: %d builds", name, len(r.Builds))
		}
	}
}

// Numbers that lead outside the tables are found even where the checksum fits.
func TestDecodeRecordWrongNumbers(t *testing.T) {
	good := sampleRecord(t).Encode()
	for i := len(record.Magic) + 1; i < len(good)-record.ChecksumBytes; i++ {
		for _, b := range []byte{0, 1, 2, 0x7f, 0x80, 0xff} {
			changed := bytes.Clone(good)
			changed[i] = b
			r := record.Decode(seal(changed))
			if len(r.Builds) > 0 {
				r.Past(r.Builds[0].Plan, nil)
			}
		}
	}
}

// seal puts the right checksum behind a changed record.
func seal(data []byte) []byte {
	body := data[:len(data)-record.ChecksumBytes]
	return append(bytes.Clone(body), record.Checksum(body)...)
}

func TestRecordBounded(t *testing.T) {
	var r record.Record
	for i := range 3 * record.MaxBuilds {
		r = r.Add(recorded(t, fmt.Sprint(i), int64(i), fmt.Sprintf(recordPlan, fmt.Sprint("v", i))))
	}
	if len(r.Builds) != record.MaxBuilds || r.Builds[0].ID != fmt.Sprint(3*record.MaxBuilds-1) {
		t.Errorf("%d builds, the first is %s", len(r.Builds), r.Builds[0].ID)
	}
	if got := record.Decode(r.Encode()); len(got.Builds) != record.MaxBuilds {
		t.Errorf("%d builds came back", len(got.Builds))
	}
	big := record.Record{}
	rng := rand.New(rand.NewSource(1))
	for i := range 3 {
		big = big.Add(randomBuild(rng, i, 150_000))
	}
	data := big.Encode()
	got := record.Decode(data)
	if len(data) > record.MaxBytes || len(got.Builds) != 1 || got.Builds[0].ID != "2" || len(got.Builds[0].Plan.Files[0].Files) == 0 {
		t.Errorf("%d bytes, %d builds; want the latest with its files", len(data), len(got.Builds))
	}
	big = record.Record{}.Add(randomBuild(rng, 0, 400_000))
	data = big.Encode()
	got = record.Decode(data)
	if len(data) > record.MaxBytes || len(got.Builds) != 1 || got.Builds[0].Plan.Files[0].Count != 400_000 {
		t.Errorf("%d bytes, %d builds; want one with a digest instead of files", len(data), len(got.Builds))
	}
	if len(big.Builds[0].Plan.Files[0].Files) != 400_000 {
		t.Error("the record itself was changed")
	}
	huge := randomBuild(rng, 0, 1)
	for i := range 20_000 {
		huge.Plan.Steps = append(huge.Plan.Steps, cacheplan.Step{Name: fmt.Sprint(strings.Repeat("x", 500), i)})
	}
	if data := (record.Record{Builds: []record.Build{huge}}).Encode(); len(data) > record.MaxBytes || len(record.Decode(data).Builds) != 0 {
		t.Errorf("%d bytes for a plan that cannot be kept", len(data))
	}
}

// randomBuild is a build with files that have nothing in common with others.
func randomBuild(rng *rand.Rand, n, files int) record.Build {
	set := cacheplan.FileSet{ID: "all", Patterns: []string{"."}, Known: true}
	for i := range files {
		f := cacheplan.File{Path: fmt.Sprintf("%09d-%d", i, rng.Int63()), Mode: 0o100644}
		rng.Read(f.Digest[:])
		set.Files = append(set.Files, f)
	}
	p := &cacheplan.Plan{Version: cacheplan.Version, Files: []cacheplan.FileSet{set}, Steps: []cacheplan.Step{{Name: "COPY", Inputs: []cachepolicy.Input{{Kind: cachepolicy.InputFiles, Files: "all"}}}}}
	return record.Build{ID: fmt.Sprint(n), Time: time.Unix(int64(n), 0), Plan: p}
}

func TestMerge(t *testing.T) {
	text := func(v string) string { return fmt.Sprintf(recordPlan, v) }
	base := record.Record{}.Add(recorded(t, "old", 1, text("v1")))
	a := base.Add(recorded(t, "a", 5, text("v2")))
	b := base.Add(recorded(t, "b", 5, text("v3")))
	ab, ba := record.Merge(a, b), record.Merge(b, a)
	if got := ids(ab); got != "a b old" || ids(ba) != got || !bytes.Equal(ab.Encode(), ba.Encode()) {
		t.Errorf("%q and %q", ids(ab), ids(ba))
	}
	// The same state again: one entry.
	if got := ids(a.Add(recorded(t, "again", 9, text("v1")))); got != "again a" {
		t.Errorf("%q", got)
	}
	if got := ids(record.Merge(record.Record{Builds: []record.Build{{ID: "no plan"}}}, a)); got != "a old" {
		t.Errorf("%q", got)
	}
}

func ids(r record.Record) string {
	var out []string
	for _, b := range r.Builds {
		out = append(out, b.ID)
	}
	return strings.Join(out, " ")
}

func TestRecordName(t *testing.T) {
	a := record.Name("Dockerfile", "app", "linux/amd64")
	if a != record.Name("Dockerfile", "app", "linux/amd64") || a == record.Name("Dockerfileapp", "", "linux/amd64") || len(a) != 32 {
		t.Errorf("%q", a)
	}
}

// No value of a secret-looking name is in the record.
func TestRecordHoldsNoSecret(t *testing.T) {
	b := recorded(t, "a", 1, "app 1/1 RUN x\n  arg NPM_TOKEN=hunter2 1\n  env DB=postgres://u:hunter2@h/ 2")
	if data := (record.Record{Builds: []record.Build{b}}).Encode(); bytes.Contains(data, []byte("hunter2")) {
		t.Error("the record holds the secret")
	}
}

func FuzzDecodeRecord(f *testing.F) {
	data := sampleRecord(f).Encode()
	f.Add(data[len(record.Magic)+1 : len(data)-record.ChecksumBytes])
	f.Add(record.EncodeBuilds(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := append([]byte(record.Magic), record.Version)
		whole = append(whole, body...)
		whole = append(whole, record.Checksum(whole)...)
		r := record.Decode(whole)
		if len(r.Builds) == 0 {
			return
		}
		p := r.Builds[0].Plan
		r.Past(p, nil)
		again := record.Merge(r, r).Encode()
		if got := record.Decode(again); len(again) > record.MaxBytes || len(got.Builds) == 0 {
			t.Fatalf("%d bytes, %d builds came back", len(again), len(got.Builds))
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	for _, files := range []int{1_000, 20_000} {
		var r record.Record
		for i := range record.MaxBuilds {
			build := plantext.Big(50, files, fmt.Sprint("v", i))
			r = r.Add(record.Build{ID: fmt.Sprint(i), Time: time.Unix(int64(i), 0), Plan: build.Plan})
		}
		data := r.Encode()
		b.Run(fmt.Sprintf("add-%d-files", files), func(b *testing.B) {
			kept := record.Decode(data)
			build := record.Build{ID: "new", Time: time.Unix(1000, 0), Plan: plantext.Big(50, files, "new").Plan}
			build.Plan.Files[0].SetFiles(build.Plan.Files[0].Files)
			for b.Loop() {
				kept.Add(build).Encode()
			}
			b.ReportMetric(float64(len(data)), "bytes")
		})
		b.Run(fmt.Sprintf("decode-%d-files", files), func(b *testing.B) {
			for b.Loop() {
				record.Decode(data)
			}
		})
	}
}

// TestPastOfOtherProjects leaves out builds that have little in common with a plan.
func TestPastOfOtherProjects(t *testing.T) {
	r := record.Record{}
	for i, text := range []string{
		"app 1/3 FROM\n base busybox sha256:1\napp 2/3 COPY a .\napp 3/3 RUN make\n",
		"app 1/3 FROM\n base debian sha256:2\napp 2/3 COPY . .\napp 3/3 RUN npm ci\n",
		"app 1/3 FROM\n base busybox sha256:1\napp 2/3 COPY b .\napp 3/3 RUN other\n",
	} {
		r = r.Add(record.Build{ID: strconv.Itoa(i), Time: time.Unix(int64(i), 0), Plan: plantext.Parse(t, text).Plan})
	}
	plan := plantext.Parse(t, "app 1/4 FROM\n base busybox sha256:1\napp 2/4 COPY a .\napp 3/4 RUN make\napp 4/4 RUN test\n").Plan
	past := r.Past(plan, nil)
	if len(past) != 1 || past[0].Plan.Steps[1].Text() != "COPY a ." {
		t.Errorf("compared with %d builds, want the first alone", len(past))
	}
	one := record.Record{}.Add(record.Build{ID: "one", Plan: plantext.Parse(t, "app 1/2 FROM\n base one sha256:1\napp 2/2 RUN make\n").Plan})
	if past := one.Past(plantext.Parse(t, "app 1/2 FROM\n base two sha256:2\napp 2/2 RUN make\n").Plan, nil); len(past) > 0 {
		t.Error("a single instruction in common, and no file, makes a project")
	}
	context := func(image string) *cacheplan.Plan {
		p := plantext.Parse(t, "app 1/2 FROM\n base "+image+"\napp 2/2 RUN make\n").Plan
		p.Steps[0].Inputs[0].Origin = cachepolicy.Origin{Kind: cachepolicy.OriginContext, Name: "img"}
		return p
	}
	moved := record.Record{}.Add(record.Build{ID: "moved", Plan: context("one sha256:1")})
	if past := moved.Past(context("two sha256:2"), nil); len(past) != 1 {
		t.Error("another image as a build context makes another project")
	}
}

// A record has a build only if all that can be seen of it is the same.
func TestRecordHas(t *testing.T) {
	const plan = "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\n  env A=a 3\nset a .\n  x %s 100644"
	build := func(text string) record.Build {
		b := recorded(t, "b", 1, text)
		b.Plan.Given = "all the same"
		return b
	}
	r := record.Decode(record.Record{}.Add(build(fmt.Sprintf(plan, "v1"))).Encode())
	for _, c := range []struct {
		text string
		want bool
	}{
		{fmt.Sprintf(plan, "v1"), true},
		{fmt.Sprintf(plan, "v2"), false},
		{strings.Replace(fmt.Sprintf(plan, "v1"), "A=a 3", "A=a 4", 1), false},
		{strings.Replace(fmt.Sprintf(plan, "v1"), "A=a", "A=b", 1), false},
		{strings.Replace(fmt.Sprintf(plan, "v1"), "RUN b", "RUN c", 1), false},
	} {
		if got := r.Has(build(c.text).Plan); got != c.want {
			t.Errorf("%v, want %v:\n%s", got, c.want, c.text)
		}
	}
	for what, change := range map[string]func(*cacheplan.Plan){
		"platform": func(p *cacheplan.Plan) { p.Platform = "linux/s390x" },
		"target":   func(p *cacheplan.Plan) { p.Target = "other" },
		"file":     func(p *cacheplan.Plan) { p.Dockerfile = "other.Dockerfile" },
		"rest":     func(p *cacheplan.Plan) { p.Given = "something else" },
		"unknown":  func(p *cacheplan.Plan) { p.Given = "" },
	} {
		other := *build(fmt.Sprintf(plan, "v1")).Plan
		change(&other)
		if r.Has(&other) {
			t.Errorf("a build of another %s is there", what)
		}
	}
	p := build(fmt.Sprintf(plan, "v1")).Plan
	part := *p
	part.Files = []cacheplan.FileSet{p.Files[0]}
	part.Files[0].Known = false
	if r.Has(&part) {
		t.Error("a build of which not all is known is there")
	}
}

// Digests with another key tell nothing of a withheld value, and all else can be compared.
func TestPastOfAnotherKey(t *testing.T) {
	b := recorded(t, "a", 1, "app 1/2 COPY a .\n  arg V=1 1\napp 2/2 RUN b\n  arg NPM_TOKEN=x 2\n")
	b.Plan.SecretKey = "first"
	p := plantext.Parse(t, "app 1/2 COPY a .\n  arg V=2 1\napp 2/2 RUN b\n  arg NPM_TOKEN=x 2\n").Plan
	p.SecretKey = "second"
	past := record.Record{}.Add(b).Past(p, nil)
	if len(past) != 1 {
		t.Fatalf("%d builds", len(past))
	}
	for _, s := range past[0].Plan.Steps {
		for _, in := range s.Inputs {
			if in.Unresolved != in.Secret {
				t.Errorf("%+v", in)
			}
		}
	}
}

// Builds of one second keep their order.
func TestRecordOrder(t *testing.T) {
	r := record.Record{}.Add(recorded(t, "a", 1, "app 1/1 RUN a"))
	b := recorded(t, "b", 1, "app 1/1 RUN b")
	b.Time = b.Time.Add(time.Microsecond)
	if got := ids(record.Decode(r.Add(b).Encode())); got != "b a" {
		t.Errorf("%q", got)
	}
}
