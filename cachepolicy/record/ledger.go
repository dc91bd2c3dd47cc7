package record

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
)

// MaxLedgerSteps is how many step keys a ledger holds. Where there are more, those
// that were not used for the longest time go.
const MaxLedgerSteps = 32768

// Ledger holds the keys of all steps that a builder was asked for, whatever project,
// file, target or arguments they come from. What a step's key is decides alone
// whether its result is in the cache, so this is what predictions go by. The zero
// Ledger is empty.
type Ledger struct {
	steps map[cacheplan.Sum]Entry // by the strong key, or the weak one where it has none
	weak  map[cacheplan.Sum]int   // how many entries have that weak key
	gone  filter                  // the keys, strong and weak, that the ledger had no room for
}

// Entry is what a ledger knows of one step key.
type Entry struct {
	Weak cacheplan.Sum
	// Done: a build got beyond the step, so that the builder has, or had, its result.
	// Otherwise a build was asked for the step, and nobody knows what came of it.
	Done bool
	// First and Last are when a build first and last asked for the step, in seconds.
	First, Last time.Time
	// Runs and Reuses count builds: those before which the step was not done, and
	// those before which it was.
	Runs, Reuses uint32
}

// Standing is what a ledger says of a key.
type Standing int

// What a ledger can say of a key.
const (
	Unseen    Standing = iota // no build was asked for it
	Pending                   // one was, and nobody knows what came of it
	Done                      // the builder has, or had, a result
	Forgotten                 // there may have been one, for which there was no room
)

// entryKey is the key that an entry stands under.
func entryKey(k cacheplan.StepKeys) (cacheplan.Sum, bool) {
	if k.StrongOK {
		return k.Strong, true
	}
	return k.Weak, k.WeakOK
}

// Strong says what is known of the step with these keys.
func (l *Ledger) Strong(k cacheplan.StepKeys) Standing {
	e, ok := l.steps[k.Strong]
	switch {
	case !k.StrongOK:
		return Unseen
	case ok && e.Done:
		return Done
	case ok:
		return Pending
	case l.gone.has(k.Strong):
		return Forgotten
	}
	return Unseen
}

// Weak says whether there was a step that follows the same by definition: Done,
// Forgotten or Unseen.
func (l *Ledger) Weak(k cacheplan.StepKeys) Standing {
	switch {
	case l.weak[k.Weak] > 0:
		return Done
	case l.gone.has(k.Weak):
		return Forgotten
	}
	return Unseen
}

// Entry returns what is known of the step with these keys, and whether there is
// anything.
func (l *Ledger) Entry(k cacheplan.StepKeys) (Entry, bool) {
	key, ok := entryKey(k)
	if !ok {
		return Entry{}, false
	}
	e, ok := l.steps[key]
	return e, ok
}

// Len returns how many keys the ledger holds.
func (l *Ledger) Len() int { return len(l.steps) }

// Ask notes that a build at that time asks for steps with these keys, and reports
// whether it is not known of all of them that they are done.
func (l *Ledger) Ask(keys []cacheplan.StepKeys, at time.Time) (news bool) {
	at = at.UTC().Truncate(time.Second)
	seen := map[cacheplan.Sum]bool{}
	for _, k := range keys {
		key, ok := entryKey(k)
		if !ok || seen[key] {
			continue
		}
		seen[key] = true
		e, had := l.steps[key]
		if !had {
			e.First, e.Weak = at, k.Weak
		}
		if e.Last = at; e.Done {
			e.Reuses++
		} else {
			e.Runs++
			news = true
		}
		l.put(key, e)
	}
	l.shrink()
	return news
}

// Finish notes what became of steps that a build asked for: one entry of results for
// each of the keys. What is not known to be done stays as it is.
func (l *Ledger) Finish(keys []cacheplan.StepKeys, results []Result) {
	for i, k := range keys {
		if key, ok := entryKey(k); ok && i < len(results) && results[i].Outcome == OutcomeDone {
			if e, had := l.steps[key]; had {
				e.Done = true
				l.put(key, e)
			}
		}
	}
}

func (l *Ledger) put(key cacheplan.Sum, e Entry) {
	if l.steps == nil {
		l.steps, l.weak = map[cacheplan.Sum]Entry{}, map[cacheplan.Sum]int{}
	}
	if _, had := l.steps[key]; !had {
		l.weak[e.Weak]++
	}
	l.steps[key] = e
}

// shrink forgets the oldest keys above the limit, an eighth at a time.
func (l *Ledger) shrink() {
	if len(l.steps) <= MaxLedgerSteps {
		return
	}
	keys := l.sorted()
	slices.SortStableFunc(keys, func(a, b cacheplan.Sum) int { return l.steps[a].Last.Compare(l.steps[b].Last) })
	for _, key := range keys[:len(keys)-MaxLedgerSteps*7/8] {
		weak := l.steps[key].Weak
		if l.weak[weak]--; l.weak[weak] == 0 {
			delete(l.weak, weak)
		}
		l.gone.add(key)
		l.gone.add(weak)
		delete(l.steps, key)
	}
}

func (l *Ledger) sorted() []cacheplan.Sum {
	keys := make([]cacheplan.Sum, 0, len(l.steps))
	for key := range l.steps {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b cacheplan.Sum) int { return slices.Compare(a[:], b[:]) })
	return keys
}

