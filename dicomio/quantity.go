package dicomio

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/suyashkumar/dicom/pkg/tag"

	"github.com/t2map/t2map/dicomio/internal/elements"
)

// A train of spin-lock times or of gradient echoes decays as a train of spin echoes does,
// and gives numbers that look like T2. What the series measures stands in texts that are
// written for people, so that this file looks for words.

// Quantity is a relaxation time that a series measures.
type Quantity string

const (
	// T1rho is the relaxation time under a spin lock, whose duration stands in EchoTime.
	T1rho Quantity = "T1ρ"
	// T2Star is that of gradient echoes.
	T2Star Quantity = "T2*"
)

// Claim is what an image says of the quantity that its series measures, where that is not
// T2.
type Claim struct {
	Quantity Quantity
	// Attribute is the keyword and tag of the text, SeriesDescription (0008,103E), Words
	// the part that says so, and Path the file's path below the searched folder.
	Attribute, Words, Path string
}

// claim is a Claim of one image.
type claim struct {
	quantity Quantity
	tag      tag.Tag
	words    string
	sequence bool // the words are a sequence that is used for T2 too, see MAPSS
}

// claimOf returns what the first of the images says that says that they are not of T2, or
// nil.
func claimOf(images []*header) *Claim {
	for _, h := range images {
		for _, c := range slices.Backward(h.claims) { // private texts come first, and say it less plainly
			if c.sequence && saysT2(h.description) {
				continue
			}
			return &Claim{c.quantity, attribute(c.tag), c.words, h.where()}
		}
	}
	return gradientEcho(images)
}

// gradientEcho returns what the first of the images says that says gradient echo and not
// spin echo, or nil. ScanningSequence (0018,0020) and EchoPulseSequence (0018,9008) are
// both asked: neither hides what the other says.
func gradientEcho(images []*header) *Claim {
	for _, h := range images {
		switch {
		case slices.Contains(h.sequence, "GR") && !slices.Contains(h.sequence, "SE"):
			return &Claim{T2Star, attribute(tag.ScanningSequence), "GR", h.where()}
		case h.pulseSequence == "GRADIENT":
			return &Claim{T2Star, attribute(tag.EchoPulseSequence), "GRADIENT", h.where()}
		}
	}
	return nil
}

// AsT2 returns a train that claims to be of another quantity as one of T2, for a user who
// knows better. Its Claim stays.
func (t Train) AsT2() Train {
	if t.refused {
		t.Problem, t.unread, t.refused = t.unread, nil, false
	}
	return t
}

// notT2 says that the train claims to be of another quantity.
func (t *Train) notT2() error {
	says := fmt.Sprintf("%q", t.Claim.Words)
	if t.Claim.Attribute == attribute(tag.ScanningSequence) || t.Claim.Attribute == attribute(tag.EchoPulseSequence) {
		says += ", gradient echo"
	}
	return &TrainError{
		Problem: fmt.Sprintf("series %s: %s says %s in %s: the series measures %s, not T2", t.Hash, t.Claim.Attribute, says, t.Claim.Path, t.Claim.Quantity),
		Hint:    "map a multi-echo spin-echo series; where this one is of T2 all the same, name it in the protocol with quantity: T2 (series: {number: N, quantity: T2})",
	}
}

// phrase is how people write a quantity. Texts are plain, see plainText.
type phrase struct {
	quantity Quantity
	words    *regexp.Regexp
}

// spinLock is a spin lock as people and parameters write it, mapss the sequence MAPSS, which
// measures T2 as well.
var (
	spinLock = regexp.MustCompile(`spin[\s_.\-]{0,3}(?:lock|lck|lk(?:$|[^a-z]))`)
	mapss    = regexp.MustCompile(`(?:^|[^a-z])(mapss)(?:$|[^a-z])`)
)

// phrases say a quantity wherever they stand; a private attribute may hold any text.
// CubeQuant and MAPSS are sequences for T1ρ of GE's scanners.
var phrases = []phrase{
	{T1rho, regexp.MustCompile(`[tr][12]rho`)},
	{T1rho, regexp.MustCompile(`([tr]1[\s_.\-/^(]{1,3}rho)(?:$|[^a-z]|w|map|prep|weight)`)},
	{T1rho, spinLock},
	{T1rho, regexp.MustCompile(`cube[\s_.\-]?quant`)},
	{T1rho, mapss},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9])(t2[\s_.\-]{0,2}star)(?:$|[^a-z]|w|map)`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9])(t2\*)`)},
}

