package main

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
)

// shown is what a build writes to a terminal: two states, of which the second
// replaces the first.
const shown = "[+] Building 0.1s (1/2)\r\n\x1b[34m => [internal] load\x1b[0m\r\n\x1b[1A\x1b[1A\x1b[0G\x1b[?25l" +
	"[+] Building 0.2s (2/2) FINISHED   remote:sandbox\r\n" +
	"\x1b[34m => CACHED [1/2] COPY a b     0.0s\r\n\x1b[0m" +
	"\x1b[34m => [2/2] RUN make  ← a & b changed     0.3s\r\n\x1b[0m" +
	"\x1b[34m => [2/2] ← a changed · RUN make  all   0.3s\r\n\x1b[0m" +
	"\x1b[34m => => part of it     0.1s\r\n\x1b[0m\x1b[?25h"

func TestSteps(t *testing.T) {
	want := []line{
		{{"", "[+] Building 0.2s (2/2) FINISHED   remote:sandbox"}},
		{{"dim", " => CACHED [1/2] COPY a b     0.0s"}},
		{{"step", " => [2/2] RUN make  "}, {"reason", "← a & b changed"}, {"step", "     0.3s"}},
		{{"step", " => [2/2] "}, {"reason", "← a changed"}, {"step", " · RUN make  all   0.3s"}},
	}
	if got := steps([]byte(shown)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDraw(t *testing.T) {
	svg := draw(append([]line{commandLine("make")}, steps([]byte(shown))...), columns)
	if err := xml.Unmarshal(svg, new(struct{})); err != nil {
		t.Errorf("not well-formed: %v\n%s", err, svg)
	}
	if want := `<tspan class="reason">← a &amp; b changed</tspan>`; !strings.Contains(string(svg), want) {
		t.Errorf("no %s in\n%s", want, svg)
	}
}
