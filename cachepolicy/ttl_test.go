package cachepolicy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseTTL(t *testing.T) {
	for text, want := range map[string]string{
		"90s": "90s", "15m": "15m", "24h": "1d", "7d": "1w", "2w": "2w", "60m": "1h", "1s": "1s", "007d": "1w",
		"daily": "daily", "weekly": "weekly", "weekly@mon": "weekly", "weekly@sun": "weekly@sun", "monthly": "monthly",
		"15250w": "15250w", "9223372036s": "9223372036s",
	} {
		got, err := ParseTTL(text)
		if err != nil || got.String() != want {
			t.Errorf("ParseTTL(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestParseTTLErrors(t *testing.T) {
	for _, tt := range []struct{ text, message, suggestion string }{
		{"", "is not a duration", ""},
		{"24", "is not a duration", ""},
		{"h", "is not a duration", ""},
		{"-1h", "is not a duration", ""},
		{"+1h", "is not a duration", "1h"},
		{"1.5h", "is not a duration", "90m"},
		{"1h30m", "is not a duration", "90m"},
		{"24H", "is not a duration", "24h"},
		{"Daily", "is not a duration", "daily"},
		{"dayly", "is not a duration", "daily"},
		{"weeky", "is not a duration", "weekly"},
		{"month", "is not a duration", "monthly"},
		{"hourly", "is not a duration", "1h"},
		{"1y", "is not a duration", ""},
		{"500ms", "is not a duration", ""},
		{"0h", "no time at all", ""},
		{"000s", "no time at all", ""},
		{"15251w", "too long", ""},
		{"9223372037s", "too long", ""},
		{"99999999999999999999h", "too long", ""},
		{"daily@mon", "only weekly takes a day", "weekly@mon"},
		{"1w@mon", "only weekly takes a day", "weekly@mon"},
		{"x@y", "only weekly takes a day", ""},
		{"weekly@monday", "is not a day", "weekly@mon"},
		{"weekly@Tue", "is not a day", "weekly@tue"},
		{"weekly@", "is not a day", ""},
		{"weekly@1", "is not a day", ""},
	} {
		_, err := ParseTTL(tt.text)
		e, ok := err.(*Error)
		if !ok || !strings.Contains(e.Message, tt.message) || e.Suggestion != tt.suggestion || e.Option != OptionTTL {
			t.Errorf("ParseTTL(%q): %v, want %q and suggestion %q", tt.text, err, tt.message, tt.suggestion)
		}
	}
}

func mustTTL(t testing.TB, text string) TTL {
	t.Helper()
	ttl, err := ParseTTL(text)
	if err != nil {
		t.Fatal(err)
	}
	return ttl
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	tm, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

// Calendar windows begin at known moments; the last nanosecond before one is in
// the window before.
func TestCalendarWindows(t *testing.T) {
	for _, tt := range []struct{ ttl, now, start, end string }{
		{"daily", "2026-05-17T13:00:00Z", "2026-05-17", "2026-05-18"},
		{"daily", "2026-05-17T00:00:00Z", "2026-05-17", "2026-05-18"},
		{"daily", "2026-05-17T01:30:00+02:00", "2026-05-16", "2026-05-17"},
		{"daily", "2024-02-29T23:59:59.999999999Z", "2024-02-29", "2024-03-01"},
		{"daily", "1969-12-31T23:59:59Z", "1969-12-31", "1970-01-01"},
		{"daily", "0001-01-01T00:00:00Z", "0001-01-01", "0001-01-02"},
		{"daily", "9999-12-31T12:00:00Z", "9999-12-31", "10000-01-01"},
		{"daily", "2016-12-31T23:59:59Z", "2016-12-31", "2017-01-01"}, // ends in a leap second
		{"weekly", "2026-05-17T23:59:59.999999999Z", "2026-05-11", "2026-05-18"},
		{"weekly", "2026-05-18T00:00:00Z", "2026-05-18", "2026-05-25"},
		{"weekly", "2027-01-01T00:00:00Z", "2026-12-28", "2027-01-04"}, // ISO week 2026-W53
		{"weekly", "1970-01-01T00:00:00Z", "1969-12-29", "1970-01-05"},
		{"weekly@wed", "2026-05-17T00:00:00Z", "2026-05-13", "2026-05-20"},
		{"weekly@thu", "1970-01-01T00:00:00Z", "1970-01-01", "1970-01-08"},
		{"weekly@thu", "1969-12-31T23:59:59Z", "1969-12-25", "1970-01-01"},
		{"weekly@sun", "2024-02-29T00:00:00Z", "2024-02-25", "2024-03-03"},
		{"monthly", "2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"},
		{"monthly", "2026-12-31T23:59:59.999999999Z", "2026-12-01", "2027-01-01"},
		{"monthly", "1969-12-31T23:59:59Z", "1969-12-01", "1970-01-01"},
		{"monthly", "9999-12-31T23:59:59Z", "9999-12-01", "10000-01-01"},
	} {
		t.Run(tt.ttl+" "+tt.now, func(t *testing.T) {
			w := mustTTL(t, tt.ttl).Window(at(t, tt.now), []byte("not used"))
			if start, end := w.Start.Format(time.DateOnly), w.End.Format(time.DateOnly); start != tt.start || end != tt.end {
				t.Errorf("%s to %s, want %s to %s", start, end, tt.start, tt.end)
			}
			checkWindow(t, mustTTL(t, tt.ttl), at(t, tt.now), nil)
		})
	}
}

// checkWindow asserts what holds for every window: now is inside, both edges are
// exact, and the neighbours have the neighbouring numbers.
func checkWindow(t *testing.T, ttl TTL, now time.Time, identity []byte) {
	t.Helper()
	w := ttl.Window(now, identity)
	if now.Before(w.Start) || !now.Before(w.End) {
		t.Fatalf("%s at %s: not inside %s to %s", ttl, now, w.Start, w.End)
	}
	for _, e := range []struct {
		at   time.Time
		want int64
	}{
		{w.Start, w.Index}, {w.End.Add(-1), w.Index}, {w.Start.Add(-1), w.Index - 1}, {w.End, w.Index + 1},
	} {
		if got := ttl.Window(e.at, identity).Index; got != e.want {
			t.Fatalf("%s at %s: window %d, want %d", ttl, e.at, got, e.want)
		}
	}
	if w.Start.Location() != time.UTC {
		t.Fatalf("%s is not in UTC", w.Start)
	}
}

// Weekly windows are ISO weeks.
func TestWeeklyIsISOWeek(t *testing.T) {
	ttl := mustTTL(t, "weekly")
	for day := at(t, "1960-01-01T12:00:00Z"); day.Year() < 2040; day = day.AddDate(0, 0, 1) {
		sameWindow := ttl.Window(day, nil).Index == ttl.Window(day.AddDate(0, 0, 1), nil).Index
		y1, w1 := day.ISOWeek()
		y2, w2 := day.AddDate(0, 0, 1).ISOWeek()
		if sameWindow != (y1 == y2 && w1 == w2) {
			t.Fatalf("%s: same window %v, ISO weeks %d-%d and %d-%d", day, sameWindow, y1, w1, y2, w2)
		}
	}
}

func TestDurationWindows(t *testing.T) {
	for _, text := range []string{"1s", "90s", "15m", "24h", "7d", "2w", "52w", "15250w"} {
		for _, now := range []string{"2026-05-17T13:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "1900-02-28T00:00:00Z",
			"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T23:59:59.999999999Z"} {
			ttl := mustTTL(t, text)
			for i := range 20 {
				identity := fmt.Appendf(nil, "step %d", i)
				checkWindow(t, ttl, at(t, now), identity)
				w := ttl.Window(at(t, now), identity)
				if got := w.End.Unix() - w.Start.Unix(); got != ttl.seconds {
					t.Fatalf("%s: window of %d seconds", text, got)
				}
			}
		}
	}
}

// The windows of different steps end at different times, spread over the length;
// those of one step do not move.
func TestDurationOffsets(t *testing.T) {
	ttl, now := mustTTL(t, "24h"), at(t, "2026-05-17T13:00:00Z")
	quarter := map[int64]int{}
	for i := range 400 {
		w := ttl.Window(now, fmt.Appendf(nil, "RUN %d", i))
		quarter[(w.End.Unix()%secondsPerDay)/(secondsPerDay/4)]++
	}
	for q := range int64(4) {
		if quarter[q] < 60 {
			t.Errorf("only %d of 400 windows end in quarter %d of the day", quarter[q], q)
		}
	}
	// These figures are part of everybody's cache keys: they must never change.
	w := ttl.Window(now, []byte("app\nRUN npm ci"))
	if got := fmt.Sprintf("%d %s", w.Index, w.Start.Format(time.RFC3339)); got != "20590 2026-05-16T19:58:35Z" {
		t.Errorf("the offset of a known step changed: %s", got)
	}
}

func FuzzTTL(f *testing.F) {
	for _, s := range []string{"90s", "24h", "weekly@mon", "monthly", "1h30m", "0s", "weekly@", "99999999999w"} {
		f.Add(s, int64(1_779_000_000), []byte("x"))
	}
	f.Add("1s", int64(minUnix), []byte{})
	f.Add("15250w", int64(maxUnix), []byte("y"))
	f.Fuzz(func(t *testing.T, text string, unix int64, identity []byte) {
		ttl, err := ParseTTL(text)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Message == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := ParseTTL(ttl.String())
		if err != nil || again != ttl {
			t.Fatalf("%q reads as %v, which reads as %v, %v", text, ttl, again, err)
		}
		checkWindow(t, ttl, time.Unix(min(max(unix, minUnix), maxUnix), 0), identity)
	})
}
