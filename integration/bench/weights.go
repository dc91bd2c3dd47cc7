package bench

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachewright/cachewright/integration/sandbox"
)

// heaviest is how many parts the table of weights has.
const heaviest = 10

// weights compiles ours with its symbols, adds them up by package and compares the
// sum with the stripped binary. It puts binaries into dir.
func weights(ctx context.Context, dir string) (*Table, error) {
	stripped, unstripped := filepath.Join(dir, "stripped"), filepath.Join(dir, "unstripped")
	if err := sandbox.Compile(ctx, platform, oursProgram.pkg, stripped, oursProgram.tags); err != nil {
		return nil, err
	}
	info, err := os.Stat(stripped)
	if err != nil {
		return nil, err
	}
	if err := sandbox.CompileWithSymbols(ctx, platform, oursProgram.pkg, unstripped, oursProgram.tags); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "go", "tool", "nm", "-size", unstripped).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool nm: %w", err)
	}
	sizes, err := byPackage(bytes.NewReader(out))
	if err != nil {
		return nil, err
	}
	return weightsTable(sizes, float64(info.Size())), nil
}

// weightsTable lists the heaviest packages of a binary, and what is in the binary
// besides their code and data.
func weightsTable(sizes map[string]float64, binary float64) *Table {
	t := &Table{Header: []string{"What weighs most in ours, before compression", "size"}}
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), strings.Compare(a, b))
	})
	var others float64
	for i, name := range names {
		binary -= sizes[name]
		if i >= heaviest {
			others += sizes[name]
			continue
		}
		t.Rows = append(t.Rows, []string{"`" + name + "`", megabytes(sizes[name])})
	}
	t.Rows = append(t.Rows,
		[]string{fmt.Sprintf("%d other packages", max(0, len(names)-heaviest)), megabytes(others)},
		[]string{"types, line tables and strings", megabytes(binary)})
	return t
}

// byPackage adds up the lines of go tool nm -size: address, size, kind, symbol.
func byPackage(nm io.Reader) (map[string]float64, error) {
	text, err := io.ReadAll(nm)
	if err != nil {
		return nil, err
	}
	sizes := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		var address, kind, symbol string
		var size float64
		if n, _ := fmt.Sscan(line, &address, &size, &kind, &symbol); n < 4 {
			continue // an undefined symbol has no address
		}
		if name := packageOf(symbol); strings.ContainsAny(kind, "TtRrDd") && name != "" {
			sizes[name] += size
		}
	}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("no symbol in %d bytes of nm's output", len(text))
	}
	return sizes, nil
}

// packageOf returns the package of a symbol such as a/b.(*T).Method or
// a/b.Func[go.shape.int]. It is empty for the linker's own tables, and for
// variables that begin as zero, which nm does not tell from those in the file.
func packageOf(symbol string) string {
	if symbol == "go:func.*" || symbol == "crypto/internal/fips140/drbg.memory" {
		return ""
	}
	for _, prefix := range []string{"type:.eq.", "type:.hash.", "go:itab."} {
		symbol = strings.TrimPrefix(symbol, prefix)
	}
	symbol = strings.TrimLeft(symbol, "*")
	if i := strings.IndexAny(symbol, "([,"); i >= 0 {
		symbol = symbol[:i]
	}
	slash := strings.LastIndexByte(symbol, '/') + 1
	if dot := strings.IndexByte(symbol[slash:], '.'); dot >= 0 {
		symbol = symbol[:slash+dot]
	}
	return strings.ReplaceAll(symbol, "%2e", ".")
}
