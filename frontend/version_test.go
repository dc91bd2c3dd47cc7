package frontend

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests"
)

// TestVersion sets a version as the linker does and looks for it in what is answered.
func TestVersion(t *testing.T) {
	if got := Version(); got != "" {
		t.Errorf("a test is of version %q", got)
	}
	version = "v1.2.3"
	t.Cleanup(func() { version = "" })
	if got := Version(); got != "v1.2.3" {
		t.Errorf("Version is %q", got)
	}
	res, err := answerDescribe(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []subrequests.Request
	if err := json.Unmarshal(res.Metadata["result.json"], &list); err != nil {
		t.Fatal(err)
	}
	if last := list[len(list)-1]; !strings.HasSuffix(last.Description, " of cachewright v1.2.3") {
		t.Errorf("describe is described as %q", last.Description)
	}
	if text := string(res.Metadata["result.txt"]); !strings.Contains(text, "cachewright v1.2.3") {
		t.Errorf("no version in\n%s", text)
	}
	data, err := encodeExplanations(nil)
	if err != nil || !strings.Contains(string(data), `"frontend":"v1.2.3"`) {
		t.Errorf("no version in the metadata: %s (%v)", data, err)
	}
}
