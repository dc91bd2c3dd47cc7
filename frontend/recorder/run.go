package recorder

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cachewright/cachewright/cachepolicy/cacheplan"
	"github.com/cachewright/cachewright/cachepolicy/explain"
	"github.com/cachewright/cachewright/cachepolicy/record"
)

// maxFiles is how many files all sets of a build may select together. Nothing is
// known of those that are more.
const maxFiles = record.MaxEntries / 2

// MaxReportedFiles is how many files a report that is not for advice lists, so that two builds can be
// compared by them later.
const MaxReportedFiles = 500

// maxAdvisedFiles is how many it lists for advice, which looks for files by their name.
const maxAdvisedFiles = 20_000

// Run does what the request in dirs asks for and writes the report. Whatever goes
// wrong is in the report; it fails only if that cannot be written.
func Run(dirs Dirs) error {
	r := run{dirs: dirs, store: store{dir: dirs.Records}}
	r.report = Report{Version: Version, Time: time.Now().UTC(), For: os.Getenv(MarkVariable)}
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
	record string              // the name of the record
	traced []record.TracedFile // that tell the project from others
	trees  []*tree             // the mounts that were opened
	report Report
}

// attempt calls what fills in the report. A fault in there must not fail a build,
// so a panic counts as a problem too.
func (r *run) attempt(answer func()) {
	defer func() {
		if fault := recover(); fault != nil {
			r.report = Report{Version: Version, Time: r.report.Time, For: r.report.For, Problems: []string{fmt.Sprint("panic: ", fault)}}
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
	if r.req.Mode == ModeResults {
		r.report.problem(r.store.changeLedger(func(l *record.Ledger) { l.Finish(r.req.Keys, r.req.Results) }))
		return
	}
	r.findProject()
	before, err := r.store.readRecord(r.record)
	r.report.problem(err)
	ledger, err := r.store.readLedger()
	r.report.problem(err)
	plan := r.req.Plan
	plan.Revision = os.Getenv(RevisionVariable)
	beside := len(r.traced)
	r.findFiles(plan)
	var traces record.Traces
	if len(r.traced) > beside { // the Dockerfile alone is no more than what is edited
		traces = record.NewTraces(r.traced)
	}
	plan.Given = r.given()
	travelled := r.travelled(plan)
	r.predict(plan, ledger, before.record.Past(plan, traces), travelled)
	r.report.Repeated = before.record.Has(plan)
	listed := MaxReportedFiles
	switch r.req.Mode {
	case ModeRecord:
		build := r.build(plan, traces)
		r.add(build, before)
		r.report.problem(r.writeTravel(build, before.record, travelled))
	case ModeAdvise:
		listed = maxAdvisedFiles
		r.reportLog(plan)
	case ModePredict, ModeResults:
	}
	r.report.Plan = plan.WithFewFiles(listed)
	r.report.Plan.SecretKey, r.report.Plan.Given, r.report.Plan.Revision = "", "", "" // of use in the record alone
}

// findProject finds out which record is the project's. Where the request's name does
// not tell it from others, the directory of the Dockerfile does: the builder updates
// its copy of a client's directory in place, so that the inode stays the same as long
// as the builder keeps it. But directories of one name may share a copy, so the
// Dockerfile's traces are taken too.
func (r *run) findProject() {
	r.record = r.req.Record
	t, err := openTree(r.dirs.Dockerfile)
	if err != nil {
		return
	}
	r.trees = append(r.trees, t)
	r.record = record.Name(r.req.Record, strconv.FormatUint(t.top.stat.ino, 16))
	if err := t.list(&t.top); err != nil {
		r.report.problem(err)
		return
	}
	for i := range t.top.children {
		r.trace("", &t.top.children[i])
	}
}

// trace notes a file of a context, if the project has to be told from others.
func (r *run) trace(context string, n *node) {
	if r.record != r.req.Record && n.stat.is(unix.S_IFREG) {
		r.traced = append(r.traced, record.TracedFile{Path: context + "\x00" + n.path, Size: n.stat.size, Changed: n.stat.mtime})
	}
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
		taken := time.Now()
		t, err := openTree(filepath.Join(r.dirs.Contexts, strconv.Itoa(i)))
		if err != nil {
			r.report.problem(err)
			continue
		}
		r.trees = append(r.trees, t)
		if len(sets) == 0 {
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
		for _, f := range files {
			r.trace(set.Context, f.node)
		}
	}
	if x.changed {
		r.report.problem(r.store.write(name, x.encode()))
	} else if data != nil {
		r.report.problem(r.store.used(name))
	}
}

// build returns the build as it is recorded.
func (r *run) build(plan *cacheplan.Plan, traces record.Traces) record.Build {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return record.Build{ID: hex.EncodeToString(id[:]), Time: r.report.Time, Traces: traces, Plan: plan}
}

// add puts the build into the record, and its steps into the ledger.
func (r *run) add(build record.Build, before recordFile) {
	err := r.store.changeRecord(r.record, before, func(rec record.Record) record.Record { return rec.Add(build) })
	if err != nil {
		r.report.problem(err)
		return
	}
	r.report.BuildID = build.ID
	r.log(&build, before.record.Builds)
	keys := build.Plan.Keys(build.Plan.KnownSets())
	err = r.store.changeLedger(func(l *record.Ledger) {
		if l.Ask(keys, r.report.Time) {
			r.report.Keys = keys
		}
	})
	r.report.problem(err)
}

// log notes which steps the build runs and what has changed.
func (r *run) log(b *record.Build, builds []record.Build) {
	var ran []int
	for _, p := range r.report.Predictions {
		if p.State != explain.StateHit {
			ran = append(ran, p.Step)
		}
	}
	same := slices.DeleteFunc(slices.Clone(builds), func(o record.Build) bool { return !b.Traces.Meet(o.Traces) })
	if e := record.NewLogEntry(b.ID, b.Time, b.Plan, same, ran); e.IsNews() {
		r.report.problem(r.store.appendLog(r.record, e))
	}
}

// reportLog reports the entries of builds of the same instructions.
func (r *run) reportLog(plan *cacheplan.Plan) {
	data, err := r.store.readLog(r.record)
	r.report.problem(err)
	shape := record.Shape(plan)
	r.report.Log = slices.DeleteFunc(record.DecodeLog(data), func(e record.LogEntry) bool { return e.Shape != shape })
}

// ofSameTarget returns how many builds are of the plan's own target: the first
// build of a target has nothing that could have changed, whatever others did.
func ofSameTarget(past []record.PastBuild, plan *cacheplan.Plan) int {
	n := 0
	for _, b := range past {
		if b.Plan.SameTarget(plan) {
			n++
		}
	}
	return n
}
