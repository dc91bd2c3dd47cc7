// Package recorder is the part of the frontend that runs inside the builder, as a
// step of its own: it looks at the files that a build selects, compares the build
// with the record of earlier ones, and adds it to them.
//
// The frontend mounts a Request, the build contexts and a cache directory with the
// records, runs the command "record" of its image and reads the Report:
//
//	read Request         request.go
//	find the files       tree.go, selection.go    what COPY, ADD and bind mounts select
//	take their digests   digest.go, index.go      only of what changed since last time
//	predict and record   run.go, store.go         under a lock, so that no build is lost
//	write Report         report.go
//
// What goes wrong costs an explanation, never a build: there is a report as long as
// there is a place to write it to, and it says what is missing.
//
// The command "key" (WriteKey) makes the key of digests that stand for secrets.
package recorder

import "path/filepath"

// Where the frontend mounts what the recorder reads and writes.
const (
	// RequestDir is mounted read-only and holds RequestName.
	RequestDir  = "/cachewright/request"
	RequestName = "request.json"
	RequestPath = RequestDir + "/" + RequestName
	// ContextsDir has a directory 0, 1, … for each of Request.Contexts, all mounted
	// read-only.
	ContextsDir = "/cachewright/contexts"
	// DockerfileDir is the directory of the Dockerfile, mounted read-only. Only its
	// identity counts: it tells projects apart that are alike in everything else. It is
	// not there if the record's name tells them apart.
	DockerfileDir = "/cachewright/dockerfile"
	// RecordsDir is a cache mount that all builds share.
	RecordsDir = "/cachewright/records"
	// OutDir is an empty mount for ReportName or KeyName.
	OutDir     = "/cachewright/out"
	ReportName = "report.json"
	ReportPath = OutDir + "/" + ReportName
	KeyName    = "key"
	KeyPath    = OutDir + "/" + KeyName
	// TravelledDir is mounted read-only and holds TravelledName, a record that came with
	// an imported cache. It is not there if the build takes none.
	TravelledDir  = "/cachewright/travelled"
	TravelledName = "data"
	// TravelName is what is to travel with the cache that the build exports.
	TravelName = "travel"
)

// MarkVariable is the environment variable with which the frontend marks a build.
// BuildKit passes it to the step as a setting of a proxy, and so not in its key.
const MarkVariable = "no_proxy"

// RevisionVariable is the one with which the frontend says what commit is built, since
// that is no part of the key either.
const RevisionVariable = "all_proxy"

// Dirs says where the mounts are.
type Dirs struct {
	Request  string // holds RequestName
	Contexts string // holds 0, 1, …
	// Dockerfile is the directory of the Dockerfile, or empty if it is not known.
	Dockerfile string
	// Travelled is the directory with TravelledName, or empty.
	Travelled string
	Records   string
	Out       string // takes ReportName, TravelName and KeyName
}

// MountedDirs returns the places where the frontend mounts everything.
func MountedDirs() Dirs {
	return Dirs{Request: RequestDir, Contexts: ContextsDir, Dockerfile: DockerfileDir, Travelled: TravelledDir, Records: RecordsDir, Out: OutDir}
}

func (d Dirs) request() string { return filepath.Join(d.Request, RequestName) }
func (d Dirs) report() string  { return filepath.Join(d.Out, ReportName) }
func (d Dirs) travel() string  { return filepath.Join(d.Out, TravelName) }
func (d Dirs) key() string     { return filepath.Join(d.Out, KeyName) }
