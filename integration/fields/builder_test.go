package fields_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestOtherBuilder imports a cache on another builder, where a release installs
// nothing either.
func TestOtherBuilder(t *testing.T) {
	one := scenario.Start(t)
	two := sandbox.New(t, sandbox.Options{Registry: one.Registry()})
	p := scenario.New(t, one, rebuild{Dockerfile: npmDockerfile, Files: npmFiles})
	imports, exports := one.RegistryCache(scenario.NewRepository()+":cache", "max")
	p.CacheExports = []client.CacheOptionsEntry{exports}
	p.Solve()
	raised(p)
	p.Sandbox, p.CacheExports, p.CacheImports = two, nil, []client.CacheOptionsEntry{imports}
	for _, s := range scenario.Steps(p.Solve()) {
		if ran := s.State() == "ran"; ran != (s.Text == "COPY . .") && !strings.HasPrefix(s.Text, "FROM") {
			t.Errorf("%s: %s", s.Text, s.State())
		}
	}
}

// TestOtherFrontend builds the same file with docker/dockerfile, and with the rule
// overruled: both copy the whole files, and share their cache.
func TestOtherFrontend(t *testing.T) {
	p := scenario.New(t, scenario.Start(t), rebuild{Dockerfile: strings.ReplaceAll(npmDockerfile, "COPY . .\n", ""), Files: npmFiles})
	if short := read(t, export(p), "installed"); strings.Contains(short, "1.0.0") {
		t.Errorf("the version is there:\n%s", short)
	}
	ours := p.Frontend
	p.Frontend = ""
	if whole := read(t, export(p), "installed"); whole != manifest+lockfile {
		t.Errorf("docker/dockerfile copies\n%s", whole)
	}
	p.Frontend = ours
	p.Arg("CACHEWRIGHT_RULES", "off")
	for _, s := range scenario.Steps(p.Solve()) {
		if s.State() == "ran" && !strings.HasPrefix(s.Text, "FROM") {
			t.Errorf("overruled, %s is another step than docker/dockerfile's", s.Text)
		}
	}
}

// TestLarge copies a lock file of 20 MB.
func TestLarge(t *testing.T) {
	var lock bytes.Buffer
	lock.WriteString(`{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{"":{"version":"1.0.0"}`)
	for i := 0; lock.Len() < 20<<20; i++ {
		fmt.Fprintf(&lock, ",\n\"node_modules/p%d\":{\"version\":\"1.%d.0\",\"resolved\":\"https://registry.example.org/p%d/-/p%d-1.%d.0.tgz\",\"license\":\"MIT\"}", i, i%50, i, i, i%50)
	}
	lock.WriteString("}}\n")
	p := scenario.New(t, scenario.Start(t), rebuild{Dockerfile: npmDockerfile, Files: map[string]string{"package.json": manifest, "package-lock.json": lock.String()}})
	installed := read(t, export(p), "installed")
	if len(installed) < 19<<20 || !strings.Contains(installed, `"node_modules/p9"`) {
		t.Errorf("%d bytes are installed", len(installed))
	}
	p.Write("package-lock.json", strings.Replace(lock.String(), `"version":"1.0.0"`, `"version":"1.1.0"`, 1))
	for _, s := range scenario.Steps(p.Solve()) {
		if s.Text != "COPY . ." && !strings.HasPrefix(s.Text, "FROM") && s.State() == "ran" {
			t.Errorf("%s ran", s.Text)
		}
	}
}

// TestMistakes shows the errors and hints.
func TestMistakes(t *testing.T) {
	sb := scenario.Start(t)
	for _, c := range []struct{ name, dockerfile, manifest, want string }{
		{"unparsable", "FROM $BASE\n# cache=fields=npm\nCOPY package.json /\n", "{\n\"a\": x}", "cache rule on line 3: option fields: package.json:2: no valid JSON"},
		{"another kind", "FROM $BASE\n# cache=fields=npm\nCOPY Dockerfile /\n", manifest, "Dockerfile: no file of fields=npm"},
		{"a missing field", "FROM $BASE\n# cache=fields=nmp\nCOPY package.json /\n", manifest, "has no field nmp"},
		{"a directory", "FROM $BASE\n# cache=fields=npm\nCOPY src /\n", manifest, "src is a directory"},
		{"a stage", "FROM $BASE AS a\nFROM $BASE\n# cache=fields=npm\nCOPY --from=a /etc/unique /\n", manifest, "takes something else than files of the build context"},
		{"exclude", "FROM $BASE\n# cache=fields=npm\nCOPY --exclude=x package.json /\n", manifest, "--exclude does not go with it"},
		{"FROM", "# cache=fields=npm\nFROM $BASE\n", manifest, "fields"},
		{"short", "FROM $BASE\n# cache=fields=npm\nCOPY package.json /app/\n", manifest, "warning: CacheFieldsOnly: package.json: only some fields are copied"},
		{"short elsewhere", "FROM $BASE\n# cache=fields=npm\nCOPY package.json /app/\nCOPY . /other/\n", manifest, "warning: CacheFieldsOnly"},
		{"whole in its stage", "FROM $BASE\n# cache=fields=npm\nCOPY package.json /app/\nCOPY . /app\n", manifest, ""},
		{"whole in the next", "FROM $BASE AS a\n# cache=fields=npm\nCOPY package.json /app/\nFROM $BASE\nCOPY . /app\nCOPY --from=a /app/ /deps/\n", manifest, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := scenario.New(t, sb, rebuild{Dockerfile: c.dockerfile, Files: map[string]string{"package.json": c.manifest, "src/a": "a"}})
			r, err := sb.Solve(t.Context(), p.Build)
			got := ""
			if err != nil {
				got = err.Error()
			}
			for _, w := range r.Warnings {
				got += "warning: " + string(w.Short) + "\n"
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
