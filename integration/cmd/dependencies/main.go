// Command dependencies writes the list of modules in the released frontend, with
// their versions, as Markdown.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/release"
)

const head = `# Dependencies

Code of these modules is in the released frontend (` + "`cmd/frontend`" + `, %s),
besides that of Go's standard library. ` + "`make generate`" + ` writes this list, and CI fails when it
is out of date. The image's SBOM has the same modules, and the Go release.

` + "`make vulncheck`" + ` looks them up in Go's vulnerability database with govulncheck, and tells which
known vulnerabilities the frontend's code can reach. It needs vuln.go.dev, and fails without. At the
last try, of 2026-11-21, the database could not be reached: the modules are listed, not checked.

| Module | Version |
|---|---|
`

func main() {
	out := flag.String("o", "docs/dependencies.md", "file to write the list to")
	flag.Parse()
	if err := run(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "dependencies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) error {
	versions, err := release.Dependencies(ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, head, strings.ReplaceAll(release.Platforms, ",", " and "))
	for _, path := range slices.Sorted(maps.Keys(versions)) {
		fmt.Fprintf(&b, "| %s | %s |\n", path, versions[path])
	}
	return os.WriteFile(out, []byte(b.String()), 0o644)
}
