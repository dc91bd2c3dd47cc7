package report

import (
	"errors"
	"fmt"

	"github.com/cachewright/cachewright/cachepolicy/advice"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// advise prints suggestions with their patches. All of it can be given to git apply,
// which leaves out what is no patch.
func advise(r *Report) (*Answer, error) {
	if r.Advice == nil {
		return nil, errors.New("there is no advice here: this builder does not run steps of the frontend's own image, and so keeps no log")
	}
	return &Answer{Text: r.advice(), Value: Document{Version: DocumentVersion, Frontend: r.Frontend, Advice: r.Advice}}, nil
}

func (r *Report) advice() string {
	a := r.Advice
	t := newTable(&Report{Plan: r.Plan})
	t.line(phrase.Shorten(fmt.Sprintf("Advice for %s, from %s", r.subject(), phrase.Count(a.Builds, "recorded build")), Width))
	switch {
	case a.Builds < advice.MinBuilds:
		t.paragraph("", fmt.Sprintf("There is advice from %d builds on in which something changed, since the instructions did last.", advice.MinBuilds))
	case len(a.Suggestions) == 0:
		t.paragraph("", "Nothing that is known would have saved a run.")
	}
	for i, s := range a.Suggestions {
		t.line("")
		t.paragraph(fmt.Sprintf("%d. ", i+1), capital(s.Seen)+".")
		t.paragraph("   ", capital(s.Do)+": "+saves(&s)+".")
		if s.If != "" {
			t.paragraph("   ", "Do so if "+s.If+".")
		}
		if s.Changes != "" {
			t.paragraph("   ", "This changes the result: "+s.Changes+".")
		}
		t.line("")
		t.b.WriteString(s.Patch)
	}
	return t.b.String()
}

// saves says what a suggestion would have saved.
func saves(s *advice.Suggestion) string {
	switch {
	case s.Kind == advice.KindExport || s.Kind == advice.KindPlatform:
		return "may save time; how much, the log does not tell"
	case s.Saves == 0:
		return "may save runs; how many, the log does not tell"
	}
	text := fmt.Sprintf("saves %d of %s", s.Saves, phrase.Count(s.Of, "run"))
	if s.UpTo > 0 {
		text += fmt.Sprintf(", and up to %d more that take files of these", s.UpTo-s.Saves)
	}
	return text
}

// paragraph writes a text over several lines, the first one behind a mark.
func (t *table) paragraph(mark, text string) {
	for _, line := range wrap(phrase.OneLine(text), Width-len(mark)) {
		t.line(mark + line)
		mark = pad("", len(mark))
	}
}

func capital(text string) string {
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		return string(text[0]-'a'+'A') + text[1:]
	}
	return text
}
