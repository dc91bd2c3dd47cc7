package bench

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
)

// metered begins the names of the repositories whose bytes a meter counts.
const metered = "metered/"

// meter passes requests on to a registry and counts the bytes of some repositories.
type meter struct {
	server   http.Server
	addr     string       // host:port
	down, up atomic.Int64 // bytes of the bodies of answers and requests
}

// startMeter starts one on a free port in front of the registry at host:port.
func startMeter(registry string) (*meter, error) {
	m := &meter{}
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: registry})
	m.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/v2/"+metered) {
			req.Body = &countedBody{req.Body, &m.up}
			w = &countedWriter{w, &m.down}
		}
		next.ServeHTTP(w, req)
	})
	var err error
	m.addr, err = listen(&m.server)
	return m, err
}

// listen has a server serve a free port of this machine until it is shut down, and
// returns its address, host:port.
func listen(server *http.Server) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = server.Serve(l) }()
	return l.Addr().String(), nil
}

func (m *meter) close() error { return m.server.Shutdown(context.Background()) }

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

type countedWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *countedWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}