// Merge adds what another ledger knows.
func (l *Ledger) Merge(other Ledger) {
	for key, e := range other.steps {
		if mine, had := l.steps[key]; had {
			e.Done = e.Done || mine.Done
			e.Runs, e.Reuses = max(e.Runs, mine.Runs), max(e.Reuses, mine.Reuses)
			if mine.First.Before(e.First) {
				e.First = mine.First
			}
			if mine.Last.After(e.Last) {
				e.Last = mine.Last
			}
		}
		l.put(key, e)
	}
	l.gone.merge(other.gone)
	l.shrink()
}

// LedgerOf returns the ledger of a builder that had these builds. Of a build without
// results all steps count as done.
func LedgerOf(past []PastBuild) *Ledger {
	l := &Ledger{}
	for _, b := range past {
		if b.Plan == nil {
			continue
		}
		keys, results := b.Plan.Keys(b.Plan.KnownSets()), b.Results
		if len(results) != len(keys) {
			results = make([]Result, len(keys))
		}
		l.Ask(keys, time.Time{})
		done := slices.Clone(results)
		for i := range done {
			if done[i].Outcome == OutcomeUnknown {
				done[i].Outcome = OutcomeDone
			}
		}
		l.Finish(keys, done)
	}
	return l
}

// ledgerMagic begins the bytes of every ledger; the byte after it is the version.
const (
	ledgerMagic   = "CWLEDGER"
	ledgerVersion = 1
	entryBytes    = 16 + 16 + 1 + 8 + 8 + 4 + 4
	// MaxLedgerBytes is more than an encoded ledger takes.
	MaxLedgerBytes = len(ledgerMagic) + 2 + filterBytes + MaxLedgerSteps*entryBytes + checksumBytes
)

// Encode returns the ledger as bytes, at most MaxLedgerBytes. Equal ledgers give
// equal bytes. Most have forgotten nothing: those have no filter.
func (l *Ledger) Encode() []byte {
	out := append([]byte(ledgerMagic), ledgerVersion)
	if l.gone == (filter{}) {
		out = append(out, 0)
	} else {
		out = append(append(out, 1), l.gone[:]...)
	}
	for _, key := range l.sorted() {
		e := l.steps[key]
		out = append(out, key[:]...)
		out = append(out, e.Weak[:]...)
		done := byte(0)
		if e.Done {
			done = 1
		}
		out = append(out, done)
		out = binary.BigEndian.AppendUint64(out, uint64(e.First.Unix()))
		out = binary.BigEndian.AppendUint64(out, uint64(e.Last.Unix()))
		out = binary.BigEndian.AppendUint32(out, e.Runs)
		out = binary.BigEndian.AppendUint32(out, e.Reuses)
	}
	return append(out, checksum(out)...)
}

var errLedger = errors.New("the ledger is damaged, or of another version")

// DecodeLedger reads a ledger. No bytes at all are an empty one; it fails on bytes
// that are damaged or of another version.
func DecodeLedger(data []byte) (*Ledger, error) {
	l := &Ledger{}
	if len(data) == 0 {
		return l, nil
	}
	header := len(ledgerMagic) + 1
	if len(data) < header+1+checksumBytes || string(data[:header]) != ledgerMagic+string(rune(ledgerVersion)) {
		return l, errLedger
	}
	body := data[:len(data)-checksumBytes]
	if string(checksum(body)) != string(data[len(body):]) {
		return l, errLedger
	}
	forgets := body[header] == 1
	body = body[header+1:]
	if forgets {
		if len(body) < filterBytes {
			return l, errLedger
		}
		copy(l.gone[:], body)
		body = body[filterBytes:]
	}
	if len(body)%entryBytes != 0 || len(body)/entryBytes > MaxLedgerSteps {
		return &Ledger{}, errLedger
	}
	for ; len(body) > 0; body = body[entryBytes:] {
		var key cacheplan.Sum
		var e Entry
		copy(key[:], body)
		copy(e.Weak[:], body[16:])
		e.Done = body[32] == 1
		e.First = time.Unix(int64(binary.BigEndian.Uint64(body[33:])), 0).UTC()
		e.Last = time.Unix(int64(binary.BigEndian.Uint64(body[41:])), 0).UTC()
		e.Runs, e.Reuses = binary.BigEndian.Uint32(body[49:]), binary.BigEndian.Uint32(body[53:])
		l.put(key, e)
	}
	return l, nil
}

// filter is a Bloom filter: it says of every sum that was added that it has it, and
// of few others.
type filter [filterBytes]byte

const (
	filterBytes  = 64 << 10
	filterProbes = 4
)

// bits calls f with the byte and the bit of each probe. A sum is a digest, so its
// own bytes are as good as any hash of it.
func bits(s cacheplan.Sum, f func(i int, bit byte)) {
	for p := range filterProbes {
		n := binary.LittleEndian.Uint32(s[4*p:]) % (8 * filterBytes)
		f(int(n/8), 1<<(n%8))
	}
}

func (f *filter) add(s cacheplan.Sum) {
	bits(s, func(i int, bit byte) { f[i] |= bit })
}

func (f *filter) has(s cacheplan.Sum) bool {
	all := true
	bits(s, func(i int, bit byte) { all = all && f[i]&bit != 0 })
	return all
}

func (f *filter) merge(other filter) {
	for i := range f {
		f[i] |= other[i]
	}
}
