package main

import (
	"fmt"
	"os"
	"strings"
)

// replaceTables puts the tables of a run's output in the places of those in a Markdown
// file that have the same first heading. It fails for a table that the file does not
// have, and leaves the file as it is then.
func replaceTables(path, output string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := withTables(string(data), output)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// withTables returns a page with the tables of an output.
func withTables(page, output string) (string, error) {
	measured := map[string]string{}
	for _, block := range blocks(strings.TrimSpace(output)) {
		if name, ok := tableName(block); ok {
			measured[name] = block
		}
	}
	out := blocks(page)
	for i, block := range out {
		name, _ := tableName(block)
		if table, ok := measured[name]; ok {
			out[i] = table + strings.Repeat("\n", len(block)-len(strings.TrimRight(block, "\n")))
			delete(measured, name)
		}
	}
	for name := range measured {
		return "", fmt.Errorf("no table begins with %q: add one with that heading", name)
	}
	return strings.Join(out, "\n\n"), nil
}

// blocks are the parts of a text that blank lines separate. The last one ends as the
// text does.
func blocks(text string) []string { return strings.Split(text, "\n\n") }

// tableName returns the first heading of a table; false if the block is none.
func tableName(block string) (string, bool) {
	cells := strings.SplitN(block, "|", 3)
	if len(cells) < 3 || cells[0] != "" {
		return "", false
	}
	return strings.TrimSpace(cells[1]), true
}
