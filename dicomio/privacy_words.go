package dicomio

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// span is a part of a text, in bytes.
type span struct{ start, end int }

// word is a run of letters in a text.
type word struct {
	span
	raw    string
	folded string
	digits bool // a digit is next to it: KN101
}

// wordsOf returns the runs of letters in a text. The parts of O'Brien and Smith-Jones are
// words, and digits end a word.
func wordsOf(text string) []word {
	var words []word
	start := -1
	var before rune
	for i, r := range text + "\n" {
		letter := unicode.IsLetter(r) || unicode.IsMark(r)
		if letter && start < 0 {
			start = i
			words = append(words, word{digits: unicode.IsDigit(before)})
		} else if !letter && start >= 0 {
			w := &words[len(words)-1]
			w.span, w.raw = span{start, i}, text[start:i]
			w.folded, w.digits = fold(w.raw), w.digits || unicode.IsDigit(r)
			start = -1
		}
		before = r
	}
	return words
}

// forms returns the ways to write a word without accents: MÜLLER is MULLER and MUELLER.
func (w word) forms() []string {
	return slices.Compact([]string{w.folded, fold(umlauts.Replace(norm.NFC.String(w.raw)))})
}

var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "ae", "Ö", "oe", "Ü", "ue", "å", "aa", "Å",
	"aa", "ø", "oe", "Ø", "oe")

// letters without a decomposition in Unicode.
var plainLetters = strings.NewReplacer("ß", "ss", "ø", "o", "æ", "ae", "œ", "oe", "ł", "l", "đ", "d", "ð", "d", "þ",
	"th", "ı", "i")

// fold returns a text in lower case without accents.
func fold(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(text))
	return plainLetters.Replace(norm.NFC.String(text))
}

// generalWords occur in names of volunteers, phantoms and studies, and disclose nothing
// about a person. They are folded.
var generalWords = wordSet(`
	anonymous anonymized anonymised anonym anon pseudonym pseudonymized deidentified identified removed unknown
	unnamed none null empty noname patient patients subject subjects subj proband volunteer volunteers participant
	human animal control controls healthy normal phantom qaphantom quality assurance calibration water test testing
	tests demo dummy sample example training pilot study trial project research cohort protocol group site center
	centre hospital clinic baseline screening visit scan rescan repeat retest followup follow month months week year
	years timepoint knee knees leg legs limb joint hip ankle cartilage femur tibia patella femoral tibial patellar
	medial lateral compartment meniscus left right bilateral male female adult name code number mri magnetic
	resonance imaging image images series echo echoes spin multi multiecho turbo sequence mapping relaxometry
	sagittal coronal axial transverse oblique scout localizer localiser quantitative weighted proton density dess
	mese dicom nifti label labels mask segmentation segment structure contour missing attribute slice slices
`)

// makerWords occur in names of scanners' makers, and of institutions of all kinds: they are
// shown in the attributes of the scanner, and do not identify an institution.
var makerWords = wordSet(`
	siemens healthineers healthcare philips medical systems general electric canon toshiba hitachi fujifilm united
	esaote paramed shanghai neusoft mindray bruker biospin hyperfine aspect signa discovery ingenia achieva intera
	elition magnetom skyra vida prisma trio avanto aera verio lumina vantage software syngo release version
	university universitat hopital klinik klinikum krankenhaus institute institut department radiology radiologie
	diagnostic diagnostics school college medicine medicine health sciences science academic national regional
	general community city state county county saint foundation faculty laboratory unit ward room scanner station
	floor street road avenue lane building campus orthopaedic orthopedic orthopaedics orthopedics surgery
	rheumatology sports musculoskeletal outpatient private group praxis praxis practice doctor physician
`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		set[w] = true
	}
	return set
}

// General reports whether a text has letters and no digits, and consists of words such as
// anonymous or phantom, which disclose nothing about a person.
func General(text string) bool {
	words := wordsOf(text)
	for _, w := range words {
		if !general(w.folded, false) {
			return false
		}
	}
	return len(words) > 0 && !digitRun.MatchString(text)
}

// general reports whether a folded word, or all words of which it consists, disclose nothing
// about a person or, with makers, about an institution.
func general(w string, makers bool) bool {
	if generalWords[w] || makers && makerWords[w] {
		return true
	}
	for i := nameLetters; i+nameLetters <= len(w); i++ {
		if (generalWords[w[:i]] || makers && makerWords[w[:i]]) && general(w[i:], makers) {
			return true
		}
	}
	return false
}

// date is a date in a text.
type date struct {
	year, month, day int
	span
}

func (d date) same(other date) bool {
	return d.year == other.year && d.month == other.month && d.day == other.day
}

// valid reports whether the day exists, in the years in which patients were born and
// scanned.
func (d date) valid() bool {
	t := time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
	return d.year >= 1900 && d.year < 2100 && t.Year() == d.year && int(t.Month()) == d.month && t.Day() == d.day
}

// birthDate reads a date in the format of DICOM (PS3.5 6.2, DA), or of versions before 3.0.
func birthDate(text string) (date, bool) {
	digits := strings.ReplaceAll(text, ".", "")
	if len(digits) != 8 || strings.Trim(digits, "0123456789") != "" {
		return date{}, false
	}
	d := dateOf(digits[:4], digits[4:6], digits[6:], span{})
	return d, d.month >= 1 && d.month <= 12 && d.day >= 1
}

