package report

import (
	"fmt"
	"strings"
)

// github prints findings as workflow commands, which a GitHub runner shows beside
// the Dockerfile's lines and in the summary of the job. The runner takes the first
// ten of each level in a step.
func github(r *Report) (*Answer, error) {
	findings := r.findings()
	var b strings.Builder
	for _, f := range findings {
		place := "file=" + githubProperty(r.Path)
		if f.Line > 0 {
			place += fmt.Sprintf(",line=%d,endLine=%d", f.Line, f.EndLine)
		}
		fmt.Fprintf(&b, "::%s %s,title=%s::%s\n", f.Level.githubCommand(), place, githubProperty("Cache: "+string(f.Rule)), githubData(f.Message))
	}
	b.WriteString(r.tally() + "\n")
	d := r.document()
	d.Findings = findings
	return &Answer{Text: b.String(), Value: d}, nil
}

// githubCommand returns the workflow command that says something of that level.
func (l Level) githubCommand() string {
	switch l {
	case LevelError:
		return "error"
	case LevelWarning:
		return "warning"
	case LevelNote:
		return "notice"
	}
	return "notice"
}

// githubData escapes the message of a workflow command, githubProperty one of its
// properties.
func githubData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func githubProperty(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(text)
}
