package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Table is an outcome, to be printed as Markdown.
type Table struct {
	Header []string
	Rows   [][]string
	// Notes are lines of text below the table.
	Notes []string
}

// Write prints the table as Markdown, the first column to the left and the others
// to the right. It fails when out does, and when a row does not fit the header.
func (t *Table) Write(out io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Header)
	line(append([]string{"---"}, slices.Repeat([]string{"---:"}, len(t.Header)-1)...))
	for _, row := range t.Rows {
		if len(row) != len(t.Header) {
			return fmt.Errorf("row %q has %d cells, the header %d", row, len(row), len(t.Header))
		}
		line(row)
	}
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// samples are what was measured of each side, one value per round.
type samples map[string][]float64

// median returns the middle of a side's values, NaN without any.
func (s samples) median(side string) float64 { return median(s[side]) }

// lowerQuartile returns what a quarter of a side's values are below: a calm moment
// on a machine that is busy most of the time. It is NaN without any value.
func (s samples) lowerQuartile(side string) float64 {
	sorted := slices.Sorted(slices.Values(s[side]))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)/4]
}

// ratio returns the median of a side's value over another's in the same round:
// NaN if the sides do not have the same number of values, or none.
func (s samples) ratio(side, over string) float64 {
	a, b := s[side], s[over]
	if len(a) != len(b) {
		return math.NaN()
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

// difference returns the median of a side's value less another's in the same
// round: NaN as ratio.
func (s samples) difference(side, less string) float64 {
	a, b := s[side], s[less]
	if len(a) != len(b) {
		return math.NaN()
	}
	differences := make([]float64, len(a))
	for i := range a {
		differences[i] = a[i] - b[i]
	}
	return median(differences)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func milliseconds(seconds float64) string { return fmt.Sprintf("%.1f ms", seconds*1e3) }

func megabytes(bytes float64) string { return fmt.Sprintf("%.2f MB", bytes/1e6) }

func ratio(r float64) string { return fmt.Sprintf("%.2f", r) }