func dateOf(year, month, day string, place span) date {
	y, _ := strconv.Atoi(year)
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	return date{y, m, d, place}
}

var (
	digitRun    = regexp.MustCompile(`[0-9]+`)
	yearFirst   = regexp.MustCompile(`([0-9]{4})[-./_ ]([0-9]{1,2})[-./_ ]([0-9]{1,2})`)
	yearLast    = regexp.MustCompile(`([0-9]{1,2})[-./_ ]([0-9]{1,2})[-./_ ]([0-9]{4})`)
	monthMiddle = regexp.MustCompile(`(?i)([0-9]{1,2})[-./_ ]*(` + months + `)[-./_ ]*([0-9]{4}|[0-9]{2})`)
	monthFirst  = regexp.MustCompile(`(?i)(` + months + `)[-./_ ]*([0-9]{1,2})[-./_, ]+([0-9]{4})`)
	monthSecond = regexp.MustCompile(`(?i)([0-9]{4})[-./_ ]*(` + months + `)[-./_ ]*([0-9]{1,2})`)
)

// months are names and abbreviations in English, German, French and Spanish.
const months = `january|jan|janvier|januar|enero|ene|february|feb|fevrier|février|fev|fév|februar|febrero|march|` +
	`mar|mars|märz|mrz|mär|marzo|april|apr|avril|avr|abril|abr|may|mai|mayo|` +
	`june|jun|juin|juni|junio|july|jul|juillet|juil|juli|julio|august|aug|aout|août|aou|aoû|agosto|` +
	`ago|september|sept|sep|septembre|septiembre|october|oct|octobre|oktober|okt|octubre|` +
	`november|nov|novembre|noviembre|december|dec|decembre|décembre|déc|dezember|dez|diciembre|dic`

// monthOf returns the number of a month's name.
func monthOf(name string) string {
	name = fold(name)
	for i, begins := range [][]string{{"ja", "en"}, {"f"}, {"mar", "mrz"}, {"ap", "av", "ab"}, {"may", "mai"},
		{"jun", "juin"}, {"jul", "juil"}, {"au", "ao", "ag"}, {"s"}, {"o"}, {"n"}, {"d"}} {
		if slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(name, b) }) {
			return strconv.Itoa(i + 1)
		}
	}
	return "0"
}

// datesIn returns all dates in a text, with any order of day, month and year.
func datesIn(text string) []date {
	var found []date
	add := func(all ...date) {
		for _, d := range all {
			if d.valid() {
				found = append(found, d)
			}
		}
	}
	for _, m := range digitRun.FindAllStringIndex(text, -1) {
		s := text[m[0]:m[1]]
		place := span{m[0], m[1]}
		switch len(s) {
		case 8:
			add(dateOf(s[:4], s[4:6], s[6:], place), dateOf(s[4:], s[2:4], s[:2], place),
				dateOf(s[4:], s[:2], s[2:4], place))
		case 12, 14: // followed by a time of day
			if s[8:10] < "24" && s[10:12] < "60" {
				add(dateOf(s[:4], s[4:6], s[6:8], place))
			}
		}
	}
	each := func(pattern *regexp.Regexp, read func(parts []string, place span)) {
		for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
			if m[0] > 0 && isDigit(text[m[0]-1]) || m[1] < len(text) && isDigit(text[m[1]]) {
				continue // a part of a longer number
			}
			parts := make([]string, 3)
			for i := range parts {
				parts[i] = text[m[2*i+2]:m[2*i+3]]
			}
			read(parts, span{m[0], m[1]})
		}
	}
	each(yearFirst, func(p []string, place span) {
		add(dateOf(p[0], p[1], p[2], place),
			dateOf(p[0], p[2], p[1], place))
	})
	each(yearLast, func(p []string, place span) {
		add(dateOf(p[2], p[1], p[0], place),
			dateOf(p[2], p[0], p[1], place))
	})
	each(monthMiddle, func(p []string, place span) {
		years := []string{p[2]}
		if len(p[2]) == 2 {
			years = []string{"19" + p[2], "20" + p[2]}
		}
		for _, y := range years {
			add(dateOf(y, monthOf(p[1]), p[0], place))
		}
	})
	each(monthFirst, func(p []string, place span) { add(dateOf(p[2], monthOf(p[0]), p[1], place)) })
	each(monthSecond, func(p []string, place span) { add(dateOf(p[0], monthOf(p[1]), p[2], place)) })
	return found
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// shortIn returns the places of the date in formats that are too common to be recognised as
// dates: six digits, alone or at the beginning of a longer number as in Nordic personal
// numbers, and eight digits within others.
func (d date) shortIn(text string) []date {
	two := func(n int) string { return strconv.Itoa(n/10%10) + strconv.Itoa(n%10) }
	year, month, day := two(d.year/100)+two(d.year), two(d.month), two(d.day)
	var dates []date
	for _, m := range digitRun.FindAllStringIndex(text, -1) {
		s := text[m[0]:m[1]]
		holds := strings.Contains(s, year+month+day) || strings.Contains(s, day+month+year) ||
			strings.Contains(s, month+day+year)
		for _, six := range []string{year[2:] + month + day, day + month + year[2:], month + day + year[2:]} {
			holds = holds || s == six || len(s) >= 10 && len(s) <= 12 && strings.HasPrefix(s, six)
		}
		if holds {
			dates = append(dates, date{d.year, d.month, d.day, span{m[0], m[1]}})
		}
	}
	return dates
}
