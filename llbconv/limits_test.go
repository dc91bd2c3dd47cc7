package llbconv_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/cachewright/cachewright/llbconv"
)

// shapes are Dockerfiles of any size n that grow in one way each. What "arg and
// run" converts to is quadratic by nature: each RUN has all arguments before it.
var shapes = map[string]func(n int) string{
	"run chain":  repeated("FROM scratch\n", "RUN command %d\n"),
	"copy chain": repeated("FROM scratch\n", "COPY a%d /b/\n"),
	"env chain": func(n int) string {
		return "FROM scratch\n" + repeated("ENV V0=x\n", "ENV V%[2]d=$V%[1]d\n")(n)
	},
	"env and run":   repeated("FROM scratch\n", "ENV V=%d\nRUN x\n"),
	"arg and run":   repeated("FROM scratch\n", "ARG A%d=1\nRUN x\n"),
	"labels":        repeated("FROM scratch\n", "LABEL l%d=1\n"),
	"workdirs":      repeated("FROM scratch\n", "WORKDIR /d%d\n"),
	"global args":   func(n int) string { return repeated("ARG A0=1\n", "ARG A%[2]d=$A%[1]d\n")(n) + "FROM scratch\n" },
	"linear stages": repeated("FROM scratch AS s0\nRUN 0\n", "FROM s%[1]d AS s%[2]d\nRUN x\n"),
	"stages":        repeated("", "FROM scratch AS s%d\nRUN x\n"),
	"copies from the stage before": repeated("FROM scratch AS s0\nRUN 0\n",
		"FROM scratch AS s%[2]d\nCOPY --from=s%[1]d /a /a\n"),
	"diamonds": repeated("FROM scratch AS s0\nFROM scratch AS s1\n",
		"FROM s%[1]d AS t%[1]d\nCOPY --from=s%[2]d /a /\nFROM t%[1]d AS s%[3]d\n"),
	"fan-in": func(n int) string {
		return repeated("", "FROM scratch AS s%d\nRUN x\n")(n) + repeated("FROM scratch\n", "COPY --from=s%d /a /\n")(n)
	},
	"mounts of images": repeated("FROM scratch\n", "RUN --mount=from=image%d,target=/t x\n"),
	"onbuild":          func(n int) string { return repeated("FROM scratch AS b\n", "ONBUILD RUN %d\n")(n) + "FROM b\n" },
	"onbuild depth": repeated("FROM scratch AS s0\nONBUILD RUN 0\n",
		"FROM s%[1]d AS s%[2]d\nONBUILD COPY --from=s%[1]d /a /\n"),
	"heredocs":     repeated("FROM scratch\n", "COPY <<EOF%[1]d /a\ntext $A\nEOF%[1]d\n"),
	"continuation": func(n int) string { return "FROM scratch\nRUN x" + strings.Repeat(" && \\\n y", n) + "\n" },
	"words": func(n int) string {
		return "FROM scratch\nENV A=1\nENV B=\"" + strings.Repeat("$A\\\n", n) + "\"\nRUN x\n"
	},
	"one long list": func(n int) string {
		return "FROM scratch\nCOPY " + strings.Repeat("\\\n a", n) + " /b/\n"
	},
	"many documents": func(n int) string {
		return "FROM scratch\nCOPY" + repeated("", " \\\n <<E%d")(n) + " /x/\n" + repeated("", "E%d\n")(n)
	},
	"undefined": repeated("FROM scratch\n", "LABEL l=$undefined%d\n"),
}

// repeated makes a shape of a head and n lines. The lines are given their number
// and the next ones.
func repeated(head, format string) func(int) string {
	return func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			args := []any{i, i + 1, i + 2}
			if !strings.Contains(format, "%[") {
				args = args[:min(1, strings.Count(format, "%"))]
			}
			line := fmt.Sprintf(format, args...)
			line, _, _ = strings.Cut(line, "%!(EXTRA")
			b.WriteString(line)
		}
		return b.String()
	}
}