// shortPhrases say it in attributes that describe a series, and are too short to be looked
// for elsewhere. A time of spin lock is TSL; T1r and T1p are how T1ρ is typed.
var shortPhrases = []phrase{
	{T1rho, regexp.MustCompile(`(?:^|[^a-z])(tsl)(?:$|[^a-z])`)},
	{T1rho, regexp.MustCompile(`(?:^|[^a-z0-9])(t1(?:[rp]|ro))(?:$|[^a-z0-9])`)},
	{T2Star, regexp.MustCompile(`[tr]2\*|(?:^|[^a-z0-9])([tr]2[\s_]\*)(?:$|[^a-z*])`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9])(r2[\s_.\-]{0,2}star)(?:$|[^a-z]|w|map)`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z])(swip?|qsm)(?:$|[^a-z])`)},
}

// t2s is how T2* is typed where there is no asterisk. A capital S may as well be sagittal,
// unless the text names a gradient echo.
var (
	t2s          = regexp.MustCompile(`(?:^|[^A-Za-z0-9])([tT]2s)(?:$|[^A-Za-z0-9])`)
	t2S          = regexp.MustCompile(`(?:^|[^A-Za-z0-9])([tT]2[sS])(?:$|[^A-Za-z0-9])`)
	gradientWord = regexp.MustCompile(`(?i)(?:^|[^a-z])(gre|megre|mgre|ffe|mffe|flash|spgr|medic|merge)(?:$|[^a-z])`)
)

// claimIn returns the quantity that a text says, other than T2, and the words that say it.
// A text that describes says it in fewer letters than others, which may speak of other
// series, or of a spin lock that is off.
func claimIn(text string, describes bool) (q Quantity, words string, ok bool) {
	plain, from := plainText(text)
	lists := [][]phrase{phrases}
	switch {
	case describes:
		lists = append(lists, shortPhrases)
	case saysT2(text):
		return "", "", false
	}
	for _, list := range lists {
		for _, p := range list {
			m := p.words.FindStringSubmatchIndex(plain)
			if m == nil || p.words == mapss && saysT2(text) || p.words == spinLock && !describes && isOff(plain) {
				continue
			}
			begin, end := m[0], m[1]
			if len(m) > 2 && m[2] >= 0 {
				begin, end = m[2], m[3]
			}
			return p.quantity, text[from[begin]:from[end]], true
		}
	}
	if m := t2s.FindStringSubmatch(text); describes && m != nil {
		return T2Star, m[1], true
	}
	if m := t2S.FindStringSubmatch(text); describes && m != nil && gradientWord.MatchString(text) {
		return T2Star, m[1], true
	}
	return "", "", false
}

// t2Word is T2 as a word of its own, and t2StarWord what is none.
var (
	t2Word     = regexp.MustCompile(`(?:^|[^a-z0-9])t2(?:$|[^a-z0-9])`)
	t2StarWord = regexp.MustCompile(`t2[\s_.\-]{0,2}(?:star|\*)`)
)

// saysT2 reports whether the text says T2 as a word of its own.
func saysT2(text string) bool {
	plain, _ := plainText(text)
	return t2Word.MatchString(t2StarWord.ReplaceAllString(plain, " "))
}

// lockOff is a spin lock that is off, as parameters of sequences have it: SpinLock=0,
// "spin lock off", <SpinLockTime>0</SpinLockTime>, <ParamLong."SpinLock"> { }. A list of
// spin-lock times may begin with 0, and is none.
var lockOff = regexp.MustCompile(`spin[\s_.\-]{0,3}l(?:oc|c)?k` +
	`[a-z_]*[\s:=<>"'\[\](){|._\-]*?(?:}|(?:off|no|none|false|disabled|0+(?:[.,]0*)?)\s*(?:$|[^a-z0-9\s.,\\/]|[\s,;]+[a-z]))`)

// notLock is a spin lock that is denied before it is named, or the end of an XML element.
var notLock = regexp.MustCompile(`(?:</[a-z_]*|(?:^|[^a-z])(?:no|without)[\s_\-]+)spin[\s_.\-]{0,3}l(?:oc|c)?k`)

// isOff reports whether every spin lock of a plain text is off.
func isOff(plain string) bool {
	return !spinLock.MatchString(lockOff.ReplaceAllString(notLock.ReplaceAllString(plain, " "), " "))
}

// plainText returns the text in lower case, with the letters and signs by which people
// write ρ, star, 1 and 2 as ASCII, and for each byte of it, and its end, where it comes
// from in the text.
func plainText(text string) (plain string, from []int) {
	var b strings.Builder
	for at, r := range text {
		s := strings.ToLower(string(r))
		if other, ok := lookalikes[r]; ok {
			s = other
		}
		b.WriteString(s)
		for range len(s) {
			from = append(from, at)
		}
	}
	return b.String(), append(from, len(text))
}

