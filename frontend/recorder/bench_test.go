package recorder

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/record"
)

// BenchmarkRecord measures one call of the recorder in a build in which one file
// changed, with a record of 16 builds: warm with an index, cold without.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []struct{ files, bytes int }{{1_000, 10_000}, {20_000, 25_000}} {
		x := newBox(b)
		content := make([]byte, size.bytes)
		for i := range size.files {
			name := filepath.Join(x.context(), fmt.Sprintf("src/package%03d/file%05d.go", i/100, i))
			x.must(os.MkdirAll(filepath.Dir(name), 0o755))
			x.must(os.WriteFile(name, fmt.Append(content, i), 0o644))
		}
		age(b, x.context())
		n := 0
		change := func() {
			n++
			x.must(os.WriteFile(filepath.Join(x.context(), "src/package003/file00300.go"), fmt.Append(nil, n), 0o644))
		}
		for range record.MaxBuilds {
			x.good(x.run(ModeRecord, copyPlan(".")))
			change()
		}
		for _, warm := range []bool{true, false} {
			b.Run(fmt.Sprintf("%d-files-warm=%v", size.files, warm), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					change()
					if !warm {
						x.must(os.RemoveAll(x.Records))
						x.must(os.Mkdir(x.Records, 0o755))
					}
					b.StartTimer()
					if err := Run(x.Dirs); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