// TestGrowth converts files of n and of 4n lines of every shape: what is allocated
// must grow with the file, not with its square.
func TestGrowth(t *testing.T) {
	const small, factor = 500, 4
	for name, shape := range shapes {
		if name == "arg and run" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			one, four := allocated(t, shape(small)), allocated(t, shape(small*factor))
			ratio := float64(four) / float64(one)
			t.Logf("%d lines: %d KiB, %d lines: %d KiB, %.1f times as much", small, one>>10, small*factor, four>>10, ratio)
			if measuresMemory && ratio > factor*1.5 {
				t.Errorf("%.1f times the memory for %d times the lines", ratio, factor)
			}
		})
	}
}

// TestLimits converts very large files: they build or fail, in bounded memory.
func TestLimits(t *testing.T) {
	long := strings.Repeat("x", 65_000)
	for _, c := range []struct {
		name, dockerfile, err string
		limit                 uint64 // of allocated bytes, in MiB
	}{
		{"16 MiB", repeated("FROM scratch\n", "RUN "+long+" %d\n")(16 << 20 / len(long)), "", 600},
		{"10 MB in one line", "FROM scratch\nRUN " + strings.Repeat("x", 10_000_000), "dockerfile line greater than max allowed size of 65535", 100},
		{"10 MB in one instruction", "FROM scratch\nRUN x" + strings.Repeat(" \\\n"+long, 150), "", 2000},
		{"5,000 linear stages", shapes["linear stages"](5000), "", 300},
		{"5,000 stages that copy", shapes["copies from the stage before"](5000), "", 300},
		{"20,000 instructions", shapes["run chain"](20_000), "", 600},
		{"5,000 ONBUILD triggers", shapes["onbuild"](5000), "", 300},
		{"50,000 nested substitutions", "FROM scratch\nENV A=" + nested(50_000), "", 2000},
		{"1,000,000 nested substitutions", "FROM scratch\nENV A=" + nested(1_000_000), "more than 50000 nested variable substitutions", 600},
		{"1,000,000 nested substitutions in FROM", "FROM " + nested(1_000_000), "more than 50000 nested variable substitutions", 600},
		{"1,000,000 nested substitutions in a RUN", "FROM scratch\nRUN " + nested(1_000_000), "", 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes := convert(t, c.dockerfile, c.err)
			t.Logf("%d MiB allocated for %d KiB", bytes>>20, len(c.dockerfile)>>10)
			if measuresMemory && bytes > c.limit<<20 {
				t.Errorf("%d MiB allocated, more than %d", bytes>>20, c.limit)
			}
		})
	}
}

// nested is a word with n nested substitutions, over many lines.
func nested(n int) string {
	line := strings.Repeat("${A:-", 10_000) + "\\\n"
	return strings.Repeat(line, n/10_000) + "x" + strings.Repeat(strings.Repeat("}", 10_000)+"\\\n", n/10_000) + "\n"
}

func allocated(t *testing.T, dockerfile string) uint64 {
	t.Helper()
	return convert(t, dockerfile, "")
}

// convert converts and marshals a Dockerfile and returns how many bytes that
// allocated. It must fail with an error that contains the given text, if any.
func convert(t *testing.T, dockerfile, failure string) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := marshalOurs([]byte(dockerfile))
	runtime.ReadMemStats(&after)
	switch {
	case failure == "" && err != nil:
		t.Fatal(err)
	case failure != "" && (err == nil || !strings.Contains(err.Error(), failure)):
		t.Fatalf("error %v, want %s", err, failure)
	}
	return after.TotalAlloc - before.TotalAlloc
}

// marshalOurs converts and marshals with this project's converter.
func marshalOurs(dt []byte) error {
	res, err := llbconv.Convert(context.Background(), dt, benchOptions(dt))
	if err != nil {
		return err
	}
	_, err = res.Definition(context.Background())
	return err
}