// lookalikes are signs that stand for others in descriptions of series.
var lookalikes = map[rune]string{
	'ρ': "rho", 'Ρ': "rho", 'ϱ': "rho", 'ᵨ': "rho", '𝜌': "rho", '𝛒': "rho", '𝝆': "rho",
	'₁': "1", '₂': "2", '¹': "1", '²': "2", '１': "1", '２': "2",
	'＊': "*", '∗': "*", '⁎': "*", '★': "*", '☆': "*",
}

// mayClaim reports whether a text may hold one of the phrases. It is asked of every text of
// every image, and says no to nearly all of them in some nanoseconds.
func mayClaim(text string) bool {
	for i, r := range text {
		if r >= utf8.RuneSelf {
			if _, ok := lookalikes[r]; ok {
				return true
			}
			continue
		}
		for _, start := range phraseParts[r|0x20&0x7F] {
			if rest := text[i:]; len(rest) >= len(start) && strings.EqualFold(rest[:len(start)], start) {
				return true
			}
		}
	}
	return false
}

// phraseParts are parts of phrases, one of which is in every text that a phrase matches, by
// their first byte in lower case.
var phraseParts = func() (by [utf8.RuneSelf][]string) {
	for _, part := range []string{"rho", "lock", "lck", "lk", "quant", "mapss", "star", "2*", "2 *", "2_*", "tsl", "t1r", "t1p", "t2s", "swi", "qsm"} {
		by[part[0]|0x20] = append(by[part[0]|0x20], part)
	}
	return by
}()

// claim notes what the texts of an attribute say of the quantity.
func (h *header) claim(t tag.Tag, describes bool, texts ...string) {
	for _, text := range texts {
		if !mayClaim(text) {
			continue
		}
		if q, words, ok := claimIn(text, describes); ok {
			h.claims = append(slices.Clip(h.claims), claim{q, t, words, strings.EqualFold(words, "mapss")})
			return
		}
	}
}

// philipsExamCard is ExamCard Name of Philips: it names what a session was planned for, of
// which the series is a part.
var philipsExamCard = tag.Tag{Group: 0x2001, Element: 0x10C8}

// claimPrivately notes what a private text, or a comment, says. It is called with every one
// of them.
func (h *header) claimPrivately(out *elements.Outline, t tag.Tag, text []byte, block bool) {
	if len(h.claims) > 0 && !h.claims[0].sequence || t.Group == philipsExamCard.Group && t.Element&0xFF == philipsExamCard.Element&0xFF {
		return
	}
	if block {
		h.claimInBlock(t, text)
		return
	}
	// Where a text is not ASCII, its character set says what it is.
	if slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf || c == 0x1B }) {
		h.claim(t, false, out.Text(text))
		return
	}
	h.claim(t, false, string(text))
}

// blockParts are parts of the words that are looked for in blocks, with the place of their
// rarest letter, for which a search runs at memory speed.
var blockParts = []struct {
	part string
	at   int
}{{"rho", 1}, {"lock", 3}}

// mayHoldWord reports whether a block holds one of the parts, in letters of either case.
func mayHoldWord(block []byte) bool {
	for _, p := range blockParts {
		for _, letter := range [2]byte{p.part[p.at], p.part[p.at] - 'a' + 'A'} {
			for at := 0; ; at++ {
				n := bytes.IndexByte(block[at:], letter)
				if n < 0 {
					break
				}
				at += n
				if from := at - p.at; from >= 0 && from+len(p.part) <= len(block) && bytes.EqualFold(block[from:from+len(p.part)], []byte(p.part)) {
					return true
				}
			}
		}
	}
	return false
}

// blockWords are long enough not to stand in other bytes by chance.
var blockWords = regexp.MustCompile(`[tr][12][\s_.\-]{0,2}rho|spin[\s_.\-]{0,3}lock`)

// The least run of ASCII that is taken for a text among other bytes: by chance one of
// these words stands in a run of 12 in one of some 10⁷ blocks of 256 kB, and in a run of 7 in fewer of
// the short ones.
const (
	leastRun      = 12
	leastShortRun = 7
	shortBlock    = 1024 // bytes
)

// claimInBlock notes what a text among other bytes says: a line of a protocol, or a name.
func (h *header) claimInBlock(t tag.Tag, block []byte) {
	if !mayHoldWord(block) {
		return
	}
	least := leastRun
	if len(block) <= shortBlock {
		least = leastShortRun
	}
	for run := range bytes.FieldsFuncSeq(block, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }) {
		if len(run) >= least && mayClaim(string(run)) && blockWords.MatchString(strings.ToLower(string(run))) {
			if h.claim(t, false, string(run)); len(h.claims) > 0 {
				return
			}
		}
	}
}
