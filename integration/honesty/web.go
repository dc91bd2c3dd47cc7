package honesty

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Web serves the pages of all worlds, each below a path of its own, and the gate: a
// page that answers at once, unless it is shut.
type Web struct {
	*httptest.Server

	mu    sync.Mutex
	pages map[string]string
	gates map[string]chan<- struct{} // of worlds whose gate is shut
}

// NewWeb starts a server, which the caller closes.
func NewWeb() *Web {
	w := &Web{pages: map[string]string{}, gates: map[string]chan<- struct{}{}}
	w.Server = httptest.NewServer(w)
	return w
}

// Set changes the pages of a world. No other world has the same content, or the daemon
// would make one step of two.
func (w *Web) Set(world string, pages map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, version := range pages {
		w.pages["/"+world+"/"+name] = fmt.Sprintf("page %s version %d of %s", name, version, world)
	}
}

// Shut makes the world's gate wait until the asking step is gone, and sends to
// arrived when one asks. Open undoes it.
func (w *Web) Shut(world string, arrived chan<- struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gates[world] = arrived
}

// Open lets the world's steps through.
func (w *Web) Open(world string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.gates, world)
}

// ServeHTTP answers for a page or a gate.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	body, ok := w.pages[r.URL.Path]
	world, isGate := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/gate")
	arrived, shut := w.gates[world]
	w.mu.Unlock()
	switch {
	case isGate && shut:
		select {
		case arrived <- struct{}{}:
		default: // one was there before
		}
		<-r.Context().Done()
	case isGate:
		body = "open"
	case !ok:
		http.NotFound(rw, r)
		return
	}
	_, _ = rw.Write([]byte(body)) // a client that is gone needs none
}
