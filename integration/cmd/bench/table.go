package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// The units that the benchmarks report, as benchfmt names them.
const (
	seconds = "cpu-sec/op" // of the processor
	size    = "B/op"
	allocs  = "allocs/op"
)

// sample is a benchmark's values of each unit, one per round.
type sample map[string][]float64

// measurements are the samples of a run.
type measurements struct {
	// files, requests and shapes are the names of the rows, in the order of the run.
	files, requests, shapes []string
	converted, answered     map[string]map[string]sample // file or request, then "ours" or "upstream"
	grown                   map[string]map[int]sample    // shape, then number of lines
}

func newMeasurements() *measurements {
	return &measurements{
		converted: map[string]map[string]sample{},
		answered:  map[string]map[string]sample{},
		grown:     map[string]map[int]sample{},
	}
}

// add takes one line of output, of BenchmarkConvert/FILE/SIDE,
// BenchmarkSubrequest/REQUEST/SIDE or BenchmarkGrowth/SHAPE/LINES; any other name is
// an error.
func (m *measurements) add(r *benchfmt.Result) error {
	base, parts := r.Name.Parts()
	var of []string
	for _, part := range parts {
		// The last part is the number of processors: -4.
		if part[0] == '/' {
			of = append(of, string(part[1:]))
		}
	}
	if len(of) != 2 {
		return fmt.Errorf("benchmark %s: want two parts after the name", r.Name)
	}
	switch string(base) {
	case "Convert":
		record(&m.files, m.converted, of[0], of[1], r)
	case "Subrequest":
		record(&m.requests, m.answered, of[0], of[1], r)
	case "Growth":
		lines, err := strconv.Atoi(of[1])
		if err != nil {
			return fmt.Errorf("benchmark %s: want a number of lines: %w", r.Name, err)
		}
		record(&m.shapes, m.grown, of[0], lines, r)
	default:
		return fmt.Errorf("benchmark %s: no table has it", r.Name)
	}
	return nil
}

func record[K comparable](names *[]string, samples map[string]map[K]sample, name string, key K, r *benchfmt.Result) {
	if samples[name] == nil {
		*names = append(*names, name)
		samples[name] = map[K]sample{}
	}
	if samples[name][key] == nil {
		samples[name][key] = sample{}
	}
	for _, v := range r.Values {
		samples[name][key][v.Unit] = append(samples[name][key][v.Unit], v.Value)
	}
}

// write prints the tables. A conversion that lacks a side or a size is an error; of
// subrequests, upstream cannot answer all.
func write(out io.Writer, m *measurements) error {
	var b strings.Builder
	for _, table := range []func(*strings.Builder) error{m.writeConverted, m.writeAnswered, m.writeGrown} {
		if err := table(&b); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (m *measurements) writeConverted(b *strings.Builder) error {
	b.WriteString("| Convert and marshal | ours | upstream | CPU time | bytes | allocations |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, name := range m.files {
		ours, upstream := m.converted[name]["ours"], m.converted[name]["upstream"]
		if ours == nil || upstream == nil {
			return fmt.Errorf("%s was not measured with both converters", name)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", name,
			milliseconds(ours.median(seconds)), milliseconds(upstream.median(seconds)),
			ratio(upstream, ours, seconds), ratio(upstream, ours, size), ratio(upstream, ours, allocs))
	}
	return nil
}

func (m *measurements) writeAnswered(b *strings.Builder) error {
	b.WriteString("\n| Subrequest | ours | upstream |\n| --- | ---: | ---: |\n")
	for _, name := range m.requests {
		ours, upstream := m.answered[name]["ours"], "-"
		if ours == nil {
			return fmt.Errorf("%s was not measured with our converter", name)
		}
		if s := m.answered[name]["upstream"]; s != nil {
			upstream = milliseconds(s.median(seconds))
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, milliseconds(ours.median(seconds)), upstream)
	}
	return nil
}

func (m *measurements) writeGrown(b *strings.Builder) error {
	b.WriteString("\n| Growth of ours | 1,000 | 10,000 | exponent: CPU time | bytes |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, name := range m.shapes {
		one, ten := m.grown[name][1000], m.grown[name][10_000]
		if one == nil || ten == nil {
			return errors.New(name + " was not measured with 1,000 and 10,000 lines")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %.2f | %.2f |\n", strings.ReplaceAll(name, "_", " "),
			milliseconds(one.median(seconds)), milliseconds(ten.median(seconds)),
			exponent(one, ten, seconds), exponent(one, ten, size))
	}
	return nil
}

// median returns the middle value of a unit, NaN without any.
func (s sample) median(unit string) float64 {
	values := slices.Sorted(slices.Values(s[unit]))
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

// ratio says how many times as much upstream needs.
func ratio(upstream, ours sample, unit string) string {
	return fmt.Sprintf("%.1fx", upstream.median(unit)/ours.median(unit))
}

// exponent is the slope between two sizes, one ten times the other, on
// logarithmic scales: 1 is linear, 2 quadratic.
func exponent(one, ten sample, unit string) float64 {
	return math.Log10(ten.median(unit) / one.median(unit))
}

func milliseconds(s float64) string {
	return fmt.Sprintf("%.2f ms", s*1000)
}
