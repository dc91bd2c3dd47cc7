package cachepolicy

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

func recorded(t testing.TB, id string, unix int64, text string) RecordedBuild {
	b := RecordedBuild{ID: id, Time: time.Unix(unix, 0).UTC(), PastBuild: parsePlan(t, text)}
	b.Results = nil
	return b
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

func sampleRecord(t testing.TB) Record {
	var r Record
	for i := range 3 {
		r = r.Add(recorded(t, fmt.Sprint("b", i), int64(1000+i), fmt.Sprintf(recordPlan, fmt.Sprint("v", i))))
	}
	return r.SetResults("b1", []Result{{Outcome: OutcomeDone, Seconds: 1.5}, {Outcome: OutcomeFailed}})
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]Record{"empty": {}, "sample": sampleRecord(t)} {
		data := r.Encode()
		got := DecodeRecord(data)
		if len(got.Builds) != len(r.Builds) {
			t.Fatalf("%s: %d builds, want %d", name, len(got.Builds), len(r.Builds))
		}
		if again := got.Encode(); !bytes.Equal(again, data) {
			t.Errorf("%s: the encoding is not stable", name)
		}
		for i := range got.Builds {
			for j := range got.Builds[i].Plan.Files {
				got.Builds[i].Plan.Files[j].total = ""
			}
		}
		if len(r.Builds) > 0 && !reflect.DeepEqual(got, r) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, r)
		}
	}
}

// What a decoded record predicts is what the record itself does.
func TestRecordPredicts(t *testing.T) {
	r := sampleRecord(t)
	back := DecodeRecord(r.Encode())
	for _, content := range []string{"v0", "v1", "v9"} {
		p := parsePlan(t, fmt.Sprintf(recordPlan, content)).Plan
		want, got := predictions(p, Predict(p, r.Past(p))), predictions(p, Predict(p, back.Past(p)))
		if got != want {
			t.Errorf("%s: got\n%swant\n%s", content, got, want)
		}
		if hit := strings.HasPrefix(want, "hit"); hit == (content == "v9") {
			t.Errorf("%s: the prediction itself is wrong:\n%s", content, want)
		}
	}
}

