package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// A meter counts the bodies of the repositories that it is about, and passes on all.
func TestMeter(t *testing.T) {
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(w, req.Body)
		_, _ = io.WriteString(w, "!")
	}))
	defer registry.Close()
	m, err := startMeter(strings.TrimPrefix(registry.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.close(); err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string]string{"/v2/" + metered + "a/blobs/1": "hello!", "/v2/library/busybox/blobs/1": "hello!"} {
		resp, err := http.Post("http://"+m.addr+path, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
		_ = resp.Body.Close()
	}
	if down, up := m.down.Load(), m.up.Load(); down != 6 || up != 5 {
		t.Errorf("%d bytes down and %d up, want 6 and 5", down, up)
	}
}

// What a cached step takes is not counted, nor what other steps do.
func TestSpent(t *testing.T) {
	at := func(second int64) *time.Time { at := time.Unix(second, 0); return &at }
	r := &sandbox.Result{Steps: []*sandbox.Step{
		{Name: "[internal] save cache mounts", Started: at(1), Completed: at(3)},
		{Name: "[internal] note saved cache mounts", Started: at(4), Completed: at(5)},
		{Name: "[internal] save cache mounts", Started: at(1), Completed: at(3), Cached: true},
		{Name: "RUN save cache mounts", Started: at(1), Completed: at(9)},
	}}
	if got := spent(r, "save cache mounts", "note saved cache mounts"); got != 3 {
		t.Errorf("%v seconds, want 3", got)
	}
}

// A project's step found contents if it did not say that it does the work anew; one that
// did not run found nothing out.
func TestFound(t *testing.T) {
	npm, err := (&packages{url: "http://127.0.0.1:1"}).project()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1, 0)
	for _, test := range []struct {
		project   runnerProject
		step      string
		anew, not string
	}{
		{goProgram(), "[build 3/3] RUN go build", "internal/abi\nnet/http\n", "example.com/app/page\n"},
		{npm, "[4/4] RUN npm ci", "npm http fetch GET 200 http://127.0.0.1:1/p59/-/p59-1.0.0.tgz 9ms (cache miss)\n", "npm http fetch GET 200 http://127.0.0.1:1/p00/-/p00-1.1.0.tgz 9ms (cache miss)\n"},
		{aptInstall(), "[2/2] RUN apt-get update && apt-get install", "Get:9 http://127.0.0.1 bookworm/main amd64 git amd64 1:2.39 [7,260 kB]\n", "Get:1 http://127.0.0.1 bookworm/main amd64 jq amd64 1.6 [64 kB]\nUnpacking git (1:2.39) ...\n"},
	} {
		for logs, want := range map[string]bool{test.anew: false, test.not: true} {
			r := &sandbox.Result{Steps: []*sandbox.Step{{Name: test.step, Started: &at, Completed: &at, Logs: logs}}}
			if got, err := test.project.found(r); err != nil || got != want {
				t.Errorf("%s, %q: %t, %v; want %t", test.project.name, logs, got, err, want)
			}
			r.Steps[0].Cached = true
			if _, err := test.project.found(r); err == nil {
				t.Errorf("%s: no error when the step is cached", test.project.name)
			}
		}
	}
}
