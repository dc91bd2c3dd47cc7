package advice

import (
	"fmt"
	"os"

	"github.com/cachewright/cachewright/integration/scenario"
)

// shape is a project with a history of edits.
type shape struct {
	name       string
	dockerfile string
	files      map[string]string
	edits      []scenario.Change
	// want are the kinds of suggestions that there have to be, in this order.
	want []string
}

// npm stands in for npm: "ci" installs what package.json says, "run build" bundles src.
const npm = `#!/bin/sh
set -e
case "$*" in
ci) mkdir -p node_modules; cat package.json package-lock.json >node_modules/installed ;;
"run build") mkdir -p dist; cat src/* >dist/server.js ;;
"run check") cat dist/server.js >/dev/null ;;
*) echo "npm: unknown command $*" >&2; exit 1 ;;
esac
`

func files() map[string]string {
	return map[string]string{
		"package.json": "{}", "package-lock.json": "{}", "src/main.js": "main", "src/util.js": "util", "docs/index.md": "# Docs",
	}
}

// source edits a source file, install what is installed, and coverage what the tests
// leave behind.
func source(n int) scenario.Change { return scenario.Written("src/main.js", fmt.Sprintf("main %d", n)) }

func install(n int) scenario.Change {
	return scenario.Written("package-lock.json", fmt.Sprintf(`{"version": %d}`, n))
}

func coverage(n int) scenario.Change {
	return scenario.Written("coverage/lcov.info", fmt.Sprintf("lines %d", n))
}

func commit(n int) scenario.Change { return scenario.Given("GIT_SHA", fmt.Sprintf("%040d", n)) }

// history makes n edits.
func history(n int, edit func(i int) scenario.Change) []scenario.Change {
	var out []scenario.Change
	for i := 1; i <= n; i++ {
		out = append(out, edit(i))
	}
	return out
}

func shapes() []shape {
	return []shape{
		{
			name:       "copies all before an install",
			dockerfile: "FROM $BASE\nWORKDIR /app\n# The project.\nCOPY . .\nENV NODE_ENV=production\nRUN npm ci\nRUN npm run build\nCMD [\"cat\", \"dist/server.js\"]\n",
			files:      files(),
			edits: history(20, func(i int) scenario.Change {
				switch {
				case i%8 == 0:
					return install(i)
				case i == 11:
					return source(9) // back to what was there
				case i%5 == 0:
					return scenario.Written("docs/index.md", fmt.Sprint(i))
				}
				return source(i)
			}),
			want: []string{"order"},
		},
		{
			name:       "takes reports along",
			dockerfile: "FROM $BASE\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\nRUN npm run check\n",
			files:      files(),
			edits: history(20, func(i int) scenario.Change {
				switch {
				case i%7 == 0:
					return install(i)
				case i%2 == 0:
					return coverage(i)
				case i%3 == 0:
					return scenario.All(source(i), coverage(i))
				}
				return source(i)
			}),
			want: []string{"noise"},
		},
		{
			name: "declares an argument early",
			dockerfile: "FROM $BASE\nARG GIT_SHA\nARG MODE=release\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\n" +
				"COPY src src\nRUN npm run build\nLABEL revision=$GIT_SHA\n",
			files: files(),
			edits: history(20, func(i int) scenario.Change {
				switch {
				case i%6 == 0:
					return scenario.All(install(i), commit(i))
				case i%3 == 0:
					return commit(i)
				}
				return scenario.All(source(i), commit(i))
			}),
			want: []string{"arguments"},
		},
		{
			name:       "is checked out with other modes",
			dockerfile: "FROM $BASE\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY src src\nRUN npm run build\n",
			files:      files(),
			edits: history(20, func(i int) scenario.Change {
				if i%3 == 0 {
					return scenario.Moded("src/util.js", os.FileMode(0o600+i%8*8+i%5))
				}
				return source(i)
			}),
			want: []string{"modes"},
		},
		{
			name: "does all of it, in stages",
			dockerfile: "FROM $BASE AS build\nARG GIT_SHA\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\nENV REVISION=$GIT_SHA\n" +
				"FROM $BASE\nWORKDIR /app\nCOPY --from=build /app/dist dist\nRUN npm run check\n",
			files: files(),
			edits: history(20, func(i int) scenario.Change {
				switch {
				case i%8 == 0:
					return scenario.All(install(i), commit(i))
				case i%3 == 0:
					return coverage(i)
				case i%4 == 0:
					return commit(i)
				}
				return source(i)
			}),
			want: []string{"order", "noise", "arguments"},
		},
		{
			name: "has nothing to be told",
			dockerfile: "FROM $BASE\nWORKDIR /app\nARG CACHEBUST\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY src src\nRUN npm run build\n" +
				"ARG GIT_SHA\nLABEL revision=$GIT_SHA\n",
			files: files(),
			edits: history(10, func(i int) scenario.Change {
				switch {
				case i%5 == 0:
					return scenario.All(install(i), commit(i))
				case i%4 == 0:
					return scenario.Given("CACHEBUST", fmt.Sprint(i))
				}
				return scenario.All(source(i), commit(i))
			}),
		},
	}
}
