package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// staleAfter is how old the result of a step may be that fetches what is newest.
const staleAfter = 30 * 24 * time.Hour

// stale finds steps that fetch the newest packages and are taken from the cache since
// long.
func (r *Report) stale() []Finding {
	if r.skips(FindingStale) {
		return nil
	}
	var out []Finding
	for i, p := range r.Predictions {
		s := &r.Plan.Steps[i]
		if p.State != explain.StateHit || p.Ran.IsZero() || r.Now.Sub(p.Ran) < staleAfter || s.ID.Instruction != "RUN" || !fetchesNewest(s.Title()) {
			continue
		}
		out = append(out, Finding{
			Rule: FindingStale, Level: LevelWarning, Line: s.ID.Line, EndLine: s.ID.EndLine,
			Message: phrase.OneLine(fmt.Sprintf("%s has the packages of %d days ago; # cache=ttl=7d above it fetches them every week", s.ID, r.Now.Sub(p.Ran)/day)),
		})
	}
	return out
}

// fetchers are package managers: the words that upgrade all packages, those that
// install some, and the characters that pin a package to a version.
var fetchers = map[string]struct {
	upgrade, install []string
	pin              string
}{
	"apt-get":  {[]string{"upgrade", "dist-upgrade"}, []string{"install"}, "="},
	"apt":      {[]string{"upgrade", "full-upgrade"}, []string{"install"}, "="},
	"apk":      {[]string{"upgrade"}, []string{"add"}, "=<>~"},
	"dnf":      {[]string{"update", "upgrade"}, []string{"install"}, "0123456789"},
	"microdnf": {[]string{"update", "upgrade"}, []string{"install"}, "0123456789"},
	"yum":      {[]string{"update", "upgrade"}, []string{"install"}, "0123456789"},
	"zypper":   {[]string{"update", "up", "dup"}, []string{"install", "in"}, "="},
}

// fetchesNewest reports whether an instruction upgrades packages or installs one whose
// version is not pinned.
func fetchesNewest(instruction string) bool {
	separators := strings.NewReplacer("&&", "\n", "||", "\n", ";", "\n", "|", "\n", "(", "\n", ")", "\n")
	for command := range strings.SplitSeq(separators.Replace(instruction), "\n") {
		words := strings.Fields(command)
		at := slices.IndexFunc(words, func(w string) bool { _, ok := fetchers[path.Base(w)]; return ok })
		if at < 0 {
			continue
		}
		manager := fetchers[path.Base(words[at])]
		rest := slices.DeleteFunc(slices.Clone(words[at+1:]), func(w string) bool { return strings.HasPrefix(w, "-") })
		if len(rest) == 0 {
			continue
		}
		unpinned := func(pkg string) bool { return !strings.ContainsAny(pkg, manager.pin) }
		if slices.Contains(manager.upgrade, rest[0]) || slices.Contains(manager.install, rest[0]) && slices.ContainsFunc(rest[1:], unpinned) {
			return true
		}
	}
	return false
}
