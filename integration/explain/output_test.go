package explain_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// inRecords runs a shell command in the directory with the builder's records, and
// returns what it left in /out.
func inRecords(t *testing.T, sb *sandbox.Sandbox, command string) string {
	t.Helper()
	dir := t.TempDir()
	b := sandbox.Build{Exports: []client.ExportEntry{sandbox.ExportDir(dir)}}
	b.Func = func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		run := llb.Image("busybox").Run(llb.Args([]string{"/bin/sh", "-ec", command, rand.Text()}), llb.Dir("/records"),
			llb.AddMount("/records", llb.Scratch(), llb.AsPersistentCacheDir("cachewright-records", llb.CacheMountLocked)))
		def, err := run.AddMount("/out", llb.Scratch()).Marshal(ctx)
		if err != nil {
			return nil, err
		}
		return c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB()})
	}
	if r, err := sb.Solve(t.Context(), b); err != nil {
		t.Fatalf("%v\n%s", err, r)
	}
	return dir
}

// TestSecretsStaySecret looks for values that must not be seen in everything that
// a build leaves behind or says. It looks for others too, which must be there.
func TestSecretsStaySecret(t *testing.T) {
	sb := scenario.Start(t, sandbox.Busybox)
	p := scenario.New(t, sb, rebuild{Dockerfile: `FROM $BASE
ARG NPM_TOKEN=deflt-visible-in-the-file
ARG INDEX
ARG PLAIN
ENV DB_PASSWORD=$NPM_TOKEN PLAIN_TOO=$PLAIN
RUN echo one
# cache=key=arg:API_KEY
RUN echo two
COPY file /
`, Files: map[string]string{"file": "1"}})
	secrets := []string{"hunter2", "hunter3"}
	const plain = "plain-value-"
	var said strings.Builder
	for i, secret := range secrets {
		p.Arg("NPM_TOKEN", "npm-"+secret)
		p.Arg("API_KEY", "api-"+secret)
		p.Arg("INDEX", "https://user:"+secret+"@example.org/")
		p.Arg("PLAIN", fmt.Sprint(plain, i))
		metadata := filepath.Join(t.TempDir(), "metadata.json")
		r, err := sb.Buildx(t.Context(), p.BuildxArgs("--metadata-file="+metadata)...)
		p.Must(err)
		for _, s := range r.Steps {
			fmt.Fprintln(&said, s.Name, s.Logs)
		}
		fmt.Fprintln(&said, r.Stdout, r.Stderr, explanationIn(t, metadata))
		fmt.Fprintln(&said, p.Call("cache"), p.Call("cache,format=json"))
		fmt.Fprintln(&said, p.Call("cache-assert,format=json", "--build-arg=CACHEWRIGHT_EXPECT=@7=hit"))
	}
	if !strings.Contains(said.String(), "ARG NPM_TOKEN changed (line 3)") || !strings.Contains(said.String(), plain) {
		t.Errorf("the change was not explained:\n%s", said.String())
	}
	records := inRecords(t, sb, "cat -- * > /out/all")
	data, err := os.ReadFile(filepath.Join(records, "all"))
	p.Must(err)
	if !strings.Contains(string(data), plain+"1") {
		t.Error("the record has no value at all")
	}
	for _, secret := range secrets {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%s was said:\n%s", secret, said.String())
		}
		if strings.Contains(string(data), secret) {
			t.Errorf("%s is in the record", secret)
		}
	}
}

// explanationIn returns the part of a metadata file that the frontend wrote.
func explanationIn(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var metadata map[string]json.RawMessage
	if err := json.Unmarshal(data, &metadata); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	var text string
	if err := json.Unmarshal(metadata["frontend.cachewright"], &text); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return text
}

// said in JSON, as far as the tests look at it.
type explanations struct {
	Version int
	Builds  []struct {
		Plan struct {
			Steps []struct {
				Name   string
				Inputs []json.RawMessage
			}
		}
		Predictions []struct {
			State   string
			Reasons []struct{ Kind, Name string }
		}
	}
}

func parseExplanations(t *testing.T, text string) explanations {
	t.Helper()
	var out explanations
	if err := json.Unmarshal([]byte(text), &out); err != nil || out.Version != 1 || len(out.Builds) != 1 {
		t.Fatalf("%v: %.2000s", err, text)
	}
	return out
}

// TestMetadata reads the explanation of a build from its metadata.
func TestMetadata(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	p := scenario.New(t, sb, rebuild{Dockerfile: "FROM $BASE\nCOPY file /\nRUN cat /file\n", Files: map[string]string{"file": t.Name()}})
	metadata := filepath.Join(t.TempDir(), "metadata.json")
	for _, text := range []string{"1", "2"} {
		p.Write("file", text+t.Name())
		_, err := sb.Buildx(t.Context(), p.BuildxArgs("--metadata-file="+metadata)...)
		p.Must(err)
	}
	e := parseExplanations(t, explanationIn(t, metadata)).Builds[0]
	var got []string
	for i, pr := range e.Predictions {
		got = append(got, fmt.Sprint(e.Plan.Steps[i].Name, ": ", pr.State, " ", pr.Reasons))
	}
	want := []string{"[1/3] FROM $BASE: hit []", "[2/3] COPY file /: re-run [{file-changed file}]", "[3/3] RUN cat /file: re-run [{follows }]"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestLargeMetadata builds a file whose plan is too large to be kept as a whole.
func TestLargeMetadata(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	const args, steps, most = 200, 60, 256 << 10
	var file strings.Builder
	file.WriteString("FROM $BASE\n")
	for i := range args {
		fmt.Fprintf(&file, "ARG NUMBER_%d=value\n", i)
	}
	for i := range steps {
		fmt.Fprintf(&file, "# cache=off\nRUN [\"/bin/true\", \"%d\"]\n", i)
	}
	p := scenario.New(t, sb, rebuild{Dockerfile: file.String()})
	p.Target = ""
	r := solve(p)
	text := r.Exporter["frontend.cachewright"]
	if text == "" || len(text) > most {
		t.Fatalf("%d bytes, want at most %d", len(text), most)
	}
	if e := parseExplanations(t, text).Builds[0]; len(e.Plan.Steps) != steps+1 || len(e.Plan.Steps[steps].Inputs) != 0 || len(e.Predictions) != steps+1 {
		t.Errorf("%d steps, %d predictions", len(e.Plan.Steps), len(e.Predictions))
	}
}
