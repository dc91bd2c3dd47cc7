package cachepolicy

import (
	"slices"
	"strings"
	"testing"
)

// twoStages is a build of five numbered steps and one without a number.
var twoStages = []StepID{
	{Stage: "install", StageIndex: 0, Number: 1, Total: 3, Line: 2, EndLine: 2, Instruction: "FROM"},
	{Stage: "install", StageIndex: 0, Number: 2, Total: 3, Line: 4, EndLine: 6, Instruction: "RUN"},
	{Stage: "install", StageIndex: 0, Number: 3, Total: 3, Line: 7, EndLine: 7, Instruction: "COPY"},
	{Stage: "stage-1", StageIndex: 1, Number: 1, Total: 2, Line: 10, EndLine: 10, Instruction: "RUN"},
	{Stage: "stage-1", StageIndex: 1, Number: 2, Total: 2, Line: 11, EndLine: 11, Instruction: "RUN"},
	{Stage: "test-x", StageIndex: 2, Line: 14, EndLine: 14, Instruction: "FROM"},
}

func TestSelectorMatches(t *testing.T) {
	for text, want := range map[string]string{
		"install":     "install/1 install/2 install/3",
		"INSTALL":     "install/1 install/2 install/3",
		"install/*":   "install/1 install/2 install/3",
		"install/2":   "install/2",
		"stage-1/2":   "stage-1/2",
		"*/2":         "install/2 stage-1/2",
		"*":           "install/1 install/2 install/3 stage-1/1 stage-1/2 @14",
		"st?ge-[0-9]": "stage-1/1 stage-1/2",
		"test-*":      "@14",
		"test-*/*":    "@14",
		"@5":          "install/2",
		"@4":          "install/2",
		"@6":          "install/2",
		"@3":          "",
		"@14":         "@14",
		"install/4":   "",
		"inst":        "",
		"stage":       "",
	} {
		s, err := ParseSelector(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, id := range twoStages {
			if s.Matches(id) {
				got = append(got, id.String())
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s picks %q, want %q", text, g, want)
		}
	}
}

func TestSelectorErrors(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty selector", "@": "not a line number", "@0": "not a line number", "@-1": "not a line number", "@x": "not a line number",
		"a/": "not the number of a step", "a/0": "not the number of a step", "a/b": "not the number of a step", "a/1/2": "not the number of a step",
		"/1": "not a stage's name", "a[": "not a stage's name", "a b": "not a stage's name", "a/99999999999": "not the number of a step", "a/+1": "not the number of a step",
	} {
		if _, err := ParseSelector(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSelector(%q): %v, want %q", text, err, want)
		}
	}
}

func TestParseNoCacheFilter(t *testing.T) {
	names, selectors, err := ParseNoCacheFilter([]string{"install", "test-*", "a b", "app/2", "@7", "", "0"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"install", "a b", "", "0"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	var texts []string
	for _, s := range selectors {
		texts = append(texts, s.String())
	}
	if want := []string{"test-*", "app/2", "@7"}; !slices.Equal(texts, want) {
		t.Errorf("selectors %q, want %q", texts, want)
	}
	if _, _, err := ParseNoCacheFilter([]string{"app/x"}); err == nil {
		t.Error("app/x was taken")
	}
}

func TestUnmatched(t *testing.T) {
	var selectors []Selector
	for _, text := range []string{"install", "instal/2", "stage-1/3", "@100", "nothing-*"} {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		selectors = append(selectors, s)
	}
	const there = "there is install/1 to install/3, stage-1/1 to stage-1/2, test-x"
	want := []string{
		"selector instal/2 matches no step (did you mean install/2?); " + there,
		"selector stage-1/3 matches no step (did you mean stage-1/1?); " + there,
		"selector @100 matches no step (did you mean @14?); " + there,
		"selector nothing-* matches no step; " + there,
	}
	if got := Unmatched(selectors, twoStages); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := Unmatched(selectors[:1], nil); len(got) != 1 || !strings.HasSuffix(got[0], "there is no step") {
		t.Errorf("no steps: %q", got)
	}
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{"app", "test-*", "app/2", "app/*", "@14", "a[b-d]?/3", `a\*`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			return
		}
		for _, id := range twoStages {
			s.Matches(id)
		}
		if again, err := ParseSelector(s.String()); err != nil || again != s {
			t.Fatalf("%q reads back as %v, %v", s, again, err)
		}
	})
}
