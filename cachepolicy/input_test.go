package cachepolicy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func TestIsSecret(t *testing.T) {
	for _, name := range []string{"TOKEN", "NPM_TOKEN", "npm-token", "NPMTOKEN", "githubToken", "API_KEY", "apiKey", "apikey", "APIKEY", "DB_PASSWORD",
		"dbPassword", "DB_PWD", "DB_PASS", "PASSPHRASE", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "CREDENTIALS", "SENTRY_DSN", "GITHUB_PAT", "a.secret.b"} {
		if !IsSecret(name, "x") {
			t.Errorf("%s is not taken for secret", name)
		}
	}
	for _, name := range []string{"", "PATH", "NODE_ENV", "PWD", "OLDPATH", "MONKEY", "KEYBOARD", "AUTHOR", "COMPASS", "BYPASS", "PATTERN", "PUBLIC_KEY",
		"TOKEN_VERSION", "PASSWORD_FILE", "TOKENIZER", "TURKEY", "GIT_SHA", "DSNX", "publicKey"} {
		if IsSecret(name, "x") {
			t.Errorf("%s is taken for secret", name)
		}
	}
	for value, want := range map[string]bool{
		"postgres://u:p@db/x": true, "a,redis://:p@h": true, "https://e.org:80/a@b": false, "https://u@e.org": true, "https://u:@e.org": true,
		"git@e.org:x": false, "https://e.org/?x=a:b@c": false, "x://y z://u:p@h": true, "://": false,
	} {
		if IsSecret("X", value) != want {
			t.Errorf("value %q: secret %v, want %v", value, !want, want)
		}
	}
}

// Every name that the check SecretsUsedInArgOrEnv warns of is secret here.
func TestIsSecretCoversTheCheck(t *testing.T) {
	warned := 0
	for _, word := range []string{"apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token", "public", "file", "version", "x"} {
		for _, form := range []string{"%s", "A_%s", "%s_A", "A_%s_B", "A%s", "%s_PUBLIC", "FILE_%s"} {
			name := fmt.Sprintf(form, strings.ToUpper(word))
			if checkWarns(t, name) {
				warned++
				if !IsSecret(name, "x") {
					t.Errorf("%s is not taken for secret", name)
				}
			}
		}
	}
	if warned < 30 {
		t.Errorf("the check warned of %d names only: the comparison is void", warned)
	}
}

// checkWarns asks docker/dockerfile's own check.
func checkWarns(t *testing.T, name string) bool {
	t.Helper()
	warns := false
	_, err := dockerfile2llb.Dockerfile2LLB(t.Context(), []byte("FROM scratch\nENV "+name+"=x\n"), dockerfile2llb.ConvertOpt{
		Warn: func(rule, _, _, _ string, _ []parser.Range) {
			warns = warns || rule == linter.RuleSecretsUsedInArgOrEnv.Name
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return warns
}

func TestNewVariable(t *testing.T) {
	origin := Origin{Kind: OriginLine, Line: 4}
	a := NewVariable(InputEnv, "NPM_TOKEN", "hunter2", origin, []byte("key"))
	if !a.Secret || a.Value != "" || strings.Contains(fmt.Sprint(a), "hunter2") {
		t.Errorf("%+v", a)
	}
	if b := NewVariable(InputEnv, "NPM_TOKEN", "hunter2", origin, []byte("other")); b.Digest == a.Digest {
		t.Error("the digest does not depend on the key")
	}
	if b := NewVariable(InputEnv, "NPM_TOKEN", "hunter3", origin, []byte("key")); b.Digest == a.Digest {
		t.Error("the digest does not depend on the value")
	}
	if c := NewVariable(InputEnv, "A", "b", origin, nil); c.Secret || c.Value != "b" || c.Digest != "" {
		t.Errorf("%+v", c)
	}
}

func TestNewInputBounded(t *testing.T) {
	long := bytes.Repeat([]byte("ä"), 1000)
	in := NewInput(InputCommand, "RUN", string(long), Origin{})
	if len(in.Value) > MaxValueBytes || in.Digest == "" || !strings.HasPrefix(string(long), in.Value) {
		t.Errorf("%d bytes, digest %q", len(in.Value), in.Digest)
	}
	other := NewInput(InputCommand, "RUN", string(long)+"x", Origin{})
	if other.Digest == in.Digest {
		t.Error("two long values look equal")
	}
}
