package predict_test

import (
	"testing"

	"github.com/cachewright/cachewright/integration/scenario"
)

// TestAfterFailure fails a build and predicts the same one again, before and after
// it comes through: nothing is said of what failed, was not reached, or stands
// beside it, since the record does not learn of the second attempt.
func TestAfterFailure(t *testing.T) {
	t.Parallel()
	sb := scenario.Start(t)
	p := scenario.New(t, sb, combination{
		Dockerfile: "FROM $BASE AS side\nRUN cp /bin/busybox /file\nFROM $BASE\nCOPY file /\n" +
			"RUN --mount=type=secret,id=pass test -e /run/secrets/pass\nCOPY --from=side /file /side\n",
		Files: map[string]string{"file": "$ID"},
	})
	if r, err := sb.Solve(t.Context(), p.Build); err == nil {
		t.Fatalf("it built without the secret:\n%s", r)
	}
	unknown := []string{"side 2/2", "stage-1 3/4", "stage-1 4/4"}
	failed := predict(p)
	p.Secrets = map[string][]byte{"pass": nil}
	built := p.Solve()
	compare(p, failed, states(built), unknown)
	again := predict(p)
	compare(p, again, states(p.Solve()), nil)
}
