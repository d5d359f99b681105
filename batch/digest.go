package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// digest is a SHA-256, which takes a third of the memory of its text. It is zero if there is none. In JSON it is in
// hexadecimal.
type digest [sha256.Size]byte

// digestOf returns the digest with a text, or zero if the text is not a SHA-256 in hexadecimal.
func digestOf(text string) digest {
	var d digest
	if len(text) != hex.EncodedLen(len(d)) {
		return digest{}
	}
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return digest{}
	}
	return d
}

// String returns the digest in hexadecimal, or "" if it is zero.
func (d digest) String() string {
	if d == (digest{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// MarshalText returns what String returns.
func (d digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText has written.
func (d *digest) UnmarshalText(text []byte) error {
	if *d = digestOf(string(text)); *d == (digest{}) && len(text) > 0 {
		return fmt.Errorf("%.80q is not a SHA-256 in hexadecimal", text)
	}
	return nil
}
