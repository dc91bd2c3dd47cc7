package cachepolicy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var runFacts = Facts{ID: twoStages[1], Identity: []byte("install\nRUN x"), DeclaredArgs: []string{"A", "B", "APP_ENV"}}

func testBuild(t testing.TB) Build {
	return Build{Now: at(t, "2026-05-17T13:00:00Z"), Nonce: "n1", Args: map[string]string{"V": "1 2", "EMPTY": "", "TOKEN": "hunter2"}, SecretKey: []byte("k")}
}

func TestDecideSalt(t *testing.T) {
	for rule, want := range map[string]string{
		"":                         "",
		"export=no;args=none":      "",
		"base=content":             "",
		"key=https://e.org,file:a": "",
		"off":                      "cachewright/1 off=n1",
		"ttl=24h":                  "cachewright/1 ttl=1d window=20590",
		"ttl=1d":                   "cachewright/1 ttl=1d window=20590",
		"ttl=daily":                "cachewright/1 ttl=daily window=20590",
		"ttl=weekly@mon":           "cachewright/1 ttl=weekly window=2941",
		"ttl=monthly":              "cachewright/1 ttl=monthly window=24316",
		"key=text:b%2C%25,text:a":  "cachewright/1 text:a text:b%2C%25",
		"key=arg:NONE":             "cachewright/1 arg:NONE=unset",
		"key=arg:EMPTY":            "cachewright/1 arg:EMPTY=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"ttl=daily;key=text:a":     "cachewright/1 ttl=daily window=20590 text:a",
		"key=text:a;ttl=daily":     "cachewright/1 ttl=daily window=20590 text:a",
		"key=text:a%20ttl%3Ddaily": "cachewright/1 text:a%20ttl=daily",
	} {
		d, err := Decide(mustRule(t, rule, 3), runFacts, testBuild(t))
		if err != nil || d.Salt() != want {
			t.Errorf("%q: salt %q, %v, want %q", rule, d.Salt(), err, want)
		}
	}
}

