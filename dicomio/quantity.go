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
	// yields says that a SeriesDescription that says T2 settles it: the words are a sequence
	// that is used for T2 too, see mapss, or stand beside T2 in the name of a protocol.
	yields bool
}

// claimOf returns what the first of the images says that says that they are not of T2, or
// nil.
func claimOf(images []*header) *Claim {
	for _, h := range images {
		for _, c := range slices.Backward(h.claims) { // private texts come first, and say it less plainly
			if !c.yields || !saysT2(h.description) {
				return h.claimed(c)
			}
		}
	}
	return gradientEcho(images)
}

// claimed returns a claim of an image with its place.
func (h *header) claimed(c claim) *Claim {
	return &Claim{c.quantity, attribute(c.tag), c.words, h.displayName()}
}

// mentionOf returns what the first of the images says of another quantity in the name of its
// protocol, beside T2, or nil. A protocol of several series names what they all measure.
func mentionOf(images []*header) *Claim {
	for _, h := range images {
		for _, c := range h.claims {
			if c.yields && isProtocol(c.tag) && !strings.EqualFold(c.words, mapssWord) {
				return h.claimed(c)
			}
		}
	}
	return nil
}

// isProtocol reports whether an attribute is the name of a protocol.
func isProtocol(t tag.Tag) bool { return t == tag.ProtocolName || t == tag.AcquisitionProtocolName }

// gradientEcho returns what the first of the images says that says gradient echo and not
// spin echo, or nil. ScanningSequence (0018,0020) and EchoPulseSequence (0018,9008) are
// both asked: neither hides what the other says. Where ScanningSequence is silent, the
// sequence's name is asked.
func gradientEcho(images []*header) *Claim {
	for _, h := range images {
		switch {
		case slices.Contains(h.sequence, "GR") && !slices.Contains(h.sequence, "SE"):
			return &Claim{T2Star, attribute(tag.ScanningSequence), "GR", h.displayName()}
		case h.pulseSequence == "GRADIENT":
			return &Claim{T2Star, attribute(tag.EchoPulseSequence), "GRADIENT", h.displayName()}
		case h.pulseSequence == "" && !slices.Contains(h.sequence, "SE") && gradientName.MatchString(h.sequenceName):
			return &Claim{T2Star, attribute(tag.SequenceName), gradientName.FindString(h.sequenceName), h.displayName()}
		}
	}
	return nil
}

// gradientName is the name of a sequence of gradient echoes: Siemens' FLASH, *fl3d1, GE's and
// Philips' words for gradient echoes.
var gradientName = regexp.MustCompile(`(?i)^\*?(?:fl[23]d\d*|m?e?gre|spgr|m?ffe)(?:$|[^a-z])`)

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
	if t.Claim.Attribute == attribute(tag.ScanningSequence) || t.Claim.Attribute == attribute(tag.EchoPulseSequence) || gradientName.MatchString(t.Claim.Words) {
		says += ", gradient echo"
	}
	return &TrainError{
		Problem: fmt.Sprintf("series %s: %s says %s in %s: the series measures %s, not T2", t.Hash, t.Claim.Attribute, says, t.Claim.Path, t.Claim.Quantity),
		Hint:    "map a multi-echo spin-echo series; where this one is of T2 all the same, name it in the protocol with quantity: T2 (series: {number: N, quantity: T2})",
	}
}

// claim notes what the texts of an attribute say of the quantity.
func (h *header) claim(t tag.Tag, describes bool, texts ...string) {
	for _, text := range texts {
		if !mayClaim(text) {
			continue
		}
		if q, words, ok := claimIn(text, describes); ok {
			h.claims = append(slices.Clip(h.claims), claim{q, t, words, strings.EqualFold(words, mapssWord) || isProtocol(t) && saysT2(text)})
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
	if len(h.claims) > 0 && !h.claims[0].yields || t.Group == philipsExamCard.Group && t.Element&0xFF == philipsExamCard.Element&0xFF {
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
	part  string
	start int
}{{"rho", 1}, {"lock", 3}}

// mayHoldWord reports whether a block holds one of the parts, in letters of either case.
func mayHoldWord(block []byte) bool {
	for _, p := range blockParts {
		for _, letter := range [2]byte{p.part[p.start], p.part[p.start] - 'a' + 'A'} {
			for start := 0; ; start++ {
				n := bytes.IndexByte(block[start:], letter)
				if n < 0 {
					break
				}
				start += n
				if start := start - p.start; start >= 0 && start+len(p.part) <= len(block) && bytes.EqualFold(block[start:start+len(p.part)], []byte(p.part)) {
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