// Whatever happens to the bytes, there is no panic, and no record.
func TestDecodeRecordDamaged(t *testing.T) {
	good := sampleRecord(t).Encode()
	if len(DecodeRecord(good).Builds) != 3 {
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
	future[len(recordMagic)]++
	damaged["future"] = seal(future)
	damaged["longer"] = append(bytes.Clone(good), 0)
	damaged["longer body"] = seal(append(bytes.Clone(good), 0))
	damaged["huge"] = make([]byte, MaxRecordBytes+1)
	for name, data := range damaged {
		if r := DecodeRecord(data); len(r.Builds) != 0 {
			t.Errorf("%s: %d builds", name, len(r.Builds))
		}
	}
}

// Numbers that lead outside the tables are found even where the checksum fits.
func TestDecodeRecordWrongNumbers(t *testing.T) {
	good := sampleRecord(t).Encode()
	for i := len(recordMagic) + 1; i < len(good)-checksumBytes; i++ {
		for _, b := range []byte{0, 1, 2, 0x7f, 0x80, 0xff} {
			changed := bytes.Clone(good)
			changed[i] = b
			r := DecodeRecord(seal(changed))
			if len(r.Builds) > 0 {
				Predict(r.Builds[0].Plan, r.Past(r.Builds[0].Plan))
			}
		}
	}
}

// seal puts the right checksum behind a changed record.
func seal(data []byte) []byte {
	body := data[:len(data)-checksumBytes]
	return append(bytes.Clone(body), checksum(body)...)
}

func TestRecordBounded(t *testing.T) {
	var r Record
	for i := range 3 * MaxRecordBuilds {
		r = r.Add(recorded(t, fmt.Sprint(i), int64(i), fmt.Sprintf(recordPlan, fmt.Sprint("v", i))))
	}
	if len(r.Builds) != MaxRecordBuilds || r.Builds[0].ID != fmt.Sprint(3*MaxRecordBuilds-1) {
		t.Errorf("%d builds, the first is %s", len(r.Builds), r.Builds[0].ID)
	}
	if got := DecodeRecord(r.Encode()); len(got.Builds) != MaxRecordBuilds {
		t.Errorf("%d builds came back", len(got.Builds))
	}
	big := Record{}
	rng := rand.New(rand.NewSource(1))
	for i := range 3 {
		big = big.Add(randomBuild(rng, i, 150_000))
	}
	data := big.Encode()
	got := DecodeRecord(data)
	if len(data) > MaxRecordBytes || len(got.Builds) != 1 || got.Builds[0].ID != "2" || len(got.Builds[0].Plan.Files[0].Files) == 0 {
		t.Errorf("%d bytes, %d builds; want the latest with its files", len(data), len(got.Builds))
	}
	big = Record{}.Add(randomBuild(rng, 0, 400_000))
	data = big.Encode()
	got = DecodeRecord(data)
	if len(data) > MaxRecordBytes || len(got.Builds) != 1 || got.Builds[0].Plan.Files[0].Count != 400_000 {
		t.Errorf("%d bytes, %d builds; want one with a digest instead of files", len(data), len(got.Builds))
	}
	if len(big.Builds[0].Plan.Files[0].Files) != 400_000 {
		t.Error("the record itself was changed")
	}
	huge := randomBuild(rng, 0, 1)
	for i := range 20_000 {
		huge.Plan.Steps = append(huge.Plan.Steps, Step{Name: fmt.Sprint(strings.Repeat("x", 500), i)})
	}
	if data := (Record{Builds: []RecordedBuild{huge}}).Encode(); len(data) > MaxRecordBytes || len(DecodeRecord(data).Builds) != 0 {
		t.Errorf("%d bytes for a plan that cannot be kept", len(data))
	}
}

// randomBuild is a build with files that have nothing in common with others.
func randomBuild(rng *rand.Rand, n, files int) RecordedBuild {
	set := FileSet{ID: "all", Patterns: []string{"."}, Known: true}
	for i := range files {
		f := File{Path: fmt.Sprintf("%09d-%d", i, rng.Int63()), Mode: 0o100644}
		rng.Read(f.Digest[:])
		set.Files = append(set.Files, f)
	}
	p := &Plan{Version: PlanVersion, Files: []FileSet{set}, Steps: []Step{{Name: "COPY", Inputs: []Input{{Kind: InputFiles, Files: "all"}}}}}
	return RecordedBuild{ID: fmt.Sprint(n), Time: time.Unix(int64(n), 0), PastBuild: PastBuild{Plan: p}}
}

func TestMerge(t *testing.T) {
	text := func(v string) string { return fmt.Sprintf(recordPlan, v) }
	base := Record{}.Add(recorded(t, "old", 1, text("v1")))
	a := base.Add(recorded(t, "a", 5, text("v2")))
	b := base.Add(recorded(t, "b", 5, text("v3")))
	ab, ba := Merge(a, b), Merge(b, a)
	if got := ids(ab); got != "a b old" || ids(ba) != got || !bytes.Equal(ab.Encode(), ba.Encode()) {
		t.Errorf("%q and %q", ids(ab), ids(ba))
	}
	results := []Result{{Outcome: OutcomeDone, Seconds: 7}, {Outcome: OutcomeFailed, Seconds: 9}}
	if m := Merge(a, b.SetResults("old", results)); m.Builds[2].Results == nil {
		t.Error("the results of a build got lost")
	}
	// The same state again: one entry, the durations kept, the failure forgotten.
	again := a.SetResults("old", results).Add(recorded(t, "again", 9, text("v1")))
	if got := ids(again); got != "again a" {
		t.Errorf("%q", got)
	}
	if got, want := again.Builds[0].Results, []Result{{Seconds: 7}, {Seconds: 9}}; !reflect.DeepEqual(got, want) {
		t.Errorf("results %v, want %v", got, want)
	}
	if got := again.SetResults("again", results[:1]); !reflect.DeepEqual(got, again) {
		t.Error("results of another number of steps were taken")
	}
	if got := again.SetResults("again", []Result{{Outcome: OutcomeDone}, {Outcome: OutcomeDone, Seconds: 1}}).Builds[0].Results; got[0].Seconds != 7 || got[1].Seconds != 1 {
		t.Errorf("durations %v", got)
	}
	if got := ids(Merge(Record{Builds: []RecordedBuild{{ID: "no plan"}}}, a)); got != "a old" {
		t.Errorf("%q", got)
	}
}

func ids(r Record) string {
	var out []string
	for _, b := range r.Builds {
		out = append(out, b.ID)
	}
	return strings.Join(out, " ")
}

func TestRecordName(t *testing.T) {
	a := RecordName("Dockerfile", "app", "linux/amd64")
	if a != RecordName("Dockerfile", "app", "linux/amd64") || a == RecordName("Dockerfileapp", "", "linux/amd64") || len(a) != 32 {
		t.Errorf("%q", a)
	}
}

// No value of a secret-looking name is in the record.
func TestRecordHoldsNoSecret(t *testing.T) {
	b := recorded(t, "a", 1, "app 1/1 RUN x\n  arg NPM_TOKEN=hunter2 1\n  env DB=postgres://u:hunter2@h/ 2")
	if data := (Record{Builds: []RecordedBuild{b}}).Encode(); bytes.Contains(data, []byte("hunter2")) {
		t.Error("the record holds the secret")
	}
}

// Values that are not UTF-8 stay different from each other.
func TestRecordOddBytes(t *testing.T) {
	build := func(value string) RecordedBuild {
		p := &Plan{Version: PlanVersion, Steps: []Step{{Inputs: []Input{NewInput(InputEnv, "A", value, Origin{})}}}}
		return RecordedBuild{ID: value, PastBuild: PastBuild{Plan: p}}
	}
	back := DecodeRecord(Record{Builds: []RecordedBuild{build("a\xff")}}.Encode())
	for value, want := range map[string]State{"a\xff": StateHit, "a\xfe": StateReRun, "a\ufffd": StateReRun, "a": StateReRun} {
		if got := Predict(build(value).Plan, back.Past(build(value).Plan))[0].State; got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	data := sampleRecord(f).Encode()
	f.Add(data[len(recordMagic)+1 : len(data)-checksumBytes])
	f.Add(encodeBuilds(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := append([]byte(recordMagic), recordVersion)
		whole = append(whole, body...)
		whole = append(whole, checksum(whole)...)
		r := DecodeRecord(whole)
		if len(r.Builds) == 0 {
			return
		}
		p := r.Builds[0].Plan
		checkTable(t, Table(p, Predict(p, r.Past(p))))
		again := Merge(r, r).Encode()
		if got := DecodeRecord(again); len(again) > MaxRecordBytes || len(got.Builds) == 0 {
			t.Fatalf("%d bytes, %d builds came back", len(again), len(got.Builds))
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	for _, files := range []int{1_000, 20_000} {
		var r Record
		for i := range MaxRecordBuilds {
			build := bigBuild(50, files, fmt.Sprint("v", i))
			r = r.Add(RecordedBuild{ID: fmt.Sprint(i), Time: time.Unix(int64(i), 0), PastBuild: build})
		}
		data := r.Encode()
		b.Run(fmt.Sprintf("add-%d-files", files), func(b *testing.B) {
			kept := DecodeRecord(data)
			build := RecordedBuild{ID: "new", Time: time.Unix(1000, 0), PastBuild: bigBuild(50, files, "new")}
			build.Plan.Files[0].SetFiles(build.Plan.Files[0].Files)
			for b.Loop() {
				kept.Add(build).Encode()
			}
			b.ReportMetric(float64(len(data)), "bytes")
		})
		b.Run(fmt.Sprintf("decode-%d-files", files), func(b *testing.B) {
			for b.Loop() {
				DecodeRecord(data)
			}
		})
		plan := bigBuild(50, files, "new").Plan
		past := DecodeRecord(data).Past(plan)
		b.Run(fmt.Sprintf("predict-%d-files", files), func(b *testing.B) {
			for b.Loop() {
				Predict(plan, past)
			}
		})
	}
}

// TestPastOfOtherProjects leaves out builds that have little in common with a plan.
func TestPastOfOtherProjects(t *testing.T) {
	record := Record{}
	for i, text := range []string{
		"app 1/3 FROM\n base busybox sha256:1\napp 2/3 COPY a .\napp 3/3 RUN make\n",
		"app 1/3 FROM\n base debian sha256:2\napp 2/3 COPY . .\napp 3/3 RUN npm ci\n",
		"app 1/3 FROM\n base busybox sha256:1\napp 2/3 COPY b .\napp 3/3 RUN other\n",
	} {
		record = record.Add(RecordedBuild{ID: strconv.Itoa(i), Time: time.Unix(int64(i), 0), PastBuild: parsePlan(t, text)})
	}
	plan := parsePlan(t, "app 1/4 FROM\n base busybox sha256:1\napp 2/4 COPY a .\napp 3/4 RUN make\napp 4/4 RUN test\n").Plan
	past := record.Past(plan)
	if len(past) != 1 || past[0].Plan.Steps[1].text() != "COPY a ." {
		t.Errorf("compared with %d builds, want the first alone", len(past))
	}
}

// A record has a build only if all that can be seen of it is the same.
func TestRecordHas(t *testing.T) {
	const plan = "app 1/2 COPY . .\n  files a\napp 2/2 RUN b\n  env A=a 3\nset a .\n  x %s 100644"
	build := func(text string) RecordedBuild { return recorded(t, "b", 1, text) }
	r := DecodeRecord(Record{}.Add(build(fmt.Sprintf(plan, "v1"))).Encode())
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
	p := build(fmt.Sprintf(plan, "v1")).Plan
	for _, leaveOut := range []func(*FileSet){
		func(s *FileSet) { s.Exclude = []string{"x"} },
		func(s *FileSet) { s.IgnoreModes = true },
		func(s *FileSet) { s.Patterns = []string{"*.go"} },
		func(s *FileSet) { s.Known = false },
	} {
		part := *p
		part.Files = []FileSet{p.Files[0]}
		leaveOut(&part.Files[0])
		if r.Has(&part) {
			t.Errorf("a build of which not all is known is there: %+v", part.Files[0])
		}
	}
}
