// Package secret tells text that looks like a secret: by the name that a value has,
// and by the form of a value, wherever in a longer text it stands. It errs on the side
// of taking too much for secret: what that costs is a value less in an explanation.
package secret

import (
	"strings"
	"unicode"
)

// Hidden stands in a text where a secret was.
const Hidden = "****"

// Variable reports whether the value of an argument or environment variable looks
// secret: by a word of its name (NPM_TOKEN, dbPassword, but not PUBLIC_KEY,
// TOKEN_VERSION or PASSWORD_FILE), or by its form. Every name that the check
// SecretsUsedInArgOrEnv warns of is one.
func Variable(name, value string) bool { return Name(name) || Found(value) }

var (
	// secretWords are words of a name that make its value secret.
	secretWords = words("apikey auth cred creds credential credentials dsn key pass passphrase passwd password pat private pwd pword secret secrets signing token tokens")
	// secretEndings do so also as the end of a word, as in NPMTOKEN, and of all words
	// together, as in SESSION_ID.
	secretEndings = []string{"accesskey", "apikey", "authheader", "authorization", "credential", "credentials", "encryptionkey", "masterkey", "passphrase", "passwd", "password", "privatekey", "secret", "secretkey", "sessionid", "signingkey", "token"}
	// openWords say that the value is about a secret, but is none.
	openWords = words("public file version")
	// openNames are not secret although they have such a word.
	openNames = words("pwd")
)

func words(s string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		set[w] = true
	}
	return set
}

// stems are parts of which every secret name has one. Most names have none, and are
// not looked at any further.
var stems = []string{"auth", "cred", "dsn", "key", "pass", "pat", "priv", "pwd", "pword", "secret", "session", "sign", "token"}

func hasStem(name string) bool {
	for i := range len(name) {
		for _, stem := range stems {
			if name[i]|0x20 == stem[0] && len(name)-i >= len(stem) && strings.EqualFold(name[i:i+len(stem)], stem) {
				return true
			}
		}
	}
	return false
}

// Name reports whether what has this name looks secret.
func Name(name string) bool {
	if !hasStem(name) {
		return false
	}
	if openNames[strings.ToLower(name)] {
		return false
	}
	secret, parts := false, nameWords(name)
	for _, w := range parts {
		if openWords[w] {
			return false
		}
		w = strings.TrimRight(w, "0123456789") // PASSWORD1
		secret = secret || secretWords[w] || hasSecretEnding(w)
	}
	return secret || hasSecretEnding(joined(name))
}

func hasSecretEnding(word string) bool {
	for _, end := range secretEndings {
		if strings.HasSuffix(word, end) {
			return true
		}
	}
	return false
}

// joined is a name in lower case without what separates its words, and without the
// number at its end.
func joined(name string) string {
	out := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
	return strings.TrimRight(out, "0123456789")
}

// nameWords splits a name into lower-case words at what is neither letter nor
// digit, and where camel case begins a new word. The words between the separators
// are there as a whole too.
func nameWords(name string) []string {
	var out []string
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, strings.ToLower(part))
		start := 0
		for i := 1; i < len(part); i++ {
			if isLower(part[i-1]) && isUpper(part[i]) {
				out = append(out, strings.ToLower(part[start:i]))
				start = i
			}
		}
		out = append(out, strings.ToLower(part[start:]))
	}
	return out
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
