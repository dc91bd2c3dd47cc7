package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy"
	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// Comparison says how the keys of two builds differ.
type Comparison struct {
	// From and To name the builds: a metadata file, or the build that is asked about.
	From string `json:"from"`
	To   string `json:"to"`
	// Same is how many of To's Total steps have the same key in both, and Steps are
	// those that do not for a reason of their own, the first one first.
	Same  int          `json:"same"`
	Total int          `json:"total"`
	Steps []Difference `json:"steps,omitempty"`
	// Gone are the names of From's steps that To has none for.
	Gone []string `json:"gone,omitempty"`
	// Withheld are variables whose values cannot be compared.
	Withheld []string `json:"withheld,omitempty"`
}

// Difference is one step whose key differs between two builds.
type Difference struct {
	Step    cachepolicy.StepID `json:"step"`
	Name    string             `json:"name"`
	Reasons []explain.Reason   `json:"reasons"`
	// Follow is how many steps differ because of it alone.
	Follow int `json:"follow,omitempty"`
}

// thisBuild is what a comparison calls the build that is asked about.
const thisBuild = "this build"

// diff compares two builds by their metadata files, or one with the build that is
// asked about.
func diff(r *Report) (*Answer, error) {
	var from, to Past
	switch len(r.Past) {
	case 1:
		from, to = r.Past[0], Past{thisBuild, r.Plan}
	case 2:
		from, to = r.Past[0], r.Past[1]
	default:
		return nil, fmt.Errorf("the build context %s has %s; cache-diff takes one, to compare it with this build, or two", PastContext, phrase.Count(len(r.Past), "metadata file"))
	}
	c, causes := compare(from, to)
	return &Answer{Text: c.text(to.Plan, causes), Value: Document{Version: DocumentVersion, Frontend: r.Frontend, Comparison: c}}, nil
}

// compare predicts the later build by the earlier one alone: what would run again is
// what differs.
func compare(from, to Past) (*Comparison, []Cause) {
	old, now, withheld := withoutWithheld(from.Plan, to.Plan)
	both := &Report{Plan: now, Predictions: explain.Predict(now, []record.PastBuild{{Plan: old}})}
	causes := both.causes()
	c := &Comparison{From: from.Name, To: to.Name, Total: len(now.Steps), Same: both.count(explain.StateHit), Withheld: withheld}
	for _, cause := range causes {
		s := &now.Steps[cause.Step]
		c.Steps = append(c.Steps, Difference{Step: s.ID, Name: s.Name, Reasons: cause.Reasons, Follow: len(cause.Follow) + len(cause.MayFollow)})
	}
	for i := range old.Steps {
		if !slices.ContainsFunc(now.Steps, func(s cacheplan.Step) bool { return s.Name == old.Steps[i].Name }) {
			c.Gone = append(c.Gone, old.Steps[i].Name)
		}
	}
	return c, causes
}

// text is the comparison for a terminal: the first difference on top, its two sides
// beside each other, then the others.
func (c *Comparison) text(to *cacheplan.Plan, causes []Cause) string {
	t := newTable(&Report{Plan: to})
	t.line(phrase.Shorten(fmt.Sprintf("From %s to %s: %s", phrase.OneLine(c.From), phrase.OneLine(c.To), t.subject()), Width))
	if len(causes) == 0 {
		t.line("No input differs.")
	} else {
		t.line("")
		t.first(c, causes[0])
		t.others(c)
	}
	if len(c.Gone) > 0 {
		t.line("")
		t.line("Only in " + phrase.OneLine(c.From) + ":")
		for _, name := range c.Gone {
			t.line("  " + phrase.Shorten(phrase.OneLine(name), Width-2))
		}
	}
	t.line("")
	t.line(fmt.Sprintf("%d of %s have the same key in both", c.Same, phrase.Count(c.Total, "step")))
	if len(c.Withheld) > 0 {
		for _, line := range wrap("Not compared, since each builder withholds the value in its own way: "+phrase.OneLine(strings.Join(c.Withheld, ", ")), Width) {
			t.line(line)
		}
	}
	return t.b.String()
}

// first writes the first difference: what kind of input, its name, and both sides.
func (t *table) first(c *Comparison, cause Cause) {
	s := &t.Plan.Steps[cause.Step]
	t.line("First difference: " + phrase.Shorten(phrase.OneLine(s.Name), Width-18))
	width := max(min((Width-2*kindColumn-8)/2, 34), utf8.RuneCountInString(c.From)+2)
	t.line(pad("", kindColumn+10) + pad(phrase.Shorten(phrase.OneLine(c.From), width-2), width) + phrase.OneLine(c.To))
	for _, r := range cause.Reasons {
		t.line("  " + pad(string(r.Kind), kindColumn+8) + t.sides(r, width))
	}
}

// sides returns what a reason says of both builds beside each other, or in words
// where it has no two sides.
func (t *table) sides(r explain.Reason, width int) string {
	name := phrase.OneLine(r.Name)
	switch {
	case r.Old != "" || r.New != "":
		side := func(v string) string {
			if v == "" {
				v = "(none)"
			} else if strings.HasPrefix(v, "sha256:") {
				v = phrase.ShortDigest(v)
			}
			return phrase.Shorten(phrase.Join(name, phrase.OneLine(v), " "), width-2)
		}
		return pad(side(r.Old), width) + side(r.New)
	case r.Change == explain.Added && name != "":
		return pad("(none)", width) + name
	case r.Change == explain.Removed && name != "":
		return pad(name, width) + "(none)"
	}
	return phrase.Shorten(phrase.OneLine(r.String()), Width-kindColumn-10)
}

// others lists the differences after the first, each on a line.
func (t *table) others(c *Comparison) {
	if n := c.Steps[0].Follow; n > 0 {
		t.line("  and " + stepsFollow(n))
	}
	if len(c.Steps) == 1 {
		return
	}
	t.line("")
	t.line("Then:")
	for _, d := range c.Steps[1:] {
		note := "  ← " + phrase.OneLine(explain.Text(d.Reasons))
		if d.Follow > 0 {
			note += "; " + stepsFollow(d.Follow)
		}
		name := phrase.OneLine(d.Name)
		note = phrase.Shorten(note, max(maxReason, Width-2-utf8.RuneCountInString(name)))
		t.line("  " + phrase.Shorten(name, Width-2-utf8.RuneCountInString(note)) + note)
	}
}

// ErrNoPast is for a question about earlier builds that names none.
var ErrNoPast = errors.New("cache-diff compares builds by the files that --metadata-file wrote: give it a directory with one or two of them, --build-context " + PastContext + "=DIR")
