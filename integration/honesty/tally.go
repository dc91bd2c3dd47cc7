package honesty

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Tally counts statements. Its methods may be called from several goroutines.
type Tally struct {
	mu sync.Mutex

	Builds, Failed, Steps, Ran    int
	Hits, ReRuns, Unknowns, Notes int
	Spoken                        int // steps that ran where a cause is known
	Forgotten                     int // wrong about what only removed records knew
	Wrong, Silent, Unknown        map[string]int
}

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{Wrong: map[string]int{}, Silent: map[string]int{}, Unknown: map[string]int{}}
}

func (t *Tally) build(e *event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Builds++
	if e.err != nil {
		t.Failed++
	}
	for _, state := range e.states {
		t.Steps++
		if state == "ran" {
			t.Ran++
		}
	}
}

func (t *Tally) predicted(p prediction) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch p.State {
	case "hit":
		t.Hits++
	case "re-run":
		t.ReRuns++
	default:
		t.Unknowns++
		t.Unknown[kinds(p.Reasons)]++
	}
}

func (t *Tally) noted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Notes++
	t.Spoken++
}

func (t *Tally) spoken(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Spoken += n
}

func (t *Tally) forgotten() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Forgotten++
}

func (t *Tally) wrong(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Wrong[kind]++
}

func (t *Tally) silent(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Silent[kind]++
}

// Rates are parts of a whole, from 0 to 1.
type Rates struct {
	Wrong   float64 // of predictions (hit and re-run) and notes
	Silent  float64 // of steps that ran where a cause is known
	Unknown float64 // of predictions where there is a record
}

// Rates returns the tally's rates.
func (t *Tally) Rates() Rates {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Rates{
		Wrong:   part(sum(t.Wrong), t.Hits+t.ReRuns+t.Notes),
		Silent:  part(sum(t.Silent), t.Spoken),
		Unknown: part(t.Unknowns, t.Hits+t.ReRuns+t.Unknowns),
	}
}

func part(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// String prints the counts and rates, kinds sorted by how often they were seen.
func (t *Tally) String() string {
	r := t.Rates()
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d builds (%d failed), %d steps, %d of them ran\n", t.Builds, t.Failed, t.Steps, t.Ran)
	fmt.Fprintf(&b, "predicted: %d hit, %d re-run, %d unknown; %d notes\n", t.Hits, t.ReRuns, t.Unknowns, t.Notes)
	fmt.Fprintf(&b, "wrong %d (%.2f %%), silent %d (%.2f %%), unknown %.1f %%\n", sum(t.Wrong), 100*r.Wrong, sum(t.Silent), 100*r.Silent, 100*r.Unknown)
	fmt.Fprintf(&b, "%6d  about results that are older than the record\n", t.Forgotten)
	for _, part := range []struct {
		what  string
		kinds map[string]int
	}{{"wrong: ", t.Wrong}, {"", t.Silent}, {"unknown: ", t.Unknown}} {
		names := sortedNames(part.kinds)
		slices.SortStableFunc(names, func(a, b string) int { return part.kinds[b] - part.kinds[a] })
		for _, name := range names {
			fmt.Fprintf(&b, "%6d  %s%s\n", part.kinds[name], part.what, name)
		}
	}
	return b.String()
}
