package fields

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/fieldspec"
)

func reduceOne(t *testing.T, spec string, files ...File) []Reduced {
	t.Helper()
	s, err := fieldspec.Parse(strings.Split(spec, ","))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Reduce(s, files)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// manifestWith returns a manifest of a preset with a field set to a value.
func manifestWith(p *preset, path, value string) File {
	keys := strings.Split(path, ".")
	if p.kinds[0].form == formTOML {
		text := fmt.Sprintf("[%s]\n%q = %q\n", strings.Join(keys[:len(keys)-1], "."), keys[len(keys)-1], value)
		if len(keys) == 1 {
			text = fmt.Sprintf("%q = %q\n", keys[0], value)
		}
		return File{p.kinds[0].names[0], []byte(text)}
	}
	return File{p.kinds[0].names[0], []byte(fmt.Sprintf(`{"name": "a", %q: %q}`, path, value))}
}

// TestDrops changes each field that a preset leaves out, and nothing else: the
// result stays. One that no preset knows makes another result.
func TestDrops(t *testing.T) {
	for _, p := range presets {
		for _, d := range p.kinds[0].drops {
			one := reduceOne(t, p.names[0], manifestWith(p, d.Path, "1"))[0]
			two := reduceOne(t, p.names[0], manifestWith(p, d.Path, "2"))[0]
			if string(one.Data) != string(two.Data) {
				t.Errorf("%s: %s counts:\n%s%s", p.names[0], d.Path, one.Data, two.Data)
			}
			unknown := d.Path + "x"
			one = reduceOne(t, p.names[0], manifestWith(p, unknown, "1"))[0]
			two = reduceOne(t, p.names[0], manifestWith(p, unknown, "2"))[0]
			if string(one.Data) == string(two.Data) {
				t.Errorf("%s: %s does not count:\n%s", p.names[0], unknown, one.Data)
			}
			if d.Why == "" || !strings.HasPrefix(d.Doc, "https://") {
				t.Errorf("%s: %s has no reason", p.names[0], d.Path)
			}
		}
	}
}

func TestReduce(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		files      []File
		want       []string
	}{
		{"npm order", "npm", []File{{"package.json", []byte(`{"version":"1","dependencies":{"b":"1","a":"2"},"exports":{"b":1.50,"a":2},"a":1}`)}},
			[]string{`{"a":1,"dependencies":{"a":"2","b":"1"},"exports":{"b":1.50,"a":2},"version":"0.0.0"}`}},
		{"npm byte order mark, duplicate", "npm", []File{{"package.json", []byte("\xef\xbb\xbf{\"name\":\"x\",\"a\":1,\"name\":\"<y>\"}")}},
			[]string{`{"a":1,"name":"<y>"}`}},
		{"npm lock", "npm", []File{{"package-lock.json", []byte(`{"name":"a","version":"1","lockfileVersion":3,"packages":{"":{"version":"1","license":"MIT"},"node_modules/b":{"version":"2","license":"MIT"}}}`)}},
			[]string{`{"name":"a","version":"0.0.0","lockfileVersion":3,"packages":{"":{"version":"0.0.0"},"node_modules/b":{"version":"2","license":"MIT"}}}`}},
		{"npm workspaces", "npm", []File{
			{"package.json", []byte(`{"name":"root","version":"1","workspaces":["p/*"],"dependencies":{"a":"^1.0.0","b":"workspace:*"}}`)},
			{"p/a/package.json", []byte(`{"name":"a","version":"1.0.0"}`)},
			{"p/b/package.json", []byte(`{"name":"b","version":"1.0.0"}`)},
			{"package-lock.json", []byte(`{"name":"root","version":"1","packages":{"p/a":{"version":"1.0.0"},"p/b":{"version":"1.0.0"}}}`)},
		}, []string{
			`{"dependencies":{"a":"^1.0.0","b":"workspace:*"},"name":"root","version":"0.0.0","workspaces":["p/*"]}`,
			`{"name":"a","version":"1.0.0"}`, `{"name":"b","version":"0.0.0"}`,
			`{"name":"root","version":"0.0.0","packages":{"p/a":{"version":"1.0.0"},"p/b":{"version":"0.0.0"}}}`,
		}},
		{"npm scripts", "npm,noscripts", []File{{"package.json", []byte(`{"scripts":{"postinstall":"npm run build:native && run-p 'gen:*'","build:native":"x","prebuild:native":"y","gen:a":"z","test":"t","lint":"l"}}`)}},
			[]string{`{"scripts":{"build:native":"x","gen:a":"z","postinstall":"npm run build:native && run-p 'gen:*'","prebuild:native":"y"}}`}},
		{"npm whole", "npm", []File{{"yarn.lock", []byte("# yarn\n\na@1:\n")}}, []string{"# yarn\n\na@1:"}},
		{"cargo", "cargo", []File{
			{"Cargo.toml", []byte("[package]\nname = 'a'\nversion = '1.2.0'\nauthors = ['x']\n[dependencies]\nb = { path = 'b', version = '1' }\nserde = '1'\n[package.metadata.deb]\nx = 1\n")},
			{"Cargo.lock", []byte("version = 4\n[[package]]\nname = 'a'\nversion = '1.2.0'\ndependencies = ['b 1.0.0', 'b 2.0.0']\n[[package]]\nname = 'b'\nversion = '1.0.0'\n[[package]]\nname = 'b'\nversion = '2.0.0'\nsource = 'registry+x'\n")},
		}, []string{
			"[dependencies]\nserde = '1'\n\n[dependencies.b]\npath = 'b'\n\n[package]\nname = 'a'\nversion = '0.0.0'",
			"version = 4\n\n[[package]]\ndependencies = ['b 0.0.0', 'b 2.0.0']\nname = 'a'\nversion = '0.0.0'\n\n[[package]]\nname = 'b'\nversion = '0.0.0'\n\n[[package]]\nname = 'b'\nsource = 'registry+x'\nversion = '2.0.0'",
		}},
		{"cargo patch", "cargo", []File{
			{"Cargo.toml", []byte("[package]\nname = 'a'\nversion = '1.2.0'\n[patch.crates-io]\nb = { path = 'b' }\n")},
			{"b/Cargo.toml", []byte("[package]\nname = 'b'\nversion = '1.0.5'\n")},
		}, []string{
			"[package]\nname = 'a'\nversion = '0.0.0'\n\n[patch]\n[patch.crates-io]\n[patch.crates-io.b]\npath = 'b'",
			"[package]\nname = 'b'\nversion = '1.0.5'",
		}},
		{"uv", "uv", []File{
			{"pyproject.toml", []byte("[project]\nname = 'a'\nversion = '1.2'\ndescription = 'd'\ndependencies = ['idna']\n[tool.ruff]\nx = 1\n")},
			{"uv.lock", []byte("version = 1\n[[package]]\nname = 'a'\nversion = '1.2'\nsource = { virtual = '.' }\n[[package]]\nname = 'idna'\nversion = '3'\nsource = { registry = 'https://pypi.org/simple' }\n")},
		}, []string{
			"[project]\ndependencies = ['idna']\nname = 'a'\nversion = '0.0.0'",
			"version = 1\n\n[[package]]\nname = 'a'\nversion = '0.0.0'\n\n[package.source]\nvirtual = '.'\n\n[[package]]\nname = 'idna'\nversion = '3'\n\n[package.source]\nregistry = 'https://pypi.org/simple'",
		}},
		{"uv workspace", "uv", []File{
			{"pyproject.toml", []byte("[project]\nname = 'root'\nversion = '1.2'\nrequires-python = '>=3.12'\ndependencies = ['bird_feeder', 'seeds>=2']\n[tool.uv.sources]\nbird-feeder = { workspace = true }\nseeds = { workspace = true }\n[tool.uv.workspace]\nmembers = ['packages/*']\n")},
			{"packages/bird-feeder/pyproject.toml", []byte("[project]\nname = 'bird-feeder'\nversion = '0.3'\n[build-system]\nrequires = ['hatchling']\n")},
			{"packages/seeds/pyproject.toml", []byte("[project]\nname = 'seeds'\nversion = '2.1'\n")},
			{"uv.lock", []byte("version = 1\nrevision = 3\nrequires-python = '>=3.12'\n[manifest]\nmembers = ['bird-feeder', 'root', 'seeds']\n" +
				"[[package]]\nname = 'bird-feeder'\nversion = '0.3'\nsource = { editable = 'packages/bird-feeder' }\n" +
				"[[package]]\nname = 'root'\nversion = '1.2'\nsource = { virtual = '.' }\ndependencies = [{ name = 'bird-feeder' }, { name = 'seeds' }]\n" +
				"[package.metadata]\nrequires-dist = [{ name = 'bird-feeder', editable = 'packages/bird-feeder' }, { name = 'seeds', specifier = '>=2', editable = 'packages/seeds' }]\n" +
				"[[package]]\nname = 'seeds'\nversion = '2.1'\nsource = { editable = 'packages/seeds' }\n")},
		}, []string{
			"[project]\ndependencies = ['bird_feeder', 'seeds>=2']\nname = 'root'\nrequires-python = '>=3.12'\nversion = '0.0.0'\n\n[tool]\n[tool.uv]\n[tool.uv.sources]\n[tool.uv.sources.bird-feeder]\nworkspace = true\n\n[tool.uv.sources.seeds]\nworkspace = true\n\n[tool.uv.workspace]\nmembers = ['packages/*']",
			"[build-system]\nrequires = ['hatchling']\n\n[project]\nname = 'bird-feeder'\nversion = '0.0.0'",
			"[project]\nname = 'seeds'\nversion = '2.1'",
			"requires-python = '>=3.12'\nrevision = 3\nversion = 1\n\n[manifest]\nmembers = ['bird-feeder', 'root', 'seeds']\n\n[[package]]\nname = 'bird-feeder'\nversion = '0.0.0'\n\n[package.source]\neditable = 'packages/bird-feeder'\n\n[[package]]\nname = 'root'\nversion = '0.0.0'\n\n[[package.dependencies]]\nname = 'bird-feeder'\n\n[[package.dependencies]]\nname = 'seeds'\n\n[package.metadata]\n[[package.metadata.requires-dist]]\neditable = 'packages/bird-feeder'\nname = 'bird-feeder'\n\n[[package.metadata.requires-dist]]\neditable = 'packages/seeds'\nname = 'seeds'\nspecifier = '>=2'\n\n[package.source]\nvirtual = '.'\n\n[[package]]\nname = 'seeds'\nversion = '2.1'\n\n[package.source]\neditable = 'packages/seeds'",
		}},
		{"paths", "a.*.b,c,\"d.e\"", []File{
			{"x.json", []byte(`{"z":1,"c":1e3,"a":{"x":{"b":1,"q":2},"y":[1]},"d.e":null}`)},
			{"x.toml", []byte("c = 1979-05-27\nq = 1\n")},
			{"x.yaml", []byte("q: 1\nc: [yes, 'yes', 1.0, ~, null, http://x]\n1: 2\na: &a\n  - b: {y: 1, x: 2}\n  - q: 1\n")},
		}, []string{
			`{"a":{"x":{"b":1}},"c":1e3,"d.e":null}`, "c = 1979-05-27", `{a: [{b: {x: 2,y: 1}}],c: [yes,"yes",1.0,null,null,"http://x"]}`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, r := range reduceOne(t, c.spec, c.files...) {
				if got := strings.TrimSpace(string(r.Data)); got != c.want[i] {
					t.Errorf("%s:\n%s\nwant\n%s", r.Path, got, c.want[i])
				}
			}
		})
	}
}

