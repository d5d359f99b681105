package reads

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Blinding hides from a reader which study is read: subject and visit are replaced by a code, the order is random, and a part of
// the studies comes a second time. All of it follows from the seed, so that a server that is started again shows the
// same, and somebody who has the seed can check it.
type Blinding struct {
	// Seed is 32 random bytes in hexadecimal. Anyone who has it can tell what a code means.
	Seed string `json:"seed"`
	// Repeats is the fraction of a reader's studies that are read twice, 0 to 0.5, in the mean over seeds.
	Repeats float64 `json:"repeats"`
}

// NewBlinding returns a blinding with a new seed.
func NewBlinding(repeats float64) Blinding {
	seed := make([]byte, sha256.Size)
	_, _ = rand.Read(seed) // never fails
	return Blinding{hex.EncodeToString(seed), repeats}
}

// check returns the seed, or an error if the blinding is not valid.
func (b Blinding) check() ([]byte, error) {
	seed, err := hex.DecodeString(b.Seed)
	if err != nil || len(seed) != sha256.Size {
		return nil, errors.New("blinding: the seed is not 32 bytes in hexadecimal")
	}
	if !(b.Repeats >= 0 && b.Repeats <= 0.5) {
		return nil, fmt.Errorf("blinding: repeats %v, want 0 to 0.5", b.Repeats)
	}
	return seed, nil
}

// Commitment returns a SHA-256 of the seed and the repeats. In the record it shows later that neither was chosen
// afterwards.
func (b Blinding) Commitment() (string, error) {
	seed, err := b.check()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %g", seed, b.Repeats))
	return hex.EncodeToString(sum[:]), nil
}

// Case is a study as a reader sees it.
type Case struct {
	// Code is what is shown instead of subject and visit. It is another one for each reader and each repeat.
	Code string
	Key  Key
}

// codeLength is the number of characters of a code.
const codeLength = 6

// letters are those of Crockford's base 32, which cannot be mistaken for each other.
var letters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// fewest is the number of studies below which none is repeated: a repeat would come too soon.
const fewest = 20

// gap is the least part of all studies between a study and its repeat.
const gap = 0.25

// Cases returns the studies in the order in which a reader reads them. It does not depend on the order of studies, which
// must not have repeats. Each study in the first half of the order comes a second time with a probability of twice Repeats, at
// least about a quarter of the studies later; so readers are more experienced, and more tired, when they read a repeat.
//
// If studies are added, codes, the order of the others and their repeats stay what they are. The new studies are among
// them in the order, so that the reads between a study and its repeat may be fewer.
func (b Blinding) Cases(reader string, studies []Key) ([]Case, error) {
	seed, err := b.check()
	if err != nil {
		return nil, err
	}
	if err := CheckReader(reader); err != nil {
		return nil, err
	}
	for _, k := range studies {
		if err := k.check(); err != nil || k.Repeat != 0 {
			return nil, cmp.Or(err, errors.New("blinding: a study is a repeat"))
		}
	}
	all := slices.SortedFunc(slices.Values(studies), compareKeys)
	all = slices.Compact(all)
	d := draws{seed, reader}
	places := map[Key]float64{} // 0 to 1
	for _, k := range all {
		place := d.fraction("order", k)
		places[k] = place
		if len(all) >= fewest && place < 0.5 && d.fraction("repeat", k) < 2*b.Repeats {
			k.Repeat = 1
			places[k] = place + gap + d.fraction("place", k)*(1-gap-place)
		}
	}
	order := slices.SortedFunc(maps.Keys(places), func(x, y Key) int {
		return cmp.Or(cmp.Compare(places[x], places[y]), compareKeys(x, y))
	})
	return d.coded(order), nil
}

func compareKeys(x, y Key) int { return cmp.Compare(x.String(), y.String()) }

// draws are random numbers for a reader's cases, which follow from the seed.
type draws struct {
	seed   []byte
	reader string
}

// sum returns random bytes for a purpose and a study.
func (d draws) sum(purpose string, k Key, try int) []byte {
	mac := hmac.New(sha256.New, d.seed)
	fmt.Fprintf(mac, "%s %s %s %d", purpose, d.reader, k, try)
	return mac.Sum(nil)
}

// fraction returns a random number from 0 to below 1.
func (d draws) fraction(purpose string, k Key) float64 {
	return float64(binary.BigEndian.Uint64(d.sum(purpose, k, 0))>>11) / (1 << 53)
}

// coded gives each study a code that no other has.
func (d draws) coded(studies []Key) []Case {
	codes, taken := map[Key]string{}, map[string]bool{}
	// Sorted, so that which of two studies with the same code gets another one does not depend on the order.
	for _, k := range slices.SortedFunc(slices.Values(studies), compareKeys) {
		for try := 0; codes[k] == ""; try++ {
			if code := letters.EncodeToString(d.sum("code", k, try))[:codeLength]; !taken[code] {
				codes[k], taken[code] = code, true
			}
		}
	}
	cases := make([]Case, len(studies))
	for n, k := range studies {
		cases[n] = Case{codes[k], k}
	}
	return cases
}