func TestDecideEffects(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{"", "args=all"},
		{"off", "args=all noexport off"},
		{"export=no", "args=all noexport"},
		{"base=content", "args=all content"},
		{"args=none", "args=none"},
		{"args=B,A", "args=A,B"},
		{"modes=ignore", "args=all modes"},
		{"key=text:x,https://z.org,file:b,file:a,https://a.org,image://i,a@b:c", "args=all keys=[file:a file:b a@b:c https://a.org https://z.org image://i]"},
	} {
		f := runFacts
		f.LocalCopy = true
		d, err := Decide(mustRule(t, tt.rule, 3), f, testBuild(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(d); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func describe(d Decision) string {
	parts := []string{"args=all"}
	if d.Args != nil {
		parts[0] = "args=" + d.Args.String()
	}
	for _, p := range []struct {
		name string
		set  bool
	}{
		{"content", d.ContentBase}, {"noexport", d.NoExport}, {"modes", d.IgnoreModes}, {"off", d.Off},
		{fmt.Sprintf("keys=%v", outside(d)), len(outside(d)) > 0},
	} {
		if p.set {
			parts = append(parts, p.name)
		}
	}
	return strings.Join(parts, " ")
}

func TestDecideErrors(t *testing.T) {
	stage := mustRule(t, "args=A,C", 2)
	for _, tt := range []struct {
		name string
		rule Rule
		want string
	}{
		{"undeclared", mustRule(t, "args=A,AP_ENV", 3), "cache rule on line 3: option args: ARG AP_ENV is not declared above this step; declare it there or leave it out (did you mean APP_ENV?)"},
		{"undeclared in the stage's rule", Rule{}.Inherit(stage, "RUN"), ""},
		{"modes without local files", mustRule(t, "modes=ignore", 3), "cache rule on line 3: option modes: this RUN takes no file of the build context"},
		{"modes by an override for one step", mustOverrides(t, "a/2: modes=ignore").Apply(StepID{Stage: "a", Number: 2, Instruction: "COPY"}, Rule{}), "build argument CACHEWRIGHT_RULES: option modes: this RUN takes no file"},
		{"args by an override for one line", mustOverrides(t, "@5: args=X").Apply(runFacts.ID, Rule{}), "build argument CACHEWRIGHT_RULES: option args: ARG X is not declared above this step"},
		{"args by a broad override", mustOverrides(t, "install: args=X").Apply(runFacts.ID, Rule{}), ""},
		{"modes by a broad override", mustOverrides(t, "*: modes=ignore").Apply(StepID{Stage: "a", Instruction: "COPY"}, Rule{}), ""},
	} {
		_, err := Decide(tt.rule, runFacts, testBuild(t))
		if got := errText(err); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	d, err := Decide(Rule{}.Inherit(stage, "RUN"), runFacts, testBuild(t))
	if err != nil || d.Args.String() != "A" {
		t.Errorf("stage default: %v, %v, want what is declared so far", d.Args, err)
	}
	s, _ := Rule{}.Inherit(stage, "RUN").Get(OptionArgs)
	if err := s.args.Check([]string{"A", "B"}, s.Origin); err == nil || !strings.Contains(err.Error(), "line 2: option args: ARG C is not declared in this stage") {
		t.Errorf("stage default: %v", err)
	}
	if _, err := Decide(mustRule(t, "off", 3), runFacts, Build{}); err == nil {
		t.Error("off without a nonce was taken")
	}
}

// What the plan tells of a rule: one input for each thing, and no secret value.
func TestDecideInputs(t *testing.T) {
	d, err := Decide(mustRule(t, "ttl=24h;key=text:x,arg:V,arg:TOKEN,arg:NONE,file:a", 3), runFacts, testBuild(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range d.Inputs() {
		s := fmt.Sprintf("%s %s %s", in.Kind, in.Name, in.Value)
		if in.Secret {
			s += in.Digest
		}
		if in.Unresolved {
			s += "?"
		}
		got = append(got, s)
		if in.Origin.Line != 3 {
			t.Errorf("%s is from %v", s, in.Origin)
		}
	}
	want := []string{
		"ttl 1d window 20590, until 2026-05-17 15:42:14 UTC",
		"key-arg NONE not given",
		"key-arg TOKEN hmac-sha256:841499815bbfd4e336c4208ac3b1068d",
		`key-arg V 1 2`,
		"file a ?",
		"text text x",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(fmt.Sprint(d), "hunter2") {
		t.Errorf("the decision holds the secret: %v", d)
	}
}

func TestOffFollowsTheBuild(t *testing.T) {
	b1, b2 := testBuild(t), testBuild(t)
	b2.Nonce = "n2"
	r := mustRule(t, "off", 3)
	other := runFacts
	other.Identity = []byte("another platform")
	first, _ := Decide(r, runFacts, b1)
	same, _ := Decide(r, other, b1)
	next, _ := Decide(r, runFacts, b2)
	if first.Salt() != same.Salt() || first.Salt() == next.Salt() {
		t.Errorf("salts %q, %q and in the next build %q", first.Salt(), same.Salt(), next.Salt())
	}
}

// outside are the sources of a decision that have to be looked at.
func outside(d Decision) []Source {
	var out []Source
	for i := range d.Keys {
		if d.Keys[i].Outside() {
			out = append(out, d.Keys[i].Source)
		}
	}
	return out
}

// TestSaltScheme renders the salt of every combination of options, with sources
// whose digest is known and not: each salt begins with the scheme, and its words
// stand one blank apart.
func TestSaltScheme(t *testing.T) {
	parts := []string{
		"off", "ttl=daily", "args=none", "base=content", "export=no", "modes=ignore",
		"key=text:a", "key=arg:V", "key=file:a", "key=https://e.org", "key=image://i", "key=a@b:c",
	}
	salted := 0
	for set := range 1 << len(parts) {
		var options, keys []string
		for i, p := range parts {
			if set&(1<<i) == 0 {
				continue
			}
			if src, ok := strings.CutPrefix(p, "key="); ok {
				keys = append(keys, src)
			} else {
				options = append(options, p)
			}
		}
		if len(keys) > 0 {
			options = append(options, "key="+strings.Join(keys, ","))
		}
		r, err := readRule(strings.Join(options, ";"), Origin{Kind: OriginRule, Line: 3})
		if err != nil {
			continue // off beside what it makes pointless
		}
		for variant := range 4 {
			f := runFacts
			f.LocalCopy, f.NoCache = true, variant&1 != 0
			d, err := Decide(r, f, testBuild(t))
			if err != nil {
				t.Fatal(err)
			}
			for i := range d.Keys {
				if variant&2 != 0 && d.Keys[i].Outside() {
					d.Keys[i].Digest = "sha256:1"
				}
			}
			salt := d.Salt()
			if salt == "" {
				continue
			}
			salted++
			if !strings.HasPrefix(salt, saltScheme+" ") || slices.Contains(strings.Split(salt, " "), "") {
				t.Fatalf("%q: salt %q", r, salt)
			}
		}
	}
	if salted < 1000 {
		t.Errorf("only %d combinations have a salt", salted)
	}
}
