// Package travel keeps a little data in the result of a step, so that it travels with
// the cache that a build exports. The command "keep" is that step: its key is a name
// alone, and the data comes in its environment, in the variables for proxies, which are
// part of no key. So whoever asks for the name gets the newest data there is.
package travel

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where the frontend mounts what the command writes.
const (
	// OutDir is an empty mount for DataName and NoneName.
	OutDir   = "/cachewright/out"
	DataName = "data"
	// NoneName is an empty directory.
	NoneName = "none"
)

// variables carry the data, in this order.
var variables = []string{"http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"}

// MaxBytes is how much data there is at most. The kernel takes no variable of more than
// 128 KiB, and the daemon sets each of them twice.
const (
	MaxBytes  = partChars * 5 / 4 * 3
	partChars = 96 << 10
)

// Pack returns the values of the variables for some data. It fails for more than
// MaxBytes.
func Pack(data []byte) (values [5]string, err error) {
	if len(data) > MaxBytes {
		return values, fmt.Errorf("%d bytes, at most %d can travel", len(data), MaxBytes)
	}
	text := base64.StdEncoding.EncodeToString(data)
	for i := range values {
		n := min(len(text), partChars)
		values[i], text = text[:n], text[n:]
	}
	return values, nil
}

// Keep writes the data in the environment to DataName in a directory. Data that is not
// whole is none.
func Keep(dir string, getenv func(string) string) error {
	if err := os.Mkdir(filepath.Join(dir, NoneName), 0o755); err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range variables {
		text.WriteString(getenv(name))
	}
	data, err := base64.StdEncoding.DecodeString(text.String())
	if err != nil {
		data = nil
	}
	return os.WriteFile(filepath.Join(dir, DataName), data, 0o644)
}
