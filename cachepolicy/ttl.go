package cachepolicy

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/internal/phrase"
)

// TTL is the value of ttl: time is cut into windows of this length, and a result
// is reused within its window only.
//
// There are two forms. A duration (90s, 15m, 24h, 7d, 2w) has windows that are
// shifted per step, so that not everything expires at once. A calendar form
// (daily, weekly, weekly@wed, monthly) has windows that begin at midnight UTC,
// for every step alike.
type TTL struct {
	seconds  int64 // of a duration form
	calendar calendar
	weekday  time.Weekday // of calendarWeekly
}

type calendar int

const (
	calendarNone calendar = iota
	calendarDaily
	calendarWeekly
	calendarMonthly
)

const (
	secondsPerDay = 24 * 60 * 60
	daysPerWeek   = 7
	monthsPerYear = 12
	// maxTTLSeconds is the longest duration that a time.Duration can hold.
	maxTTLSeconds = int64(math.MaxInt64 / time.Second)
)

var (
	ttlUnits    = map[byte]int64{'s': 1, 'm': 60, 'h': 60 * 60, 'd': secondsPerDay, 'w': daysPerWeek * secondsPerDay}
	weekdays    = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday
	calendarTTL = []string{"daily", "weekly", "monthly"}
	// otherSpellings are what people write for a calendar form.
	otherSpellings = map[string]string{
		"day": "daily", "week": "weekly", "month": "monthly", "1mo": "monthly", "1month": "monthly",
		"1day": "1d", "1week": "1w", "1hour": "1h", "hourly": "1h", "yearly": "52w",
	}
)

// ParseTTL reads a duration form (a whole number and one of s, m, h, d, w; at
// least 1s, at most some 292 years) or a calendar form. The error is an *Error.
func ParseTTL(text string) (TTL, error) {
	t, err := parseTTL(text)
	if err != nil {
		err.Option = OptionTTL
		return TTL{}, err
	}
	return t, nil
}

