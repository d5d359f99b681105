package dicomio

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unique"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// secretsOf returns the secrets of one file.
func secretsOf(p personal) *secrets {
	var s secrets
	s.add(unique.Make(p))
	return &s
}

func TestDiscloses(t *testing.T) {
	const none = Disclosure("")
	for _, c := range []struct {
		name, birth, text string
		want              Disclosure
	}{
		// One code in both attributes.
		{"S01", "", "S01", none},
		{"KN-101", "", "KN-101", none},
		{"subject-001", "", "subject-001", none},
		{"Subject^001", "", "SUBJECT001", none},
		{"ANON^KN101", "", "ANON_KN101", none},
		{"KneeVolunteer 3", "", "KneeVolunteer_3", none},
		{"STUDYX101", "", "STUDYX101", none},
		{"anonymous", "", "anonymous", none},
		{"", "", "DOE_JANE", none}, // nothing is known

		// The name.
		{"GIVENNAME_ KNEE_ 01MAY2015", "", "GIVENNAME_ KNEE_ 01MAY2015", DisclosesName},
		{"Doe^Jane", "", "JANE_01", DisclosesName},
		{"Doe^Jane", "", "jane1957", DisclosesName},
		{"Doe^Jane", "", "DOEJANE", DisclosesName},
		{"Doe^Jane", "", "DOE_01", none}, // a word of three letters is one of other texts
		{"SMITH, Anna Maria", "", "knee-smith", DisclosesName},
		{"Müller^Jörg", "", "MULLER01", DisclosesName},
		{"Müller^Jörg", "", "Mueller-01", DisclosesName},
		{"Mu\u0308ller^Jo\u0308rg", "", "MÜLLER", DisclosesName},
		{"Łukasiewicz^Jan", "", "LUKASIEWICZ", DisclosesName},
		{"O'Brien^Pat", "", "OBRIEN7", DisclosesName},
		{"Yamada^Tarou=山田^太郎=やまだ^たろう", "", "YAMADA", DisclosesName},
		{"Yamada^Tarou=山田^太郎=やまだ^たろう", "", "山田-1", DisclosesName},
		{"Li^Wei", "", "LI_WEI", DisclosesName},
		{"Li^Wei", "", "LIWEI01", DisclosesName},
		{"Li^Wei", "", "LI-01", none},
		{"Phillips^Ann", "", "phillips.01", DisclosesName},
		{"Philips^Ann", "", "PHILIPS-01", DisclosesName}, // a maker's name is a person's, too

		// The birth date.
		{"Doe^Jane", "19570713", "19570713", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "X-13.07.1957", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "07/13/1957", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "13JUL1957", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "July 13, 1957", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "13jul57", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "130757-1234", DisclosesBirthDate}, // a Danish personal number
		{"Doe^Jane", "19570713", "5707131234", DisclosesBirthDate},
		{"Doe^Jane", "19570713", "MRN00119570713", DisclosesBirthDate},
		{"Doe^Jane", "1957.07.13", "570713", DisclosesBirthDate}, // as before DICOM 3.0
		{"Doe^Jane", "19570713", "19570714", none},
		{"Doe^Jane", "19570713", "130758", none},
		{"Doe^Jane", "1957", "1957", none},
	} {
		if got := secretsOf(personal{names: c.name, birth: c.birth}).disclosed(c.text); got != c.want {
			t.Errorf("name %q, birth %q: %q %s, want %s", c.name, c.birth, c.text, got, c.want)
		}
	}
}

