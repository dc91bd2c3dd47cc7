package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
	"github.com/cachewright/cachewright/integration/scenario"
)

// TestShow plays the scenes on both builders of the demo. They say the same.
func TestShow(t *testing.T) {
	sb := scenario.Start(t, sandbox.Alpine)
	for driver, play := range map[string]func(context.Context, io.Writer) error{
		"remote": func(ctx context.Context, out io.Writer) error { return show(ctx, sb, out) },
		"docker": func(ctx context.Context, out io.Writer) error { return showOnEngine(ctx, sb, out) },
	} {
		t.Run(driver, func(t *testing.T) {
			var out bytes.Buffer
			if err := play(t.Context(), &out); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			checkShown(t, out.String())
		})
	}
}

// checkShown looks for what the demo is to show in its output.
func checkShown(t *testing.T, out string) {
	t.Helper()
	for _, want := range []string{
		"\nre-run  [build 1/2] COPY src src\n          because   src/server.js changed\n",
		"\nok    [deps 3/3] RUN npm ci: hit\n",
		"\nFAIL  [deps 3/3] RUN npm ci: expected hit (deps/*), predicted re-run: follows 2/3\n",
		"\n1 step as expected, 2 not\n",
		"\nexit status 1\n",
		"] COPY src src  ← src/server.js changed\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output has no %q", want)
		}
	}
	const want = `
fresh-data                                                 first build  same day  next day  rules off  rules off again
[advisories 2/3] COPY fetch-advisories.sh /usr/local/bin/  ran          cached    cached    cached     cached
[advisories 3/3] RUN fetch-advisories.sh >/advisories.txt  ran          cached    ran       ran        cached
[app 2/4] WORKDIR /srv                                     ran          cached    cached    cached     cached
[app 3/4] COPY app.sh .                                    ran          cached    cached    cached     cached
[app 4/4] COPY --from=advisories /advisories.txt .         ran          cached    cached    cached     cached
[smoke-test 1/1] RUN ./app.sh --check && touch /passed     ran          ran       ran       ran        cached
[stage-3 1/1] COPY --from=smoke-test /passed /tmp/         ran          cached    cached    cached     cached

Why, same day:
  [smoke-test 1/1] ← runs in every build · RUN ./app.sh --check && touch /passed
Why, next day:
  [advisories 3/3] ← ttl daily rolled over · RUN fetch-advisories.sh >/advisories.txt
  [smoke-test 1/1] ← runs in every build · RUN ./app.sh --check && touch /passed
Why, rules off:
  [advisories 3/3] ← rule removed: ttl=daily · RUN fetch-advisories.sh >/advisories.txt
  [smoke-test 1/1] ← rule removed: off · RUN ./app.sh --check && touch /passed

layers cached: first build 0 of 11, unchanged 11 of 11, source changed 8 of 11, lock changed 6 of 11, CACHEBUST=2 10 of 11
fresh-data cached: first build 0 of 7, same day 6 of 7, next day 5 of 7, rules off 5 of 7, rules off again 7 of 7
`
	if !strings.HasSuffix(out, want) {
		t.Errorf("the output does not end with %q:\n%s", want, out)
	}
}
