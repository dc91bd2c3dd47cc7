package main

import (
	"fmt"
	"os"
	"strings"
)

// exceptionsHeading begins the section of docs/differences.md that lists the
// suite's tests which may fail with our frontend. The section's table is the one
// place for them: the command reads it, nothing repeats it.
const exceptionsHeading = "## Exceptions in BuildKit's test suite"

// readExceptions reads the table of excepted tests from docs/differences.md:
// test name to reason.
func readExceptions(file string) (map[string]string, error) {
	dt, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	known, err := parseExceptions(string(dt))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return known, nil
}

// parseExceptions takes the rows "| `TestName` | reason |" of the section's table.
func parseExceptions(text string) (map[string]string, error) {
	_, section, ok := strings.Cut(text, exceptionsHeading+"\n")
	if !ok {
		return nil, fmt.Errorf("no section %q", exceptionsHeading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	known := map[string]string{}
	rows := 0
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		if rows++; rows <= 2 { // the table's head
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 2 {
			return nil, fmt.Errorf("row %q: write | `TestName` | reason |", line)
		}
		name, reason := strings.Trim(strings.TrimSpace(cells[0]), "`"), strings.TrimSpace(cells[1])
		if !strings.HasPrefix(name, "Test") || reason == "" {
			return nil, fmt.Errorf("row %q: write | `TestName` | reason |", line)
		}
		if known[name] != "" {
			return nil, fmt.Errorf("%s is listed twice", name)
		}
		known[name] = reason
	}
	return known, nil
}