func TestDisclosesAsID(t *testing.T) {
	const none = Disclosure("")
	for _, c := range []struct {
		name, birth, id string
		want            Disclosure
	}{
		// Codes.
		{"S01", "", "S01", none},
		{"KN-101", "", "KN-101", none},
		{"subject-001", "", "subject-001", none},
		{"TRIAL7^", "", "TRIAL7", none},
		{"Smith01", "", "Smith01", none}, // a digit next to the word
		{"OAI^9001104", "", "9001104", none},
		{"Smith^Ann", "", "ID-123456789", none},
		{"Smith^Ann", "", "AS-12", none},
		{"Li^Wei", "", "LIWE-01", none}, // initials alone
		{"Doe^John", "", "DOE-12", none},
		{"Carter^Ann", "", "CART", DisclosesName},
		{"Smith^Ann", "", "KNEE-01", none},
		{"Kneebone^Ann", "", "KNEE-01", none}, // a general word

		// Not codes.
		{"NIST", "", "NIST", DisclosesName},
		{"ControlA", "", "ControlA", DisclosesName},
		{"FNIH-0023", "", "FNIH-0023", DisclosesName}, // the letters may be a name
		{"SITEA-ABCD-01", "", "SITEA-ABCD-01", DisclosesName},
		{"SITEA^ABCD", "", "SITEA-ABCD-01", DisclosesName},
		{"Smith^Ann", "", "SMITH-01", DisclosesName},
		{"SMITH-1957", "", "SMITH-1957", DisclosesName}, // may be a year
		{"SMITH-1", "", "SMITH-1", DisclosesName},
		{"SMITH-130757", "19570713", "SMITH-130757", DisclosesBirthDate},
		{"GIVENNAME_ KNEE_ 01MAY2015", "", "GIVENNAME_ KNEE_ 01MAY2015", DisclosesName},
		{"FNIH-20150501", "", "FNIH-20150501", DisclosesName},
		{"Smit^John", "", "smit01", DisclosesName},
		{"Smith^Ann", "", "smit01", DisclosesName},
		{"Doe^John", "", "JDoe", DisclosesName},
		{"Doe^John", "", "jdoe12", DisclosesName},
		{"Doe^John", "", "JOHND", DisclosesName},
		{"Garcia Lopez^Ana", "", "GARLOPANA", DisclosesName},
		{"Garcia Lopez^Ana", "", "garlopana_07", DisclosesName},
		{"García López^Ana", "", "GARLOPANA", DisclosesName},
		{"Müller^Hans", "", "MUELLER_H", DisclosesName},
		{"Smith^Ann", "19610503", "610503-1234", DisclosesBirthDate},
		{"Smith^Ann", "", "20150501", DisclosesDate},
	} {
		if got := secretsOf(personal{names: c.name, birth: c.birth}).disclosedByID(c.id); got != c.want {
			t.Errorf("name %q, birth %q, ID %q: %q, want %q", c.name, c.birth, c.id, got, c.want)
		}
	}
	// A long ID with many names costs no more than its length.
	many := secretsOf(personal{names: strings.Repeat("a ", 500) + "aaa aaaa aaaaa aaaaaa"})
	if got := many.disclosedByID(strings.Repeat("a", 10000) + "b"); got != DisclosesName {
		t.Error(got)
	}
}

// The documents say that 2 of 1,000 random numbers of eight digits are taken for dates: of 10^8 numbers,
// 73,050 are days with the year first and about 117,000 with the year last.
func TestRandomNumbersThatAreDates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 200_000
	dates := 0
	for range n {
		if holdsDate(fmt.Sprintf("%08d", rng.IntN(1e8))) {
			dates++
		}
	}
	if share := 1000 * float64(dates) / n; share < 1.5 || share > 2.3 { // 1.9, standard error 0.1
		t.Errorf("%g of 1,000", share)
	}
}

func TestHoldsDate(t *testing.T) {
	for text, want := range map[string]bool{
		"20150501": true, "X20150501": true, "KN-20150501-2": true, "01052015": true, "05312015": true,
		"20150501143059": true,
		"2015-05-01":     true, "2015_5_1": true, "01.05.2015": true, "05/01/2015": true, "31/05/2015": true,
		"GIVENNAME_ KNEE_ 01MAY2015": true,
		"1 May 2015":                 true, "may-01-2015": true, "May 1, 2015": true, "01MAI2015": true,
		"3-Okt-14":  true,
		"2015MAY01": true, "01-MÄR-2015": true,
		"": false, "S01": false, "KN-101": false, "20150001": false, "20151301": false, "20150230": false,
		"99999999": false, "18990101": false,
		"12345678": false, "2015050": false, "120150501": false, "2015-05": false, "1.2.840.10008": false,
		"KN-01-05-15": false,
		"MARS-01":     false, "S2015": false, "9001104": false, "20150501999999": false,
	} {
		if got := holdsDate(text); got != want {
			t.Errorf("%q: %v, %+v", text, got, datesIn(text))
		}
	}
}

