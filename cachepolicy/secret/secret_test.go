package secret

import (
	"strings"
	"testing"
	"time"
)

func TestName(t *testing.T) {
	for _, name := range []string{"ACCESSKEY", "PASSWD1", "GITHUBTOKEN2", "AUTHHEADER", "SESSIONID", "SESSION_ID", "PRIVATE", "SIGNING", "NPM_TOKEN",
		"signingKey", "dbPassword2", "AWS_ACCESS_KEY_ID", "AZURE_CLIENT_SECRET", "authHeader", "PRIVATE_PEM", "HTTP_AUTHORIZATION"} {
		if !Name(name) {
			t.Errorf("%s is not taken for secret", name)
		}
	}
	for _, name := range []string{"", "PATH", "PWD", "MONKEY", "KEYBOARD", "AUTHOR", "PUBLIC_KEY", "TOKEN_VERSION", "PASSWORD_FILE", "TOKENIZER", "VERSION2",
		"PASSES", "DESIGNING", "SIGNED", "SESSIONS", "PORT1", "APP_ID", "NODE_ENV"} {
		if Name(name) {
			t.Errorf("%s is taken for secret", name)
		}
	}
}

// TestStems holds the words that make a name secret against the stems.
func TestStems(t *testing.T) {
	for word := range secretWords {
		if !hasStem(word) {
			t.Errorf("%s has no stem", word)
		}
	}
	for _, word := range secretEndings {
		if !hasStem(word) {
			t.Errorf("%s has no stem", word)
		}
	}
}

// values are texts with a secret in brackets, or without one.
var values = []string{
	"https://[TOKEN]@host/x",
	"git clone https://[oauth2:abc123]@github.com/a/b.git",
	"postgres://u:[p]@db/x",
	"jdbc:postgresql://db/x?user=me&password=[hunter2]&ssl=true",
	"Server=db;User Id=sa;Password=[Str0ng!];Encrypt=true",
	"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=[abc/def+ghi==];EndpointSuffix=core",
	"curl -u [me:hunter2] https://e.org",
	"curl --user '[me:hunter2]' https://e.org",
	"curl -H 'Authorization: [Bearer abcdef123456]' https://e.org",
	"docker login --password [hunter2] -u me",
	"docker login --password=[hunter2] -u me",
	"echo [ghp_abcdefghijklmnopqrstuvwxyz0123456789] > /t",
	"[github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz]",
	"x [glpat-abcdefghijklmnopqrst] y",
	"[AKIAIOSFODNN7EXAMPLE]",
	"[xoxb-123456789012-abcdefghijkl]",
	"[npm_abcdefghijklmnopqrstuvwxyz0123456789]",
	"[sk_live_abcdefghijklmnop]",
	"[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def]",
	"https://hooks.slack.com/services/[T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX]",
	"a\n[-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----]\nb",
	"[-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn]",
	"a=https://[x]@a b=https://[y]@b",

	"https://e.org:80/a@b", "git@github.com:a/b.git", "ssh://git@e.org/x", "https://git@e.org/x", "https://e.org/?x=a:b@c", "://", "",
	"password=$PASSWORD", "curl -u $USER:$PASS https://e.org", "https://$TOKEN@e.org", "chown -R me:staff /x", "useradd -u 1000:1000x", "sort -u a:bcd",
	"npm install", "go test ./...", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "task-runner-with-a-long-name-of-parts", "password=",
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}

func TestMask(t *testing.T) {
	for _, v := range values {
		text := strings.NewReplacer("[", "", "]", "").Replace(v)
		want := v
		for {
			before, rest, ok := strings.Cut(want, "[")
			if !ok {
				break
			}
			_, after, _ := strings.Cut(rest, "]")
			want = before + Hidden + after
		}
		got, found := Mask(text)
		if strings.HasPrefix(v, "sort -u") || strings.HasPrefix(v, "useradd -u") {
			continue // taken for a user and password: that costs only the value
		}
		if got != want || found != (want != text) || Found(text) != found {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if again, more := Mask(got); more {
			t.Errorf("%q is masked again to %q", got, again)
		}
	}
}

// TestForms holds every form against its hints: what matches an expression has one.
func TestForms(t *testing.T) {
	seen := map[*form]bool{}
	for _, v := range values {
		text := strings.NewReplacer("[", "", "]", "").Replace(v)
		for _, f := range forms {
			if f.compile().MatchString(text) {
				seen[f] = true
				if len(spans(text, true)) == 0 && !strings.Contains(text, "git@") {
					t.Errorf("%q matches %s, but is not found: the hints are wrong", text, f.pattern)
				}
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d forms are shown", len(seen))
	}
}

// TestMaskIsLinear masks a very long text with many beginnings of secrets.
func TestMaskIsLinear(t *testing.T) {
	text := strings.Repeat("https://a:b -u x --password ", 40_000)
	start := time.Now()
	Mask(text)
	t.Logf("%d bytes in %s", len(text), time.Since(start))
}

func FuzzMask(f *testing.F) {
	for _, v := range values {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, found := Mask(text)
		if found == (got == text) && found {
			t.Errorf("%q is found and not masked", text)
		}
	})
}

func BenchmarkFound(b *testing.B) {
	for b.Loop() {
		Found("apt-get update && apt-get install -y --no-install-recommends curl ca-certificates build-essential")
	}
}
