package cachepolicy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/cachewright/cachewright/cachepolicy/secret"
)

// FieldSeparator stands between file and field in the name of an InputField.
const FieldSeparator = ": "

// Input is one input of a step's cache key. Two inputs of the same kind and name
// are equal when value, digest and files are.
type Input struct {
	Kind InputKind `json:"kind"`
	Name string    `json:"name"`
	// Value is the value, or the beginning of a long one.
	Value string `json:"value,omitempty"`
	// Digest stands for a value that is long, withheld or a thing elsewhere.
	Digest string `json:"digest,omitempty"`
	// Files is the ID of the plan's FileSet, for kinds files and file.
	Files string `json:"files,omitempty"`
	// Secret: the value is withheld, Digest is keyed.
	Secret bool `json:"secret,omitempty"`
	// Unresolved: what the input is at the moment is not known.
	Unresolved bool   `json:"unresolved,omitempty"`
	Origin     Origin `json:"origin"`
}

// MaxValueBytes is how much of a value an Input keeps, in bytes. A longer one, or
// one that is not UTF-8, is cut to what can be shown and told apart by its digest.
const MaxValueBytes = 256

// NewInput returns an input with a value that may be shown to everybody.
func NewInput(kind InputKind, name, value string, origin Origin) Input {
	in := Input{Kind: kind, Name: name, Value: value, Origin: origin}
	if len(value) > MaxValueBytes || !utf8.ValidString(name) || !utf8.ValidString(value) {
		in.Name = strings.ToValidUTF8(name, "\ufffd")
		in.Value = strings.ToValidUTF8(value[:min(len(value), MaxValueBytes)], "")
		in.Digest = valueDigest(name, value)
	}
	return in
}

// KeyedDigest begins a digest that is keyed with the key of one builder.
const KeyedDigest = "hmac-sha256:"

// NewWithheld returns an input whose value must not be seen: it is kept as a digest
// keyed with secretKey and nowhere else. The name and value are shown as given, so
// the caller has taken out of them what is secret; whole is all that tells the input
// from others.
func NewWithheld(kind InputKind, name, value, whole string, origin Origin, secretKey []byte) Input {
	in := NewInput(kind, name, value, origin)
	mac := hmac.New(sha256.New, secretKey)
	mac.Write([]byte(whole))
	in.Digest, in.Secret = KeyedDigest+hex.EncodeToString(mac.Sum(nil)[:16]), true
	return in
}

// ValueDigest returns the digest that stands for the input's value, whether the value
// is there or not.
func (in *Input) ValueDigest() string {
	if in.Digest != "" {
		return in.Digest
	}
	return valueDigest(in.Name, in.Value)
}

func valueDigest(name, value string) string {
	sum := sha256.Sum256([]byte(name + "=" + value))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// NewVariable returns the input of an argument or environment variable. The value
// of one that looks secret (IsSecret) is withheld.
func NewVariable(kind InputKind, name, value string, origin Origin, secretKey []byte) Input {
	if !IsSecret(name, value) {
		return NewInput(kind, name, value, origin)
	}
	return NewWithheld(kind, name, "", name+"="+value, origin, secretKey)
}

// IsSecret reports whether the value of an argument or environment variable looks
// secret, by its name or by its form; see package secret.
func IsSecret(name, value string) bool { return secret.Variable(name, value) }
