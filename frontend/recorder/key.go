package recorder

import (
	"crypto/rand"
	"encoding/hex"
)

// keyBytes is how long a key is before it is written in hexadecimal digits.
const keyBytes = 32

// WriteKey writes a random key, in hexadecimal digits, to KeyName in dirs.Out.
// The builder keeps it in its cache: digests of secrets that are keyed with it can
// be compared on this builder and tell nothing elsewhere. It fails if the file
// cannot be written.
func WriteKey(dirs Dirs) error {
	var key [keyBytes]byte
	rand.Read(key[:]) // never fails
	return writeAtomically(dirs.key(), []byte(hex.EncodeToString(key[:])))
}
