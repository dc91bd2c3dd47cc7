package bench

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// slowRegistry passes requests on to a registry, each after a delay, as if that
// were far away.
type slowRegistry struct {
	server http.Server
	addr   string // host:port

	mu             sync.Mutex
	inFlight, most int // requests that look up a tag
}

// startSlowRegistry starts one on a free port in front of the registry at
// host:port.
func startSlowRegistry(registry string, delay time.Duration) (*slowRegistry, error) {
	r := &slowRegistry{}
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry})
	r.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if isTagLookup(req) {
			r.count(1)
			defer r.count(-1)
		}
		select {
		case <-time.After(delay):
			next.ServeHTTP(w, req)
		case <-req.Context().Done():
		}
	})
	var err error
	r.addr, err = listen(&r.server)
	return r, err
}

func (r *slowRegistry) close() error { return r.server.Shutdown(context.Background()) }

// isTagLookup reports whether a request asks what a tag is: by tag, which unlike a
// digest has no colon.
func isTagLookup(req *http.Request) bool {
	_, name, ok := strings.Cut(req.URL.Path, "/manifests/")
	return ok && !strings.Contains(name, ":")
}

func (r *slowRegistry) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight += n
	r.most = max(r.most, r.inFlight)
}

// mostInFlight returns how many lookups there were at once since the last call.
func (r *slowRegistry) mostInFlight() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	most := r.most
	r.most = r.inFlight
	return most
}
