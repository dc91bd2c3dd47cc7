// Command gosbom is an SBOM scanner for Go programs, for BuildKit's --sbom
// generator=IMAGE: it looks for programs in the filesystems that the build gives
// it, and lists the modules that each was linked from, as the Go toolchain noted
// them in the program. Anything but Go programs is left out.
//
// BuildKit's SBOM scanning protocol sets its environment:
//
//	BUILDKIT_SCAN_DESTINATION    directory for one SBOM per filesystem
//	BUILDKIT_SCAN_SOURCE         filesystem of the image
//	BUILDKIT_SCAN_SOURCE_EXTRAS  directory of more filesystems, optional
//
// The scanner's parameter SOURCE_DATE_EPOCH is the SBOMs' time of creation in Unix
// seconds; without it they have the present time.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spdx/tools-golang/spdx"
)

func main() {
	if err := run(os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "gosbom:", err)
		os.Exit(1)
	}
}

// run scans what the environment names.
func run(getenv func(string) string) error {
	source, destination := getenv("BUILDKIT_SCAN_SOURCE"), getenv("BUILDKIT_SCAN_DESTINATION")
	if source == "" || destination == "" {
		return errors.New("BUILDKIT_SCAN_SOURCE and BUILDKIT_SCAN_DESTINATION have to be set, as BuildKit does for --sbom generator=IMAGE")
	}
	created, err := creationTime(getenv("BUILDKIT_SCAN_SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	sources := []string{source}
	if extras := getenv("BUILDKIT_SCAN_SOURCE_EXTRAS"); extras != "" {
		more, err := filepath.Glob(filepath.Join(extras, "*"))
		if err != nil {
			return err
		}
		sources = append(sources, more...)
	}
	for _, dir := range sources {
		if err := writeSBOM(dir, destination, created); err != nil {
			return fmt.Errorf("scan %s: %w", dir, err)
		}
	}
	return nil
}

func creationTime(epoch string) (time.Time, error) {
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want Unix seconds", epoch)
	}
	return time.Unix(seconds, 0), nil
}

// statement is an in-toto statement without its subject, which BuildKit adds.
type statement struct {
	Type          string         `json:"_type"`
	PredicateType string         `json:"predicateType"`
	Predicate     *spdx.Document `json:"predicate"`
}

// writeSBOM scans the filesystem at dir and writes its SBOM as a statement.
func writeSBOM(dir, destination string, created time.Time) error {
	programs, err := findPrograms(dir)
	if err != nil {
		return err
	}
	name := filepath.Base(dir)
	data, err := json.Marshal(statement{
		Type:          "https://in-toto.io/Statement/v0.1",
		PredicateType: "https://spdx.dev/Document",
		Predicate:     document(name, programs, created),
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(destination, name+".spdx.json"), data, 0o644)
}
