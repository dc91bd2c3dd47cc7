package oracle

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"
)

// explain marks the differences that are deliberate with their row in
// docs/differences.md.
func explain(c *Case, upstream, ours *Outcome, diffs []Diff) {
	for i := range diffs {
		for _, row := range rows {
			if row.covers(c, upstream, ours, &diffs[i]) {
				diffs[i].Row = row.id
				break
			}
		}
	}
}

// row is a deliberate difference.
type row struct {
	id     string
	covers func(c *Case, upstream, ours *Outcome, d *Diff) bool
}

var rows = []row{
	{id: "onbuild-late-stage", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		switch d.Kind {
		case "metadata":
			return sameButNumber(d.want.Meta, d.got.Meta)
		case "warnings":
			return shortNames(warningsText(upstream.Warnings)) == shortNames(warningsText(ours.Warnings))
		case "error":
			return upstream.Err != nil && ours.Err != nil && shortNames(upstream.Err.Text) == shortNames(ours.Err.Text)
		default:
			return false
		}
	}},
	{id: "onbuild-late-image", covers: func(c *Case, upstream, ours *Outcome, d *Diff) bool {
		if d.Kind == "error" {
			return notFound(ours) && bytes.Contains(bytes.ToLower(c.Dockerfile), []byte("onbuild"))
		}
		if d.Kind == "warnings" && bytes.Contains(bytes.ToLower(c.Dockerfile), []byte("onbuild")) {
			return notFound(ours) && endsEarlier(upstream, ours) ||
				shortNames(warningsText(upstream.Warnings)) == shortNames(warningsText(withoutLateImages(upstream, ours)))
		}
		return d.Kind == "operations" && lateImage(upstream)
	}},
	{id: "from-letter-case", covers: func(c *Case, upstream, ours *Outcome, d *Diff) bool {
		if d.Kind == "warnings" && warningsText(withoutStageBases(c, upstream.Warnings)) == warningsText(ours.Warnings) {
			return true // another error comes before that about the reference
		}
		return d.Kind != "options" && badReference(upstream.Err) && namesStage(c, upstream.Err)
	}},
	{id: "copy-from-index", covers: func(_ *Case, _, ours *Outcome, d *Diff) bool {
		return d.Kind != "error position" && ours.Err != nil && strings.HasPrefix(ours.Err.Text, "invalid stage index ")
	}},
	{id: "add-git-flags", covers: func(c *Case, upstream, _ *Outcome, d *Diff) bool {
		if d.Kind == "error" {
			return upstream.Err != nil && gitFlagError(upstream.Err.Text) && severalSources.Match(c.Dockerfile)
		}
		// With the same flags, two sources can even be one.
		return d.Kind == "operations" && (sameButGitFlags(d.want, d.got) || severalSources.Match(c.Dockerfile) && gitFlag.Match(c.Dockerfile))
	}},
	{id: "image-suggestions", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		if d.Kind != "error" || upstream.Err == nil || ours.Err == nil {
			return false
		}
		text, guess, _ := strings.Cut(upstream.Err.Text, " (did you mean docker.io/library")
		ourText, _, _ := strings.Cut(ours.Err.Text, " (did you mean ")
		return guess != "" && text == ourText || text == ourText && strings.Contains(ours.Err.Text, "(did you mean docker.io/library/")
	}},
	{id: "invalid-utf8", covers: func(c *Case, upstream, ours *Outcome, d *Diff) bool {
		return (d.Kind == "error" || d.Kind == "warnings" && endsEarlier(upstream, ours)) &&
			ours.Err != nil && strings.HasPrefix(ours.Err.Text, "text is not valid UTF-8") &&
			upstream.Err != nil && strings.Contains(upstream.Err.Text, "invalid UTF-8")
	}},
	{id: "replaced-stage-platform", covers: func(c *Case, _, _ *Outcome, d *Diff) bool {
		if d.Kind == "metadata" {
			return strings.HasPrefix(d.want.Meta.Description["llb.customname"], "[unknown")
		}
		return strings.HasPrefix(c.Attrs["platform"], "windows") && replacesStage(c)
	}},
	{id: "advice", covers: func(_ *Case, _, _ *Outcome, d *Diff) bool { return d.Kind == "advice" }},
	{id: "missing-capabilities", covers: func(_ *Case, _, ours *Outcome, d *Diff) bool {
		return d.Kind == "error" && ours.Err != nil && strings.Contains(ours.Err.Text, "or later, this builder is older")
	}},
	{id: "first-bad-base", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return strings.HasPrefix(d.Kind, "error") && badReference(upstream.Err) && badReference(ours.Err)
	}},
	{id: "lint-error-order", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return d.Kind == "error" && upstream.Err != nil && ours.Err != nil && sortedRules(upstream.Err.Text) == ours.Err.Text
	}},
	{id: "located-errors", covers: func(_ *Case, upstream, ours *Outcome, d *Diff) bool {
		return d.Kind == "error position" && upstream.Err.lines() == "" && ours.Err.lines() != ""
	}},
}

// withoutLateImages returns our warnings without those about the platform of an image
// that docker/dockerfile did not look at. The stage that mounts or copies from it may be
// as late, and called by its full name there.
func withoutLateImages(upstream, ours *Outcome) []Warning {
	return slices.DeleteFunc(slices.Clone(ours.Warnings), func(w Warning) bool {
		same := func(u Warning) bool {
			return shortNames(warningsText([]Warning{u})) == shortNames(warningsText([]Warning{w}))
		}
		return w.Rule == "InvalidBaseImagePlatform" && !slices.ContainsFunc(upstream.Warnings, same)
	})
}

