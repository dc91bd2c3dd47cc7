package explain

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/internal/plantext"
)

// TestReasonOn writes the step that a reason is about in JSON: the first one is one
// too, and where there is none nothing stands there.
func TestReasonOn(t *testing.T) {
	from := plantext.Parse(t, "app 1/2 RUN a\napp 2/2 RUN b").Plan
	to := plantext.Parse(t, "app 1/2 RUN aa\napp 2/2 RUN b").Plan
	var got []string
	for _, r := range Compare(from, to) {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		_, on, _ := strings.Cut(string(data), `"on":`)
		got = append(got, string(r.Kind)+" "+on)
	}
	if want := `command-changed |follows 0,"onName":"1/2"}`; strings.Join(got, "|") != want {
		t.Errorf("%s, want %s", strings.Join(got, "|"), want)
	}
}

// TestReasonNames says reasons about names of all kinds: none reads like another
// reason, and none writes to the terminal.
func TestReasonNames(t *testing.T) {
	for _, c := range []struct {
		reason Reason
		want   string
	}{
		{Reason{Kind: ReasonFileChanged, Change: Changed, Name: "src/a.js"}, "src/a.js changed"},
		{Reason{Kind: ReasonFileChanged, Change: Changed, Name: "x, removed, base moved"}, `"x, removed, base moved" changed`},
		{Reason{Kind: ReasonFileAdded, Change: Added, Name: "a changed"}, `"a changed" added`},
		{Reason{Kind: ReasonFileRemoved, Change: Removed, Name: "a\x1b[31m"}, `"a\x1b[31m" removed`},
		{Reason{Kind: ReasonFileMode, Change: Changed, Name: "my file", Old: "644", New: "755"}, `"my file" mode 644 → 755`},
		{Reason{Kind: ReasonArg, Change: Changed, Name: "V", Old: "1", New: "2, x removed", Line: 5}, `ARG V 1 → "2, x removed" (line 5)`},
		{Reason{Kind: ReasonArg, Change: Changed, Name: "V", New: "2"}, `ARG V "" → 2`},
		{Reason{Kind: ReasonEnv, Change: Added, Name: "A,B"}, `ENV "A,B" added`},
		{Reason{Kind: ReasonSource, Change: Changed, Name: "https://e.org/a,b changed", Old: "sha256:1", New: "sha256:2"}, `"https://e.org/a,b changed" moved 1 → 2`},
		{Reason{Kind: ReasonBase, Change: Added, Old: "a:1", New: "b, c"}, `base image a:1 → "b, c"`},
		{Reason{Kind: ReasonSetting, Change: Changed, Name: inputTitle(&cachepolicy.Input{Kind: cachepolicy.InputMount, Name: "/c, removed"})}, `mount "/c, removed" changed`},
		{Reason{Kind: ReasonSetting, Change: Changed, Name: "user", Old: "a b", New: "c"}, `user changed "a b" → c`},
		{Reason{Kind: ReasonOrder, Old: "RUN a\x07"}, `no longer after RUN a\a`},
		{Reason{Kind: ReasonUnresolved, Name: "a b"}, `"a b" is not known`},
	} {
		if got := c.reason.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	bad := fileChanges{}
	bad.compare([]cacheplan.File{{Path: "bad\xfe", Mode: 0o100644}}, []cacheplan.File{{Path: "bad\xff", Mode: 0o100644}}, false)
	if got, want := Text(bad.reasons()), `"bad\xff" added, "bad\xfe" removed`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