func parseTTL(text string) (TTL, *Error) {
	switch text {
	case "daily":
		return TTL{calendar: calendarDaily}, nil
	case "weekly":
		return TTL{calendar: calendarWeekly, weekday: time.Monday}, nil
	case "monthly":
		return TTL{calendar: calendarMonthly}, nil
	}
	if form, day, ok := strings.Cut(text, "@"); ok {
		return parseWeekly(text, form, day)
	}
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	if len(digits) != len(text)-1 || strings.Trim(digits, "0123456789") != "" || digits == "" {
		return TTL{}, badTTL(text)
	}
	unit, ok := ttlUnits[text[len(digits)]]
	if !ok {
		return TTL{}, badTTL(text)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > maxTTLSeconds/unit {
		return TTL{}, &Error{Message: fmt.Sprintf("%s is too long; at most %dw", text, maxTTLSeconds/ttlUnits['w'])}
	}
	if n == 0 {
		return TTL{}, &Error{Message: fmt.Sprintf("%s is no time at all; at least 1s, or off to run in every build", text)}
	}
	return TTL{seconds: n * unit}, nil
}

func parseWeekly(text, form, day string) (TTL, *Error) {
	if form != "weekly" {
		e := &Error{Message: fmt.Sprintf("%q: only weekly takes a day, as in weekly@mon", text)}
		if slices.Contains(weekdays, day) {
			e.Suggestion = "weekly@" + day
		}
		return TTL{}, e
	}
	i := slices.Index(weekdays, day)
	if i < 0 {
		e := &Error{Message: fmt.Sprintf("%q is not a day; write weekly@ and one of mon, tue, wed, thu, fri, sat, sun", day)}
		if len(day) >= 3 {
			if i := slices.Index(weekdays, strings.ToLower(day[:3])); i >= 0 {
				e.Suggestion = "weekly@" + weekdays[i]
			}
		}
		return TTL{}, e
	}
	return TTL{calendar: calendarWeekly, weekday: time.Weekday(i)}, nil
}

// badTTL explains a text that is no form of ttl.
func badTTL(text string) *Error {
	e := &Error{Message: fmt.Sprintf("%q is not a duration; write a whole number with s, m, h, d or w, such as 24h, or daily, weekly, weekly@mon, monthly", text)}
	lower := strings.ToLower(text)
	switch d, err := time.ParseDuration(lower); {
	case otherSpellings[lower] != "":
		e.Suggestion = otherSpellings[lower]
	case lower != text:
		if _, err := parseTTL(lower); err == nil {
			e.Suggestion = lower
		}
	case err == nil && d >= time.Second && d%time.Second == 0:
		e.Suggestion = TTL{seconds: int64(d / time.Second)}.String()
	default:
		e.Suggestion = phrase.Nearest(text, calendarTTL)
	}
	return e
}

// String returns the TTL in its shortest form: 60m and 1h are both 1h, weekly and
// weekly@mon are both weekly.
func (t TTL) String() string {
	switch t.calendar {
	case calendarDaily:
		return "daily"
	case calendarWeekly:
		if t.weekday == time.Monday {
			return "weekly"
		}
		return "weekly@" + weekdays[t.weekday]
	case calendarMonthly:
		return "monthly"
	case calendarNone:
	}
	for _, unit := range []byte("wdhm") {
		if n := ttlUnits[unit]; t.seconds%n == 0 {
			return strconv.FormatInt(t.seconds/n, 10) + string(unit)
		}
	}
	return strconv.FormatInt(t.seconds, 10) + "s"
}

// Window is one of the spans of time that a TTL cuts time into.
type Window struct {
	// Index is the window's number. It grows by one from window to window.
	Index int64
	// Start is the first moment of the window, End the first one after it; UTC.
	Start, End time.Time
}

// Window returns the window that now falls in. The windows of a duration form
// are shifted by an amount that depends on identity alone: bytes that tell the
// step from others and stay the same from build to build, such as its stage's
// name and its text. They are not used for a calendar form.
func (t TTL) Window(now time.Time, identity []byte) Window {
	now = now.UTC()
	switch t.calendar {
	case calendarDaily:
		return dayWindow(now, 1, 0)
	case calendarWeekly:
		return dayWindow(now, daysPerWeek, daysAfterEpoch(t.weekday))
	case calendarMonthly:
		index := int64(now.Year())*monthsPerYear + int64(now.Month()) - 1
		return Window{Index: index, Start: monthStart(now, 0), End: monthStart(now, 1)}
	case calendarNone:
	}
	return secondsWindow(now.Unix(), t.seconds, offset(identity, t.seconds))
}

func monthStart(now time.Time, months int) time.Time {
	return time.Date(now.Year(), now.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
}

// daysAfterEpoch returns how many days after 1970-01-01, a Thursday, the next
// such weekday was: 0 to 6.
func daysAfterEpoch(d time.Weekday) int64 {
	return int64((d - time.Thursday + daysPerWeek) % daysPerWeek)
}

// dayWindow returns the window of so many days, one of which begins on the given
// day after 1970-01-01.
func dayWindow(now time.Time, days, firstDay int64) Window {
	length := days * secondsPerDay
	return secondsWindow(now.Unix(), length, (length-firstDay*secondsPerDay)%length)
}

// secondsWindow cuts Unix time into windows of a length in seconds, each
// beginning shift seconds before a multiple of it; 0 <= shift < length.
func secondsWindow(unix, length, shift int64) Window {
	index, rest := unix/length, unix%length
	if rest < 0 { // the quotient of a time before 1970 was rounded up
		index, rest = index-1, rest+length
	}
	if rest >= length-shift {
		index++
	}
	start := time.Unix(index*length-shift, 0).UTC()
	return Window{Index: index, Start: start, End: start.Add(time.Duration(length) * time.Second)}
}

// offset returns a number of seconds in [0, length) that depends on identity
// alone.
func offset(identity []byte, length int64) int64 {
	sum := sha256.Sum256(append([]byte("cachewright/1 ttl offset\n"), identity...))
	return int64(binary.BigEndian.Uint64(sum[:8]) % uint64(length))
}
