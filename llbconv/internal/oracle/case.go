package oracle

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy"
)

// Case is one Dockerfile and what it is built with.
type Case struct {
	// Name says where the Dockerfile is from.
	Name string
	// Dockerfile is the file's text.
	Dockerfile []byte
	// Attrs are the frontend's options, such as "target" or "build-arg:NAME".
	Attrs map[string]string
	// Dockerignore is the text of the context's .dockerignore.
	Dockerignore string
	// LackCaps are capabilities that the daemon does not have.
	LackCaps []string
	// NoClient converts without a gateway client: no named contexts, no
	// .dockerignore, no stages without cache.
	NoClient bool
	// UnknownCaps converts without knowing the daemon's capabilities. It needs NoClient.
	UnknownCaps bool
	// AllStages converts also what the target does not need.
	AllStages bool
	// LookupTime is how long looking up an image takes at most.
	LookupTime time.Duration
}

// SetOptions reads options in text form, one in each line: KEY=VALUE is an option
// of the frontend. Besides those there are:
//
//	lack-cap=ID         the daemon does not have a capability
//	no-client=true      see Case.NoClient
//	unknown-caps=true   see Case.UnknownCaps
//	all-stages=true     see Case.AllStages
//
// Empty lines are skipped. It fails on a line without "=".
func (c *Case) SetOptions(text string) error {
	c.Attrs = map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("option %q is not KEY=VALUE", line)
		}
		switch key {
		case "lack-cap":
			c.LackCaps = append(c.LackCaps, value)
		case "no-client":
			c.NoClient = value == "true"
		case "unknown-caps":
			c.NoClient, c.UnknownCaps = true, value == "true"
		case "all-stages":
			c.AllStages = value == "true"
		default:
			c.Attrs[key] = value
		}
	}
	return nil
}

// String shows the case as a person would want to see it in a test's output.
func (c *Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- Dockerfile (%s)\n%s", c.Name, c.Dockerfile)
	if c.Dockerignore != "" {
		fmt.Fprintf(&b, "\n--- .dockerignore\n%s", c.Dockerignore)
	}
	b.WriteString("\n--- options\n")
	for _, k := range sortedKeys(c.Attrs) {
		fmt.Fprintf(&b, "%s=%s\n", k, c.Attrs[k])
	}
	for _, id := range c.LackCaps {
		fmt.Fprintf(&b, "lack-cap=%s\n", id)
	}
	for name, on := range map[string]bool{"no-client": c.NoClient, "unknown-caps": c.UnknownCaps, "all-stages": c.AllStages} {
		if on {
			fmt.Fprintf(&b, "%s=true\n", name)
		}
	}
	return b.String()
}

var ruleComment = regexp.MustCompile(`(?mi)^[ \t]*#.*cache`)

// WithoutRules returns the case with what only this project's frontend knows
// switched off: the Dockerfile's cache rules and settings, and selectors in no-cache. It is the
// case itself if there is none.
func (c *Case) WithoutRules() *Case {
	_, overridden := c.Attrs[overrideAttr]
	defaults := bytes.Contains(c.Dockerfile, []byte("CACHEWRIGHT_"))
	if !overridden && !defaults && !ruleComment.Match(c.Dockerfile) && !strings.ContainsAny(c.Attrs["no-cache"], selectorChars) {
		return c
	}
	out := *c
	out.Attrs = map[string]string{}
	maps.Copy(out.Attrs, c.Attrs)
	for _, name := range cachepolicy.SettingNames() {
		if defaults {
			out.Attrs["build-arg:"+name] = ""
		}
	}
	out.Attrs[overrideAttr] = "off"
	if names, ok := c.Attrs["no-cache"]; ok {
		list := slices.DeleteFunc(strings.Split(names, ","), func(n string) bool { return strings.ContainsAny(n, selectorChars) })
		out.Attrs["no-cache"] = strings.Join(list, ",")
		if names != "" && len(list) == 0 {
			delete(out.Attrs, "no-cache")
		}
	}
	return &out
}

const overrideAttr = "build-arg:CACHEWRIGHT_RULES"

// selectorChars tell a selector from a stage's name.
const selectorChars = "/@*?["

// lacks reports whether the daemon lacks a capability.
func (c *Case) lacks(id string) bool { return slices.Contains(c.LackCaps, id) }