// lateImage reports whether docker/dockerfile left an image without its digest.
func lateImage(upstream *Outcome) bool {
	for id := range imageSources(upstream) {
		if !strings.Contains(id, "@") && !strings.Contains(id, "nodigest") {
			return true
		}
	}
	return false
}

func notFound(o *Outcome) bool {
	return o.Err != nil && strings.Contains(o.Err.Text, ": not found")
}

// endsEarlier reports whether ours gives the same warnings up to where its error is.
func endsEarlier(upstream, ours *Outcome) bool {
	return ours.Err != nil && strings.HasPrefix(warningsText(upstream.Warnings), warningsText(ours.Warnings))
}

// imageSources returns the identifiers of the images in an outcome.
func imageSources(o *Outcome) map[string]bool {
	ids := map[string]bool{}
	for _, g := range o.Graphs {
		for _, op := range g.Ops {
			var msg pb.Op
			if err := msg.UnmarshalVT(op.Bytes); err != nil {
				continue
			}
			if id := msg.GetSource().GetIdentifier(); strings.HasPrefix(id, "docker-image://") {
				ids[id] = true
			}
		}
	}
	return ids
}

// sameButNumber reports whether metadata differs in the number of the step only.
func sameButNumber(want, got *pb.OpMetadata) bool {
	strip := func(m *pb.OpMetadata) *pb.OpMetadata {
		m = m.CloneVT()
		if name, ok := m.Description["llb.customname"]; ok {
			m.Description["llb.customname"] = stepNumber.ReplaceAllString(name, "[$1")
		}
		if pg := m.ProgressGroup; pg != nil {
			pg.Name = stepNumber.ReplaceAllString(pg.Name, "[$1")
		}
		return m
	}
	return proto.Equal(strip(want), strip(got))
}

// shortNames replaces full names of images by short ones.
func shortNames(text string) string {
	return strings.NewReplacer("docker.io/library/", "", ":latest", "").Replace(text)
}

var stepNumber = regexp.MustCompile(`^\[((?:\S+ )*) *\d+/`)

// replacesStage reports whether a context without an image config is given the name
// of a stage.
func replacesStage(c *Case) bool {
	for key, value := range c.Attrs {
		name, ok := strings.CutPrefix(key, "context:")
		if ok && !strings.HasPrefix(value, "docker-image:") && isStage(c, name) {
			return true
		}
	}
	return false
}

// namesStage reports whether a bad reference is the name of a stage in other letters.
func namesStage(c *Case, f *Failure) bool {
	_, rest, _ := strings.Cut(f.Text, `"`)
	name, _, _ := strings.Cut(rest, `"`)
	return isStage(c, name)
}

// isStage reports whether a stage has a name, in any letters.
func isStage(c *Case, name string) bool {
	as := regexp.MustCompile(`(?im)\sAS\s+` + regexp.QuoteMeta(name) + `\s*$`)
	return as.Match(c.Dockerfile)
}

// withoutStageBases leaves out warnings that a base is no valid image where it is
// the name of a stage.
func withoutStageBases(c *Case, warnings []Warning) []Warning {
	return slices.DeleteFunc(slices.Clone(warnings), func(w Warning) bool {
		rest, _ := strings.CutPrefix(w.Message, "Default value for ARG ")
		name, _, found := strings.Cut(rest, " results in empty or invalid base image name")
		return w.Rule == "InvalidDefaultArgInFrom" && found && isStage(c, name)
	})
}

// severalSources finds an ADD with a git repository or URL and another source.
var severalSources = regexp.MustCompile(`(?i)ADD\s(.*\s)?\S*(//|@)\S+\s+\S+\s+\S`)

var gitFlag = regexp.MustCompile(`(?i)(checksum|commit|keep-git-dir)=`)

// gitFlagError reports whether an error is about flags of git sources.
func gitFlagError(text string) bool {
	return text == "inconsistent keep-git-dir configuration" || strings.HasPrefix(text, "checksum mismatch ") ||
		strings.HasPrefix(text, "invalid checksum digest") || text == "unsupported digest algorithm"
}

// sameButGitFlags reports whether two git sources differ in a flag only.
func sameButGitFlags(want, got *Op) bool {
	source := func(op *Op) *pb.SourceOp {
		var msg pb.Op
		if op == nil || msg.UnmarshalVT(op.Bytes) != nil || msg.GetSource() == nil {
			return nil
		}
		delete(msg.GetSource().Attrs, pb.AttrKeepGitDir)
		delete(msg.GetSource().Attrs, pb.AttrGitChecksum)
		return msg.GetSource()
	}
	w, g := source(want), source(got)
	return w != nil && g != nil && strings.HasPrefix(w.Identifier, "git://") && proto.Equal(w, g)
}

// badReference reports whether an error is about a base that cannot be an image.
func badReference(f *Failure) bool {
	return f != nil && strings.HasPrefix(f.Text, "failed to parse stage name ")
}

// sortedRules puts the rules in an error about broken rules in order.
func sortedRules(text string) string {
	const prefix = "lint violation found for rules: "
	list, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return text
	}
	rules := strings.Split(list, ", ")
	slices.Sort(rules)
	return prefix + strings.Join(rules, ", ")
}

// Rows lists the ids of the deliberate differences.
func Rows() []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.id)
	}
	return out
}