func TestShown(t *testing.T) {
	p := personal{
		names: "Doe^Jane Marguerite^Quinn", others: "House^Gregory", birth: "19570713",
		places: "Philips Knee Center, University Hospital of Springfield\nSTATION9", numbers: "ACC778899",
	}
	for text, want := range map[string]string{
		"SAG T2 MAP":                      "SAG T2 MAP",
		"Knee of JANE":                    "Knee of [removed]",
		"DOE JANE knee":                   "[removed] [removed] knee",
		"T2 MAP FOR DOE":                  "T2 MAP FOR DOE",
		"janedoe_left":                    "[removed]_left",
		"MARGUERI":                        "[removed]", // cut short
		"born 13.7.1957":                  "born [removed]",
		"T2 13071957 x":                   "T2 [removed] x",
		"t2_GREGORY":                      "t2_[removed]",
		"UNIVERSITY KNEE":                 "UNIVERSITY KNEE",
		"Springfield Protocol":            "[removed] Protocol",
		"at station9":                     "at [removed]",
		"ACC778899":                       "[removed]",
		"TRANSVERSE":                      "TRANSVERSE",
		"Jane\u0301 and İ{JANE}":          "[removed] and İ{[removed]}",
		"\xff JANE":                       "\xff [removed]",
		"series 5: EchoTime is not there": "series 5: EchoTime is not there",
	} {
		if got := secretsOf(p).shown(text, false); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	maker := secretsOf(personal{names: "Philips^Jane"})
	if got := maker.shown("Philips Jane", true); got != "Philips [removed]" {
		t.Errorf("maker: %q", got)
	}
	if got := maker.shown("Philips Jane", false); got != "[removed] [removed]" {
		t.Errorf("no maker: %q", got)
	}
}

// A maker's name in the name of the institution does not change the reading of its scaling.
func TestVendorStaysKnown(t *testing.T) {
	h := header{texts: &texts{manufacturer: "Philips Medical Systems"},
		identity: unique.Make(personal{places: "Philips Research", names: "Philips^Anna"})}
	if !h.isPhilips() {
		t.Error("a Philips scanner is not one any more")
	}
}

// Names in the labels of a mask are removed, whether they belong to the mask's own patient
// or to that of its study.
func TestMaskLabelsShown(t *testing.T) {
	named := fields{}.add(tag.PatientName, "PN", "Quillfeather^Marmaduke")
	seg := testSEG{rows: 2, columns: 2, segments: []fields{segment(1, "medial MARMADUKE").add(tag.SegmentAlgorithmName,
		"LO", "x")},
		frames: []testFrame{{1, [3]float64{}, []byte{1, 0, 0, 0}}},
		others: append(append(fields{}, named...), fields{}.add(tag.ContentLabel, "CS", "QUILLFEATHER 1")...)}
	rt := structureSet("1.2", "1.3", testStructure{number: 1, name: "Quillfeather lateral",
		contours: []testContour{square(0, 1, 1, 0.4)}})
	for name, c := range map[string]struct {
		file []byte
		own  bool
		want string
	}{"SEG": {seg.bytes(), true, "medial [removed]"}, "RTSTRUCT": {rt, false, "[removed] lateral"}} {
		m := openBytes(t, c.file)
		if c.own && strings.Contains(m.Label, "QUILL") {
			t.Errorf("%s: label %q", name, m.Label)
		}
		if !c.own {
			m.secrets = secretsOf(personal{names: "Quillfeather^Marmaduke"})
		}
		got, _, err := ReadMask(context.Background(), m, unitGrid(2, 2, 1), MaskOptions{})
		if err != nil || len(got.Segments) != 1 || got.Segments[0].Label != c.want {
			t.Errorf("%s: %+v, %v", name, got.Segments, err)
		}
	}
}

// A long list of names costs no more than the text.
func BenchmarkShown(b *testing.B) {
	s := secretsOf(personal{names: "Doe^Jane Marguerite", places: "Springfield General", birth: "19570713"})
	for b.Loop() {
		_ = s.shown("SAG T2 MAP MULTI ECHO", false)
	}
}

func FuzzShown(f *testing.F) {
	f.Add("Doe^Jane=山田^太郎", "19570713", "KNEE OF JANE 13JUL1957 \xff İ")
	f.Fuzz(func(t *testing.T, name, birth, text string) {
		s := secretsOf(personal{names: name, birth: birth, places: name})
		once := s.shown(text, false)
		_ = s.disclosed(text)
		if fmt.Sprint(once) == "" && text != "" {
			t.Errorf("%q became nothing", text)
		}
	})
}
