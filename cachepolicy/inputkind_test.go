package cachepolicy

import (
	"testing"

	"github.com/cachewright/cachewright/cachepolicy/internal/kindtest"
)

// Every kind of input has its row, and says in it what it is.
func TestInputKinds(t *testing.T) {
	for kind, row := range inputRows {
		if row.reason == "" || row.form == FormPlain {
			t.Errorf("the row of %s lacks its reason or form: %+v", kind, row)
		}
	}
	kindtest.Same(t, "the source", kindtest.Constants(t, ".", "InputKind"), "inputRows", inputRows)
}

// An input of a kind that only a newer version has is compared as a setting by its
// name and value.
func TestUnknownInputKind(t *testing.T) {
	k := InputKind("of a newer version")
	if k.Reason() != "setting-changed" || k.Form() != FormPlain || k.Group() != k {
		t.Errorf("%s, %d, %s", k.Reason(), k.Form(), k.Group())
	}
	if k.IsVariable() || k.IsAssigned() || k.IsQuoted() || k.NamedElsewhere() || k.IsOnce() || k.MayBeWithheld() || k.CalledByKind() {
		t.Error("something is known of it")
	}
}
