package honesty

import (
	"encoding/json"
	"fmt"
	"strings"
)

// answer is the JSON of --call=cache, or of one platform in a build's metadata, as
// docs/explain.md describes it. The harness reads it as any other program would.
type answer struct {
	Plan struct {
		Platform string `json:"platform"`
		Steps    []struct {
			Name string `json:"name"`
		} `json:"steps"`
	} `json:"plan"`
	Predictions []struct {
		Step    int      `json:"step"`
		State   string   `json:"state"`
		Reasons []reason `json:"reasons"`
	} `json:"predictions"`
}

// reason is why a step runs again, or why nothing is known.
type reason struct {
	Kind   string `json:"kind"`
	Change string `json:"change"`
	Name   string `json:"name"`
	Old    string `json:"old"`
	New    string `json:"new"`
	OnName string `json:"onName"`
	On     int    `json:"on"`
	on     string // the number of the step that it is about
}

// prediction is what is said about one step.
type prediction struct {
	State   string
	Reasons []reason
}

// byNumber returns the predictions by the steps' numbers, as in "s0 2/3". Where none
// are made, it is empty.
func (a *answer) byNumber() map[string]prediction {
	out := map[string]prediction{}
	for _, p := range a.Predictions {
		number := stepNumber(a.Plan.Steps[p.Step].Name)
		if number == "" {
			continue
		}
		for i := range p.Reasons {
			if r := &p.Reasons[i]; r.OnName != "" && r.On < len(a.Plan.Steps) {
				r.on = stepNumber(a.Plan.Steps[r.On].Name)
			}
		}
		out[number] = prediction{State: p.State, Reasons: p.Reasons}
	}
	return out
}

// stepNumber returns what stands in the brackets of a step's name, without the
// platform and with single blanks.
func stepNumber(name string) string {
	inner, _, ok := strings.Cut(strings.TrimPrefix(name, "["), "]")
	if !ok || !strings.HasPrefix(name, "[") {
		return ""
	}
	return plainNumber(inner)
}

// plainNumber drops the platform from a number and makes its blanks single.
func plainNumber(number string) string {
	words := strings.Fields(number)
	if len(words) > 1 && strings.Contains(words[0], "linux/") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// readAnswer reads the JSON of --call=cache.
func readAnswer(data []byte) (*answer, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("--call=cache: %w", err)
	}
	return &a, a.check()
}

// readMetadata reads what a build says of itself for its first platform. A build
// that says nothing gives an empty answer.
func readMetadata(text string) (*answer, error) {
	if text == "" {
		return &answer{}, nil
	}
	var m struct {
		Builds []answer `json:"builds"`
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, fmt.Errorf("the build's metadata: %w", err)
	}
	if len(m.Builds) == 0 {
		return &answer{}, nil
	}
	return &m.Builds[0], m.Builds[0].check()
}

func (a *answer) check() error {
	for _, p := range a.Predictions {
		if p.Step < 0 || p.Step >= len(a.Plan.Steps) {
			return fmt.Errorf("a prediction for step %d of %d", p.Step, len(a.Plan.Steps))
		}
	}
	return nil
}
