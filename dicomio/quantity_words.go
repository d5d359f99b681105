package dicomio

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// The words for T1ρ, T2* and T2 in texts.

// phrase is a way to write a quantity. It is matched against plain texts, see plainText.
type phrase struct {
	quantity Quantity
	words    *regexp.Regexp
}

// mapssWord is how MAPSS appears in a claim.
const mapssWord = "mapss"

// spinLock matches a spin lock as people and parameters write it; mapss matches the
// sequence MAPSS, which also measures T2.
var (
	spinLock = regexp.MustCompile(`spin[\s_.\-]{0,3}(?:lock|lck|lk(?:$|[^a-z]))`)
	mapss    = regexp.MustCompile(`(?:^|[^a-z])(mapss)(?:$|[^a-z])`)
)

// phrases name a quantity in any text, including private attributes. CubeQuant and MAPSS
// are T1ρ sequences of GE scanners.
var phrases = []phrase{
	{T1rho, regexp.MustCompile(`[tr][12]rho`)},
	{T1rho, regexp.MustCompile(`([tr]1[\s_.\-/^(]{1,3}rho)(?:$|[^a-z]|w|map|prep|weight)`)},
	{T1rho, spinLock},
	{T1rho, regexp.MustCompile(`cube[\s_.\-]?quant`)},
	{T1rho, mapss},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9])(t2[\s_.\-]{0,2}star)(?:$|[^a-z]|w|map)`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9*])(t2\*)`)},
}

