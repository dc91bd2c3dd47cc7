package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/integration/sandbox"
)

func TestShow(t *testing.T) {
	sb := sandbox.Shared(t, sandbox.Alpine)
	if err := sb.PushFrontend(t.Context(), sandbox.FrontendRef); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := show(t.Context(), sb, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
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

layers cached: first build 0 of 11, unchanged 11 of 11, one source changed 8 of 11, other CACHEBUST 10 of 11
fresh-data cached: first build 0 of 7, same day 6 of 7, next day 5 of 7, rules off 5 of 7, rules off again 7 of 7
`
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("the output does not end with %q:\n%s", want, &out)
	}
}