// TestOpen reads JSON level by level, down to the last, and compares with encoding/json.
func TestOpen(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `{"":{"":null}}`, ` { "a" : [ 1 , -2.50e+3 , true , null , "x" ] , "b" : { } } `,
		`{"a\\":"]}\"","b":[[],{},",:"],"\u00e9\n":"\ud83d\ude00 é/","{":"}","c":[{"d":[[[":"]]]}]}`,
		`[[[[[[]]]]],{"a":{"b":{"c":[{}]}}}]`, `{"a":1,"b":2,"a":{"c":3}}`,
	} {
		n, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var open func(n *node)
		open = func(n *node) { n.each(func(_ string, v *node) { open(v) }) }
		open(n)
		var want, got any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encodeJSON(n), &got); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: read as %s (%v)", text, encodeJSON(n), err)
		}
	}
}

// TestPresets compares the names that rules take with the presets that there are.
func TestPresets(t *testing.T) {
	for _, name := range fieldspec.Presets() {
		if presetOf(name) == nil {
			t.Errorf("no preset %s", name)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ spec, path, data, want string }{
		{"npm", "package.json", "{\n\"a\":\n x}", "package.json:3: no valid JSON: invalid character 'x' looking for beginning of value"},
		{"npm", "package.json", "{\n\"a\": 1\n", "package.json:2: no valid JSON: the file ends too early"},
		{"npm", "package.json", "{}\n{}", "package.json:2: no valid JSON: invalid character '{' after top-level value"},
		{"npm", "package.json", "[]", "package.json:1: holds no fields: it is no object"},
		{"npm", "package.json", strings.Repeat("[", 20000), "package.json:1: no valid JSON: invalid character '[' exceeded max depth"},
		{"npm", "package.json", "{\n\"a\": \"b", "package.json:2: no valid JSON: the file ends too early"},
		{"npm", "package.json", "", "package.json:1: no valid JSON: the file ends too early"},
		{"npm", "a/tsconfig.json", "{}", "a/tsconfig.json: no file of fields=npm, which is for package.json, package-lock.json, npm-shrinkwrap.json, pnpm-workspace.yaml, pnpm-lock.yaml, yarn.lock, .npmrc, .yarnrc, .yarnrc.yml, .pnpmfile.cjs; copy it with an instruction of its own"},
		{"cargo", "Cargo.toml", "a = 1\n\nb = \n", "Cargo.toml:3: no valid TOML: unexpected character U+000A at start of value"},
		{"a.b", "x.yaml", "a: b\nc: [\n", "x.yaml:2: no valid YAML: sequence end token ']' not found"},
		{"a", "x.yaml", "a: !tag 1\n", "x.yaml:1: tags are not supported"},
		{"a", "x.yaml", "a: 1\n---\nb: 1\n", "x.yaml:3: a second document; only files of one have fields"},
		{"a", "x.yaml", "a: &a [" + strings.Repeat("1,", 100) + "1]\nb: &b [" + strings.Repeat("*a,", 100) + "*a]\nc: [" + strings.Repeat("*b,", 100) + "*b]\n", "x.yaml:1: aliases or levels without end"},
		{"a.b", "x.json", `{"a": 1}`, "x.json: has no field a.b, nor has any other file of this instruction"},
		{"a", "Makefile", "", "Makefile: fields are of JSON, TOML and YAML files, and the name ends in none of .json, .toml, .lock (TOML), .yaml, .yml; copy it with an instruction of its own"},
	} {
		s, err := fieldspec.Parse(strings.Split(c.spec, ","))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Reduce(s, []File{{c.path, []byte(c.data)}}); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.path, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"npm,noscript":    `"noscript" after the preset npm; only npm takes more, npm,noscripts`,
		"cargo,noscripts": `"noscripts" after the preset cargo; only npm takes more, npm,noscripts`,
		"a,npm":           "npm is a preset and stands alone; write it, or the paths of fields",
		"a..b":            "a..b has an empty key; keys are separated by one dot",
		`a."b`:            `a."b: a quote is not closed; write a key with a dot as "a.b"`,
		"a,a":             "a is listed twice",
	} {
		if _, err := fieldspec.Parse(strings.Split(text, ",")); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestContentHash compares with what Composer wrote.
func TestComposer(t *testing.T) {
	manifest := `{"name":"acme/app","version":"1.0","require":{"php":">=8"},"extra":{}}`
	root, err := parseJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	hash := contentHash(root)
	for _, c := range []struct {
		lock   string
		agrees bool
	}{{hash, true}, {"0123", false}} {
		out := reduceOne(t, "composer", File{"composer.json", []byte(manifest)}, File{"composer.lock", []byte(`{"content-hash":"` + c.lock + `"}`)})
		short, err := parseJSON(out[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		if agrees := strings.Contains(string(out[1].Data), contentHash(short)); agrees != c.agrees {
			t.Errorf("agrees %v: %s", agrees, out[1].Data)
		}
	}
}

// largeLock returns a package-lock.json of about so many bytes.
func largeLock(size int) []byte {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"version\": \"1.0.0\"}")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, ",\n    \"node_modules/package-%d\": {\n      \"version\": \"1.%d.0\",\n      \"resolved\": \"https://registry.example.org/package-%d/-/package-%d-1.%d.0.tgz\",\n      \"license\": \"MIT\",\n      \"dependencies\": {\n        \"package-%d\": \"^1.0.0\"\n      }\n    }", i, i%50, i, i, i%50, i+1)
	}
	b.WriteString("\n  }\n}\n")
	return []byte(b.String())
}

// largeTOML returns a Cargo.lock of about so many bytes.
func largeTOML(size int) []byte {
	var b strings.Builder
	b.WriteString("version = 4\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "\n[[package]]\nname = \"package-%d\"\nversion = \"1.%d.0\"\nsource = \"registry+https://index.example.org\"\nchecksum = \"%064x\"\ndependencies = [\n \"package-%d\",\n]\n", i, i%50, i, i+1)
	}
	return []byte(b.String())
}

// TestMemory holds the memory for a large lock file to what docs/fields.md says of it:
// all that is allocated on the way, by the size of the file.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		spec, name string
		data       []byte
		most       uint64
	}{
		{"npm", "package-lock.json", largeLock(4 << 20), memoryOfJSON},
		{"cargo", "Cargo.lock", largeTOML(4 << 20), memoryOfTOML},
		{"npm", "pnpm-lock.yaml", largeLock(4 << 20), 1},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		reduceOne(t, c.spec, File{c.name, c.data})
		runtime.ReadMemStats(&after)
		if got, size := after.TotalAlloc-before.TotalAlloc, uint64(len(c.data)); got > c.most*size {
			t.Errorf("%s of %d bytes takes %d, %d times as many; want at most %d times", c.name, size, got, got/size, c.most)
		}
	}
}

// BenchmarkReduce shows that time and memory grow with the size of the file; x/B is
// how many bytes are allocated for one of the file.
func BenchmarkReduce(b *testing.B) {
	for _, mb := range []int{1, 5, 20} {
		for _, c := range []struct {
			spec, name string
			data       []byte
		}{{"npm", "package-lock.json", largeLock(mb << 20)}, {"cargo", "Cargo.lock", largeTOML(mb << 20)}} {
			b.Run(fmt.Sprintf("%s/%dMB", c.name, mb), func(b *testing.B) {
				b.SetBytes(int64(len(c.data)))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					s, _ := fieldspec.Parse([]string{c.spec})
					if _, err := Reduce(s, []File{{c.name, c.data}}); err != nil {
						b.Fatal(err)
					}
				}
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/float64(len(c.data)), "x/B")
			})
		}
	}
}
