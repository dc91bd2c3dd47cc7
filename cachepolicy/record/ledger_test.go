package record_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// key returns the keys of a step; the weak one is shared by every ten.
func key(n int) cacheplan.StepKeys {
	var k cacheplan.StepKeys
	h := cacheplan.NewHasher()
	h.Add(string(binary.BigEndian.AppendUint64(nil, uint64(n))))
	k.Strong, k.StrongOK = h.Sum(), true
	h = cacheplan.NewHasher()
	h.Add("weak" + string(binary.BigEndian.AppendUint64(nil, uint64(n/10))))
	k.Weak, k.WeakOK = h.Sum(), true
	return k
}

// A step is done once that is known, and not before.
func TestLedger(t *testing.T) {
	var l record.Ledger
	keys := []cacheplan.StepKeys{key(1), key(2), {}}
	check := func(k cacheplan.StepKeys, want record.Standing) {
		t.Helper()
		if got := l.Strong(k); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	check(key(1), record.Unseen)
	if !l.Ask(keys, time.Unix(5, 0)) {
		t.Error("new steps are not new")
	}
	check(key(1), record.Pending)
	l.Finish(keys, []record.Result{{Outcome: record.OutcomeDone}, {Outcome: record.OutcomeFailed}, {Outcome: record.OutcomeDone}})
	check(key(1), record.Done)
	check(key(2), record.Pending)
	check(cacheplan.StepKeys{}, record.Unseen)
	if l.Weak(key(3)) != record.Done || l.Weak(key(10)) != record.Unseen {
		t.Error("weak keys")
	}
	if l.Ask(keys[:1], time.Unix(9, 0)) {
		t.Error("a step that is done is new")
	}
	if e, _ := l.Entry(key(1)); e.First.Unix() != 5 || e.Last.Unix() != 9 || e.Runs != 1 || e.Reuses != 1 {
		t.Errorf("%+v", e)
	}
}

// What a ledger has no room for is neither done nor new.
func TestLedgerForgets(t *testing.T) {
	var l record.Ledger
	const n = record.MaxLedgerSteps + 1
	for i := range n {
		l.Ask([]cacheplan.StepKeys{key(i)}, time.Unix(int64(i), 0))
	}
	if l.Len() > record.MaxLedgerSteps || l.Strong(key(n-1)) != record.Pending {
		t.Errorf("%d keys, the last is %v", l.Len(), l.Strong(key(n-1)))
	}
	if l.Strong(key(0)) != record.Forgotten || l.Weak(key(0)) != record.Forgotten {
		t.Errorf("the first is %v", l.Strong(key(0)))
	}
	wrong := 0
	for i := range 10_000 {
		if l.Strong(key(10*n+i)) != record.Unseen {
			wrong++
		}
	}
	if wrong > 100 {
		t.Errorf("%d of 10,000 unseen keys count as forgotten", wrong)
	}
	data := l.Encode()
	back, err := record.DecodeLedger(data)
	if err != nil || len(data) > record.MaxLedgerBytes || !bytes.Equal(back.Encode(), data) {
		t.Errorf("%d bytes came back otherwise: %v", len(data), err)
	}
	for _, i := range []int{0, 9, 5000, len(data) - 1} {
		damaged := bytes.Clone(data)
		damaged[i] ^= 1
		if back, err := record.DecodeLedger(damaged); err == nil || back.Len() != 0 {
			t.Errorf("byte %d is damaged: %v, %d keys", i, err, back.Len())
		}
	}
}

func TestLedgerMerge(t *testing.T) {
	var a, b record.Ledger
	a.Ask([]cacheplan.StepKeys{key(1)}, time.Unix(5, 0))
	b.Ask([]cacheplan.StepKeys{key(1), key(20)}, time.Unix(3, 0))
	b.Finish([]cacheplan.StepKeys{key(1)}, []record.Result{{Outcome: record.OutcomeDone}})
	a.Merge(b)
	if e, _ := a.Entry(key(1)); !e.Done || e.First.Unix() != 3 || e.Last.Unix() != 5 || a.Strong(key(20)) != record.Pending {
		t.Errorf("%+v", e)
	}
}
