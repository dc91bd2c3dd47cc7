package main

import (
	"strings"
	"testing"
)

const output = `goos: linux
BenchmarkConvert/typical/ours-4         	 100	 2000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkConvert/typical/upstream-4     	 100	 3000000 cpu-ns/op	  300 B/op	 20 allocs/op
BenchmarkSubrequest/outline-of-9/ours-4 	 100	 1000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkSubrequest/outline-of-2/ours-4 	 100	 1000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkSubrequest/outline-of-2/upstream-4 	 100	 4000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkGrowth/run_chain/1000-4        	 100	 1000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkGrowth/run_chain/10000-4       	 100	10000000 cpu-ns/op	10000 B/op	100 allocs/op
PASS
BenchmarkConvert/typical/ours-4         	 100	 9000000 cpu-ns/op	  100 B/op	 10 allocs/op
BenchmarkConvert/typical/upstream-4     	 100	 4000000 cpu-ns/op	  300 B/op	 20 allocs/op
PASS
BenchmarkConvert/typical/ours-4         	 100	 1000000 cpu-ns/op	  100 B/op	 10 allocs/op
`

// The values are medians of all rounds, and factors are upstream's over ours.
func TestTable(t *testing.T) {
	const want = `| Convert and marshal | ours | upstream | CPU time | bytes | allocations |
| --- | ---: | ---: | ---: | ---: | ---: |
| typical | 2.00 ms | 3.50 ms | 1.8x | 3.0x | 2.0x |

| Subrequest | ours | upstream |
| --- | ---: | ---: |
| outline-of-9 | 1.00 ms | - |
| outline-of-2 | 1.00 ms | 4.00 ms |

| Growth of ours | 1,000 | 10,000 | exponent: CPU time | bytes |
| --- | ---: | ---: | ---: | ---: |
| run chain | 1.00 ms | 10.00 ms | 1.00 | 2.00 |
`
	m, err := read(strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := write(&b, m); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Nothing that was measured, or should have been, is left out silently.
func TestIncomplete(t *testing.T) {
	for _, c := range []struct{ name, output, err string }{
		{"one side", "BenchmarkConvert/typical/ours-4 1 5 cpu-ns/op\n", "typical was not measured with both converters"},
		{"upstream alone", "BenchmarkSubrequest/outline/upstream-4 1 5 cpu-ns/op\n", "outline was not measured with our converter"},
		{"one size", "BenchmarkGrowth/chain/1000-4 1 5 cpu-ns/op\n", "chain was not measured with 1,000 and 10,000 lines"},
		{"size", "BenchmarkGrowth/chain/many-4 1 5 cpu-ns/op\n", "want a number of lines"},
		{"other name", "BenchmarkOther/a/b-4 1 5 cpu-ns/op\n", "no table has it"},
		{"other depth", "BenchmarkConvert/a-4 1 5 cpu-ns/op\n", "want two parts after the name"},
		{"other text", "BenchmarkConvert/a/ours-4 1 5\n", "bench.txt:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := read(strings.NewReader(c.output))
			if err == nil {
				err = write(&strings.Builder{}, m)
			}
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %s", err, c.err)
			}
		})
	}
}
