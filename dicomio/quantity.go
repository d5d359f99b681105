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

// A train of spin-lock times or of gradient echoes decays like a train of spin echoes, and
// its decay time looks like T2. Only texts written for people name the quantity that a
// series measures. This file searches them for words.

// Quantity is a relaxation time that a series measures.
type Quantity string

const (
	// T1rho is the relaxation time under a spin lock, whose duration is stored as EchoTime.
	T1rho Quantity = "T1ρ"
	// T2Star is the relaxation time of gradient echoes.
	T2Star Quantity = "T2*"
)

// Claim is a statement of an image that its series measures a quantity other than T2.
type Claim struct {
	Quantity Quantity
	// Attribute is the keyword and tag of the text, SeriesDescription (0008,103E); Words is
	// the part of the text that names the quantity; Path is the file's path relative to the
	// searched folder.
	Attribute, Words, Path string
}

// claim is a Claim of one image.
type claim struct {
	quantity Quantity
	tag      tag.Tag
	words    string
	// yields says that T2 in the SeriesDescription overrides the claim: the words name a
	// sequence that is also used for T2, see mapss, or occur together with T2 in the name
	// of a protocol.
	yields bool
}

// claimOf returns the claim of the first image that has one, or nil.
func claimOf(images []*header) *Claim {
	for _, h := range images {
		for _, c := range slices.Backward(h.claims) { // private texts come first, and are less explicit
			if !c.yields || !namesT2(h.description) {
				return h.newClaim(c)
			}
		}
	}
	return gradientEcho(images)
}

// newClaim returns a claim with the place of its image.
func (h *header) newClaim(c claim) *Claim {
	return &Claim{c.quantity, attribute(c.tag), c.words, h.displayName()}
}

// mentionOf returns the quantity that the first such image mentions, in addition to T2, in
// the name of its protocol, or nil. A protocol of several series names the quantities of
// all.
func mentionOf(images []*header) *Claim {
	for _, h := range images {
		for _, c := range h.claims {
			if c.yields && isProtocol(c.tag) && !strings.EqualFold(c.words, mapssWord) {
				return h.newClaim(c)
			}
		}
	}
	return nil
}

// isProtocol reports whether an attribute is the name of a protocol.
func isProtocol(t tag.Tag) bool { return t == tag.ProtocolName || t == tag.AcquisitionProtocolName }

// gradientEcho returns the statement of the first image that it is a gradient echo and not
// a spin echo, or nil. ScanningSequence (0018,0020) and EchoPulseSequence (0018,9008) are
// both read: neither overrides the other. If ScanningSequence is missing, the name of the
// sequence is used.
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

// gradientName matches names of gradient-echo sequences: Siemens' FLASH, *fl3d1, and the
// words of GE and Philips for gradient echoes.
var gradientName = regexp.MustCompile(`(?i)^\*?(?:fl[23]d\d*|m?e?gre|spgr|m?ffe)(?:$|[^a-z])`)

// AsT2 returns a train with a claim to another quantity as a T2 train, for a user who knows
// better. Its Claim stays.
func (t Train) AsT2() Train {
	if t.refused {
		t.Problem, t.unread, t.refused = t.unread, nil, false
	}
	return t
}

// notT2 returns the error of a train that claims another quantity.
func (t *Train) notT2() error {
	says := fmt.Sprintf("%q", t.Claim.Words)
	if t.Claim.Attribute == attribute(tag.ScanningSequence) || t.Claim.Attribute == attribute(tag.EchoPulseSequence) ||
		gradientName.MatchString(t.Claim.Words) {
		says += ", gradient echo"
	}
	return &TrainError{
		Series: t.Hash,
		Problem: fmt.Sprintf("%s says %s in %s: the series measures %s, not T2", t.Claim.Attribute, says, t.Claim.Path,
			t.Claim.Quantity),
		Topic: TopicQuantity,
		Hint: "map a multi-echo spin-echo series; if this one measures T2 nevertheless, name it in the protocol " +
			"with quantity: T2 (series: {number: N, quantity: T2})",
	}
}

// claim records what the texts of an attribute say about the quantity.
func (h *header) claim(t tag.Tag, describes bool, texts ...string) {
	for _, text := range texts {
		if !mayClaim(text) {
			continue
		}
		if q, words, ok := claimIn(text, describes); ok {
			h.claims = append(slices.Clip(h.claims), claim{q, t, words, strings.EqualFold(words, mapssWord) ||
				isProtocol(t) && namesT2(text)})
			return
		}
	}
}

// philipsExamCard is ExamCard Name of Philips: it names the purpose of the session, of
// which the series is a part.
var philipsExamCard = tag.Tag{Group: 0x2001, Element: 0x10C8}

// claimPrivately records what a private text, or a comment, says. It is called with each of
// them.
func (h *header) claimPrivately(out *elements.Outline, t tag.Tag, text []byte, block bool) {
	if len(h.claims) > 0 && !h.claims[0].yields || t.Group == philipsExamCard.Group &&
		t.Element&0xFF == philipsExamCard.Element&0xFF {
		return
	}
	if block {
		h.claimInBlock(t, text)
		return
	}
	// The meaning of a text that is not ASCII depends on its character set.
	if slices.ContainsFunc(text, func(c byte) bool { return c >= utf8.RuneSelf || c == 0x1B }) {
		h.claim(t, false, out.Text(text))
		return
	}
	h.claim(t, false, string(text))
}

// blockParts are parts of the words that are searched for in blocks, with the index of
// their rarest letter: the search for one letter runs at memory speed.
var blockParts = []struct {
	text   string
	rarest int
}{{"rho", 1}, {"lock", 3}}

// mayHoldWord reports whether a block contains one of the parts, in upper or lower case.
func mayHoldWord(block []byte) bool {
	for _, p := range blockParts {
		for _, letter := range [2]byte{p.text[p.rarest], p.text[p.rarest] - 'a' + 'A'} {
			for position := 0; ; position++ {
				n := bytes.IndexByte(block[position:], letter)
				if n < 0 {
					break
				}
				position += n
				start := position - p.rarest
				if end := start + len(p.text); start >= 0 && end <= len(block) &&
					bytes.EqualFold(block[start:end], []byte(p.text)) {
					return true
				}
			}
		}
	}
	return false
}

// blockWords are long enough not to occur among other bytes by chance.
var blockWords = regexp.MustCompile(`[tr][12][\s_.\-]{0,2}rho|spin[\s_.\-]{0,3}lock`)

// The shortest runs of ASCII among other bytes that are taken as text: by chance one of
// these words occurs in a run of 12 in one of about 10⁷ blocks of 256 kB, and in a run of 7
// in fewer of the short ones.
const (
	leastRun      = 12
	leastShortRun = 7
	shortBlock    = 1024 // bytes
)

// claimInBlock records what a text among other bytes says: a line of a protocol, or a name.
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
