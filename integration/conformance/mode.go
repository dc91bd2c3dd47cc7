package main

import (
	"fmt"
	"os"
	"strings"
)

// mode is one way in which the suite can reach a frontend.
type mode struct {
	name  string
	about string
	// rest leaves out the cases that no test of was skipped in an earlier mode.
	rest bool
	// worker is the daemon's worker, as the suite names it.
	worker string
	// env selects the frontend; %s is the side's frontend image.
	env string
	// client and daemon tell which of the two has the side's frontend built in.
	client, daemon bool
}

// modes are in the order in which they run.
var modes = []mode{
	{
		name:   "gateway",
		about:  "the frontend's image, started by the daemon as # syntax= does",
		worker: "oci",
		env:    "FRONTEND_GATEWAY_ONLY=local:%s",
	},
	{
		name:   "client",
		about:  "the frontend's Build inside the client, and inside the daemon as dockerfile.v0",
		worker: "oci",
		env:    "FRONTEND_CLIENT_ONLY=1",
		client: true,
		daemon: true,
	},
	{
		name:   "containerd",
		about:  "the frontend's image, on the daemon's containerd worker",
		rest:   true,
		worker: "containerd",
		env:    "FRONTEND_GATEWAY_ONLY=local:%s",
	},
	{
		name:   "builtin",
		about:  "the frontend's Build inside the daemon, as dockerfile.v0",
		rest:   true,
		worker: "oci",
		env:    "FRONTEND_BUILTIN_ONLY=1",
		daemon: true,
	},
}

// upstreamDir and oursDir are the folders of the two sides' binaries, and how
// the sides are called.
const (
	upstreamDir = "upstream"
	oursDir     = "ours"
)

// suite prepares the suite of one side of a mode, with an empty folder for logs.
func (w *workspace) suite(m mode, side string) (*suite, error) {
	builtIn := func(own bool) string {
		if own {
			return side
		}
		return upstreamDir
	}
	s := &suite{
		binary: w.output(builtIn(m.client), "suite.test"),
		path:   []string{w.output(builtIn(m.daemon)), w.path("build", "bin"), w.output("cni")},
		env:    []string{strings.ReplaceAll(m.env, "%s", w.output(side, "frontend.tar"))},
		worker: m.worker,
		mirror: w.output("mirror"),
		logs:   w.output("logs", m.name+"-"+side),
		progress: func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, "%s %s: %s\n", m.name, side, fmt.Sprintf(format, args...))
		},
	}
	if err := os.RemoveAll(s.logs); err != nil {
		return nil, err
	}
	return s, os.MkdirAll(s.logs, 0o755)
}

func modeByName(name string) (mode, error) {
	for _, m := range modes {
		if m.name == name {
			return m, nil
		}
	}
	return mode{}, fmt.Errorf("-mode %q: write gateway, client, containerd or builtin", name)
}