// shortPhrases name a quantity in attributes that describe a series, and are too short for
// other texts. TSL is a time of spin lock; T1r and T1p stand for T1ρ.
var shortPhrases = []phrase{
	{T1rho, regexp.MustCompile(`(?:^|[^a-z])(tsl)(?:$|[^a-z])`)},
	{T1rho, regexp.MustCompile(`(?:^|[^a-z0-9])(t1(?:[rp]|ro))(?:$|[^a-z0-9])`)},
	{T2Star, regexp.MustCompile(`(?:^|[^*])([tr]2\*)` +
		`|(?:^|[^a-z0-9*])([tr]2[\s_]\*)(?:$|[^a-z0-9*\s]|\s+(?:$|[^0-9]))`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z0-9])(r2[\s_.\-]{0,2}star)(?:$|[^a-z]|w|map)`)},
	{T2Star, regexp.MustCompile(`(?:^|[^a-z])(swip?|qsm)(?:$|[^a-z])`)},
}

// t2s is T2* without an asterisk. A capital S may mean sagittal, unless the text names a
// gradient echo.
var (
	t2s          = regexp.MustCompile(`(?:^|[^A-Za-z0-9])([tT]2s)(?:$|[^A-Za-z0-9])`)
	t2S          = regexp.MustCompile(`(?:^|[^A-Za-z0-9])([tT]2[sS])(?:$|[^A-Za-z0-9])`)
	gradientWord = regexp.MustCompile(`(?i)(?:^|[^a-z])(gre|megre|mgre|ffe|mffe|flash|spgr|medic|merge)(?:$|[^a-z])`)
)

// claimIn returns the quantity other than T2 that a text names, and the words that name it.
// In a text that describes the series, short words suffice; other texts may be about other
// series, or about a spin lock that is off.
func claimIn(text string, describes bool) (q Quantity, words string, ok bool) {
	plain, origin := plainText(text)
	lists := [][]phrase{phrases}
	switch {
	case describes:
		lists = append(lists, shortPhrases)
	case namesT2(text):
		return "", "", false
	}
	for _, list := range lists {
		for _, p := range list {
			begin, end, ok := p.in(plain)
			if !ok || p.words == mapss && namesT2(text) || p.words == spinLock && !describes && isOff(plain) {
				continue
			}
			return p.quantity, text[origin[begin]:origin[end]], true
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

// denial matches a word before a quantity that denies it.
var denial = regexp.MustCompile(`(?:^|[^a-z])(?:no|not|without|w/o)[\s_.\-]+$`)

// in returns the first place of the phrase in a plain text where it is not denied: the
// first group that matches, or the whole match.
func (p phrase) in(plain string) (begin, end int, ok bool) {
	for _, m := range p.words.FindAllStringSubmatchIndex(plain, -1) {
		begin, end = m[0], m[1]
		for n := 2; n < len(m); n += 2 {
			if m[n] >= 0 {
				begin, end = m[n], m[n+1]
				break
			}
		}
		if !denial.MatchString(plain[:begin]) {
			return begin, end, true
		}
	}
	return 0, 0, false
}

// t2Word is T2 as a separate word, and t2StarWord is T2*.
var (
	t2Word     = regexp.MustCompile(`(?:^|[^a-z0-9])t2(?:$|[^a-z0-9])`)
	t2StarWord = regexp.MustCompile(`(^|[^*])t2(?:[\s_.\-]{0,2}star|[\s_.\-]{0,2}\*(?:$|[^0-9]))`)
)

// namesT2 reports whether the text contains T2 as a separate word.
func namesT2(text string) bool {
	plain, _ := plainText(text)
	return t2Word.MatchString(t2StarWord.ReplaceAllString(plain, "$1 "))
}

// lockOff matches a spin lock that is off, in parameters of sequences: SpinLock=0, "spin
// lock off", <SpinLockTime>0</SpinLockTime>, <ParamLong."SpinLock"> { }. A list of
// spin-lock times may begin with 0, which does not count. Siemens' protocols have 0x0 for
// 0, and <Default> <ParamString.""> before a value.
var lockOff = regexp.MustCompile(`spin[\s_.\-]{0,3}l(?:oc|c)?k` +
	`[a-z_]*(?:[\s:=<>"'\[\](){|._\-]|<default>|<param[a-z]*\.|prep(?:$|[^a-z]))*?` +
	`(?:}|(?:off|no|none|false|disabled|0x0+|0+(?:[.,]0*)?)\s*(?:$|[^a-z0-9\s.,\\/]|[\s,;]+[a-z]))`)

// lockLimits matches what a definition of a Siemens parameter has before its value: a
// default and limits. A definition without a value is then { }.
var lockLimits = regexp.MustCompile(`(spin[\s_.\-]{0,3}l(?:oc|c)?k[a-z_]*["\s]*>\s*\{)` +
	`\s*<default>[^{}<]*<limit[a-z]*>\s*\{[^{}]*\}`)

// notLock matches a spin lock that is denied before it is named, or the end of an XML
// element.
var notLock = regexp.MustCompile(`(?:</[a-z_]*|(?:^|[^a-z])(?:no|without)[\s_\-]+)spin[\s_.\-]{0,3}l(?:oc|c)?k`)

// isOff reports whether every spin lock of a plain text is off.
func isOff(plain string) bool {
	plain = lockLimits.ReplaceAllString(notLock.ReplaceAllString(plain, " "), "$1")
	return !spinLock.MatchString(lockOff.ReplaceAllString(plain, " "))
}

// plainText returns the text in lower case, with the letters and signs for ρ, star, 1 and 2
// as ASCII, and for each byte of it, and its end, the offset in the text.
func plainText(text string) (plain string, origin []int) {
	var b strings.Builder
	for index, r := range text {
		s := strings.ToLower(string(r))
		if other, ok := lookalikes[r]; ok {
			s = other
		}
		b.WriteString(s)
		for range len(s) {
			origin = append(origin, index)
		}
	}
	return undecorated(b.String()), append(origin, len(text))
}

// undecorated returns the text with spaces in place of leading and trailing asterisks,
// which are decoration, as in **SAG T2**.
func undecorated(plain string) string {
	text := strings.TrimSpace(plain)
	inner := text
	for len(inner) > 1 && inner[0] == '*' && inner[len(inner)-1] == '*' {
		inner = inner[1 : len(inner)-1]
	}
	n := (len(text) - len(inner)) / 2
	start := strings.Index(plain, text)
	return plain[:start] + strings.Repeat(" ", n) + inner + strings.Repeat(" ", n) + plain[start+len(text):]
}

// lookalikes are signs that replace others in descriptions of series.
var lookalikes = map[rune]string{
	'ρ': "rho", 'Ρ': "rho", 'ϱ': "rho", 'ᵨ': "rho", '𝜌': "rho", '𝛒': "rho", '𝝆': "rho",
	'₁': "1", '₂': "2", '¹': "1", '²': "2", '１': "1", '２': "2",
	'＊': "*", '∗': "*", '⁎': "*", '★': "*", '☆': "*",
}

// mayClaim reports whether a text may contain one of the phrases. It is called for every
// text of every image, and rejects nearly all of them in some nanoseconds.
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

// phraseParts are parts of phrases by their first byte in lower case. Every text that
// matches a phrase contains one of them.
var phraseParts = func() (byLetter [utf8.RuneSelf][]string) {
	for _, part := range []string{"rho", "lock", "lck", "lk", "quant", "mapss", "star", "2*", "2 *", "2_*", "tsl",
		"t1r", "t1p", "t2s", "swi", "qsm"} {
		byLetter[part[0]|0x20] = append(byLetter[part[0]|0x20], part)
	}
	return byLetter
}()
