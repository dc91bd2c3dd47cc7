package cacheapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// GitHub is the cache service for the workflows of one repository, in the second
// version of its API. Entries never change; they are found by their key or by the
// beginning of it, in the scopes that a token may read. Its methods may be called from
// several goroutines.
type GitHub struct {
	*httptest.Server
	// Blobs has the contents.
	Blobs *Blobs

	mu      sync.Mutex
	tokens  map[string][]Scope
	entries []*entry // the newest last
	created int
}

// Scope is a branch that a token is good for. The first one of a token comes first
// when an entry is looked for.
type Scope struct {
	Name  string `json:"Scope"`      // a git ref
	Right int    `json:"Permission"` // Read, Write or both
}

const (
	Read  = 1
	Write = 2
)

// entry is a key of a scope. It is found once it is whole.
type entry struct {
	scope, key, version string
	path                string // of the blob
	whole               bool
}

// service is where the methods are.
const service = "/twirp/github.actions.results.api.v1.CacheService/"

// NewGitHub starts an empty cache, which ends with the test.
func NewGitHub(t testing.TB) *GitHub {
	g := &GitHub{Blobs: NewBlobs(t), tokens: map[string][]Scope{}}
	mux := http.NewServeMux()
	for name, method := range map[string]method{
		"CreateCacheEntry":         g.create,
		"FinalizeCacheEntryUpload": g.finalize,
		"GetCacheEntryDownloadURL": g.find,
	} {
		mux.HandleFunc("POST "+service+name, func(w http.ResponseWriter, r *http.Request) { g.answer(w, r, method) })
	}
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

// Token returns a token for some scopes, good for an hour.
func (g *GitHub) Token(scopes ...Scope) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	ac, _ := json.Marshal(scopes) // never fails, as below
	now := time.Now()
	claims, _ := json.Marshal(map[string]any{
		"ac": string(ac), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(), "jti": len(g.tokens),
	})
	part := base64.RawURLEncoding.EncodeToString
	token := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(claims) + "." + part([]byte("signature"))
	g.tokens[token] = scopes
	return token
}

// Evict forgets all entries whose contents fit, as GitHub does with what was not used
// for long, and returns how many.
func (g *GitHub) Evict(fits func(content []byte) bool) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	contents := g.Blobs.All()
	var kept []*entry
	for _, e := range g.entries {
		if fits(contents[e.path]) {
			g.Blobs.Remove(e.path)
		} else {
			kept = append(kept, e)
		}
	}
	n := len(g.entries) - len(kept)
	g.entries = kept
	return n
}

// request is what the methods are asked.
type request struct {
	Key       string `json:"key"`
	Version   string `json:"version"`
	SizeBytes int    `json:"size_bytes"`
}

// method answers a request for someone who has some scopes, or says what is wrong
// with it.
type method func(scopes []Scope, r request) (answer map[string]any, problem string)

func (g *GitHub) answer(w http.ResponseWriter, r *http.Request, do method) {
	g.mu.Lock()
	defer g.mu.Unlock()
	scopes, ok := g.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		refuse(w, http.StatusUnauthorized, "unauthenticated")
		return
	}
	var req request
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.Key == "" || req.Version == "" {
		refuse(w, http.StatusBadRequest, "invalid_argument")
		return
	}
	answer, problem := do(scopes, req)
	if problem != "" {
		refuse(w, http.StatusConflict, problem)
		return
	}
	json.NewEncoder(w).Encode(answer)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"code": code, "message": code})
}

// create begins an entry, for which there must be none yet.
func (g *GitHub) create(scopes []Scope, r request) (map[string]any, string) {
	scope := writable(scopes)
	if scope == "" {
		return nil, "permission_denied"
	}
	if g.entry(scope, r) != nil {
		return nil, "already_exists"
	}
	e := &entry{scope: scope, key: r.Key, version: r.Version, path: fmt.Sprintf("/entries/%d", g.created)}
	g.created++
	g.entries = append(g.entries, e)
	return map[string]any{"ok": true, "signed_upload_url": g.Blobs.URL + e.path}, ""
}

// finalize makes an entry one that is found.
func (g *GitHub) finalize(scopes []Scope, r request) (map[string]any, string) {
	e := g.entry(writable(scopes), r)
	if e == nil || len(g.Blobs.All()[e.path]) != r.SizeBytes {
		return nil, "invalid_argument"
	}
	e.whole = true
	return map[string]any{"ok": true, "entry_id": "1"}, ""
}

// find returns where the contents of the newest entry are that has the key or begins
// with it, in the first scope that has one.
func (g *GitHub) find(scopes []Scope, r request) (map[string]any, string) {
	for _, scope := range scopes {
		var found *entry
		for _, e := range g.entries {
			if e.whole && e.scope == scope.Name && e.version == r.Version && strings.HasPrefix(e.key, r.Key) {
				found = e
			}
		}
		if found != nil && scope.Right&Read != 0 {
			return map[string]any{"ok": true, "matched_key": found.key, "signed_download_url": g.Blobs.URL + found.path}, ""
		}
	}
	return map[string]any{"ok": false}, ""
}

// entry returns the entry with exactly a key; nil if there is none.
func (g *GitHub) entry(scope string, r request) *entry {
	for _, e := range g.entries {
		if e.scope == scope && e.key == r.Key && e.version == r.Version {
			return e
		}
	}
	return nil
}

// writable returns the scope that may be written; none if none may be.
func writable(scopes []Scope) string {
	for _, s := range scopes {
		if s.Right&Write != 0 {
			return s.Name
		}
	}
	return ""
}
