package recorder

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// maxFiles is how many files all sets of a build may select together. Nothing is
// known of those that are more.
const maxFiles = record.MaxEntries / 2

// maxReportedFiles is how many files a report lists, so that two builds can be
// compared by them later.
const maxReportedFiles = 500

// Run does what the request in dirs asks for and writes the report. Whatever goes
// wrong is in the report; it fails only if that cannot be written.
func Run(dirs Dirs) error {
	r := run{dirs: dirs, store: store{dir: dirs.Records}}
	r.report = Report{Version: Version, Time: time.Now().UTC()}
	r.attempt(r.answer)
	data, err := r.report.encode()
	if err != nil {
		return err
	}
	return writeAtomically(dirs.report(), data)
}

// run is one call of the recorder.
type run struct {
	dirs   Dirs
	store  store
	req    *Request
	record string // the name of the record
	report Report
}

// attempt calls what fills in the report. A fault in there must not fail a build,
// so a panic counts as a problem too.
func (r *run) attempt(answer func()) {
	defer func() {
		if fault := recover(); fault != nil {
			r.report = Report{Version: Version, Time: r.report.Time, Problems: []string{fmt.Sprint("panic: ", fault)}}
		}
	}()
	answer()
}

// answer fills in the report.
func (r *run) answer() {
	var err error
	if r.req, err = readRequest(r.dirs); err != nil {
		r.report.problem(err)
		return
	}
	r.record = recordName(r.req.Record, r.dirs.Dockerfile)
	before, err := r.store.readRecord(r.record)
	r.report.problem(err)
	if r.req.Mode == ModeResults {
		r.setResults(before)
		return
	}
	plan := r.req.Plan
	r.findFiles(plan)
	past := before.record.Past(plan)
	r.report.Predictions = explain.Predict(plan, past)
	r.report.Builds = len(past)
	r.report.Repeated = before.record.Has(plan)
	if r.req.Mode == ModeRecord {
		r.add(plan, before)
	}
	r.report.Plan = plan.WithFewFiles(maxReportedFiles)
}

// recordName tells records of one name apart by the directory that the Dockerfile
// is in. The builder updates its copy of a client's directory in place, so that
// the inode stays the same as long as the builder keeps it.
func recordName(name, dockerfileDir string) string {
	t, err := openTree(dockerfileDir)
	if err != nil {
		return name
	}
	return record.Name(name, strconv.FormatUint(t.top.stat.ino, 16))
}

func readRequest(dirs Dirs) (*Request, error) {
	data, err := store{dir: dirs.Request}.read(RequestName, MaxRequestBytes)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, fmt.Errorf("no request at %s", dirs.request())
	}
	return DecodeRequest(data)
}

// findFiles makes the file sets of a plan known, as far as they can be read.
func (r *run) findFiles(plan *cacheplan.Plan) {
	count := 0
	for i, name := range r.req.Contexts {
		var sets []*cacheplan.FileSet
		for j := range plan.Files {
			if set := &plan.Files[j]; set.Context == name && !set.Known {
				sets = append(sets, set)
			}
		}
		if len(sets) == 0 {
			continue
		}
		taken := time.Now()
		t, err := openTree(filepath.Join(r.dirs.Contexts, strconv.Itoa(i)))
		if err != nil {
			r.report.problem(err)
			continue
		}
		r.findContextFiles(t, taken, sets, &count)
	}
}

// findContextFiles makes the file sets of one context known, and keeps its index.
func (r *run) findContextFiles(t *tree, taken time.Time, sets []*cacheplan.FileSet, count *int) {
	name := indexName(t)
	data, err := r.store.read(name, maxIndexBytes)
	r.report.problem(err)
	x := decodeIndex(data, taken)
	for _, set := range sets {
		files, err := selectFiles(t, set)
		if *count += len(files); err == nil && *count > maxFiles {
			err = fmt.Errorf("more than %d files", maxFiles)
		}
		if err == nil {
			err = t.digestFiles(files, x)
		}
		if err != nil {
			r.report.problem(fmt.Errorf("file set %s: %w", set.ID, err))
			continue
		}
		set.SetFiles(listFiles(files))
	}
	if x.changed {
		r.report.problem(r.store.write(name, x.encode()))
	} else if data != nil {
		r.report.problem(r.store.used(name))
	}
}

// add puts the build into the record.
func (r *run) add(plan *cacheplan.Plan, before recordFile) {
	var id [16]byte
	rand.Read(id[:]) // never fails
	build := record.Build{ID: hex.EncodeToString(id[:]), Time: r.report.Time, PastBuild: record.PastBuild{Plan: plan}}
	err := r.store.changeRecord(r.record, before, func(r record.Record) record.Record { return r.Add(build) })
	if err != nil {
		r.report.problem(err)
		return
	}
	r.report.BuildID = build.ID
}

// setResults puts what became of a build's steps into the record.
func (r *run) setResults(before recordFile) {
	r.report.BuildID = r.req.BuildID
	r.report.problem(r.store.changeRecord(r.record, before, func(rec record.Record) record.Record {
		return rec.SetResults(r.req.BuildID, r.req.Results)
	}))
}
