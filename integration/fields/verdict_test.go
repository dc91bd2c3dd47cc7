package fields_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// verdictFile holds what TestVerdicts found, a line for each preset, field and tool:
// whether a change of the field is a hit, and what the tool says. docs/fields.md is
// made from it.
const verdictFile = "../../cachepolicy/fields/testdata/verdicts.tsv"

// oneField is a change of one field of a manifest.
type oneField struct {
	name string // as documented; a path from the root unless path is set
	file string // the preset's manifest if empty
	path string
	// from and to are the values; without from, the field is not there before.
	from, to any
	tool     string // that reads the field; empty for all
	// locked says that the field is in the lock file too.
	locked bool
}

// TestVerdicts changes one field after the other, and nothing else: whether what is
// copied stays the same, and what each tool installs then, from the whole files and
// the lock file of before. UPDATE=1 keeps what it finds.
func TestVerdicts(t *testing.T) {
	var mu sync.Mutex
	kept := strings.Split(strings.TrimSpace(read(t, verdictFile)), "\n")
	var lines, left []string
	t.Run("tools", func(t *testing.T) {
		for _, m := range managers(t) {
			left = append(left, m.name)
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				found := m.verdicts(t)
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, found...)
				left = slices.DeleteFunc(left, func(name string) bool { return name == m.name })
			})
		}
	})
	for _, line := range kept { // those of the tools that -run left out
		if slices.Contains(left, strings.Split(line, "\t")[2]) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(verdictFile, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(kept, lines); diff != "" && os.Getenv("UPDATE") == "" {
		t.Errorf("the tools say something else than %s (-kept +found); UPDATE=1 rewrites it:\n%s", verdictFile, diff)
	}
}

// verdicts returns the lines of the tool.
func (m *manager) verdicts(t *testing.T) []string {
	var rows []oneField
	base := m.project
	for _, row := range fieldsOf[m.group()] {
		if row.tool != "" && row.tool != m.name {
			continue
		}
		if row.file == "" {
			row.file = m.copied[0]
		}
		if row.path == "" {
			row.path = row.name
		}
		if row.from != nil {
			base = base.set(t, row.file, row.path, row.from)
		}
		rows = append(rows, row)
	}
	home := t.TempDir()
	base = m.locked(t, home, base)
	short := base.reduced(t, m.preset, m.copied...)
	installed := m.mustInstall(t, home, base)
	var lines []string
	for _, row := range rows {
		changed := base.set(t, row.file, row.path, row.to)
		if row.locked {
			changed = m.locked(t, home, changed)
		}
		key := "miss"
		if _, same := differing(short, changed.reduced(t, m.preset, m.copied...)); same {
			key = "hit"
		}
		out, now, ok := m.tryInstall(t, home, changed)
		names, _ := differing(installed, now)
		lines = append(lines, strings.Join([]string{m.group(), row.name, m.name, key, verdict(names, ok)}, "\t"))
		if key == "hit" && (!ok || slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(m.notes, n) })) {
			t.Errorf("%s is left out, but the tool installs something else: %s\n%s", row.name, names, out)
		}
	}
	return lines
}

// group is the name of the preset under which fields are documented.
func (m *manager) group() string {
	if m.preset == "poetry" || m.preset == "pdm" {
		return "uv"
	}
	return m.preset
}

// verdict says in a word what an install did.
func verdict(differing []string, ok bool) string {
	const most = 4
	switch {
	case !ok:
		return "fails"
	case len(differing) == 0:
		return "same"
	}
	var names []string
	for _, name := range differing {
		if base := path.Base(name); !slices.Contains(names, base) {
			names = append(names, base)
		}
	}
	if len(names) > most {
		return fmt.Sprintf("%d files", len(names))
	}
	return strings.Join(names, " ")
}

// set returns the files with a field of one of them set.
func (f tree) set(t *testing.T, file, dotted string, value any) tree {
	t.Helper()
	root := map[string]any{}
	isTOML := filepath.Ext(file) == ".toml"
	var err error
	if isTOML {
		err = toml.Unmarshal([]byte(f[file]), &root)
	} else {
		err = json.Unmarshal([]byte(f[file]), &root)
	}
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(dotted, ".")
	at := root
	for _, key := range keys[:len(keys)-1] {
		below, ok := at[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			at[key] = below
		}
		at = below
	}
	at[keys[len(keys)-1]] = value
	var data []byte
	if isTOML {
		data, err = toml.Marshal(root)
	} else {
		data, err = json.Marshal(root)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f.with(tree{file: string(data)})
}
