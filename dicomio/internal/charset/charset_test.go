package charset

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// examples are texts as stored in files and as decoded. The first are those of PS3.5
// annexes H to K and of PS3.3 C.12; the others were decoded by Python's codecs.
var examples = []struct{ name, terms, raw, want string }{
	{"H.3.1", `\ISO 2022 IR 87`, "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
		"Yamada^Tarou=山田^太郎=やまだ^たろう"},
	{"H.3.2", `ISO 2022 IR 13\ISO 2022 IR 87`,
		"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
		"ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"},
	{"I.2", `\ISO 2022 IR 149`,
		"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
		"Hong^Gildong=洪^吉洞=홍^길동"},
	{"I.3, lines", `\ISO 2022 IR 149`, "\x1b$)CINFO \xb1\xe6\xb5\xbf\r\n\x1b$)C\xc8\xab", "INFO 길동\r\n홍"},
	{"J.1", "ISO_IR 192", "Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東="},
	{"J.2", "GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="},
	{"K.1", `\ISO 2022 IR 58`, "Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
	{"K.2, lines", `\ISO 2022 IR 58`, "1. first\r\n\x1b$)A2.\xb5\xda\xb6\xfe\r\n", "1. first\r\n2.第二\r\n"},
	{"Latin 1 and Cyrillic", `ISO 2022 IR 100\ISO 2022 IR 144`, "Dionis\xe9 \x1b-L\xbb\xee\xda", "Dionisé Люк"},
	{"a value returns to the first set", `ISO 2022 IR 100\ISO 2022 IR 144`, "\x1b-L\xbb\\\xe9", `Л\é`},
	{"a name's delimiters are none here", `ISO 2022 IR 100\ISO 2022 IR 144`, "\x1b-L\xbb=\xbb^\xbb", "Л=Л^Л"},
	{"JIS X 0212", `\ISO 2022 IR 159`, "\x1b$(D0!\x1b(B", "丂"},
	{"a backslash in a pair", `\ISO 2022 IR 87`, "\x1b$BF|K\\\x1b(B", "日本"},
	{"a backslash in a pair of GB18030", "GB18030", "\x81\x5c\\A", `乗\A`},
	{"a backslash in a pair of GBK", "GBK", "\x81\x5c", "乗"},
	{"four bytes", "GB18030", "\x81\x39\xee\x39", "㐀"},
	{"Latin 1", "ISO_IR 100", "Buc^J\xe9r\xf4me", "Buc^Jérôme"},
	{"Latin 2", "ISO_IR 101", "Wa\xb3\xeasa", "Wałęsa"},
	{"Latin 3", "ISO_IR 109", "\xa6\xe6", "Ĥĉ"},
	{"Latin 4", "ISO_IR 110", "\xe0\xba", "āē"},
	{"Cyrillic", "ISO_IR 144", "\xbb\xee\xdace\xdc\xd1yp\xd3", "Люкceмбypг"},
	{"Arabic", "ISO_IR 127", "\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"},
	{"Greek", "ISO_IR 126", "\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"},
	{"Hebrew", "ISO_IR 138", "\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"},
	{"Latin 5", "ISO_IR 148", "\xc7avu\xfeo\xf0lu", "Çavuşoğlu"},
	{"Latin 9", "ISO_IR 203", "\xa4\xbd", "€œ"},
	{"Thai", "ISO_IR 166", "\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล"},
	{"Thai, extended", `ISO 2022 IR 166`, "\xb9\xd2", "นา"},
	{"katakana", "ISO_IR 13", "\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"},
	{"Korean without its escape", "ISO 2022 IR 149", "\xb1\xe6", "길"},
	{"Chinese without its escape", "ISO 2022 IR 58", "\xd5\xc5", "张"},
	{"padded terms", " ISO_IR 100 \x00", "\xe9", "é"},
}

func TestDecode(t *testing.T) {
	for _, c := range examples {
		if got := Decode(c.terms, c.raw); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Invalid text is marked, character by character if they are single bytes.
func TestDecodeMarksWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, terms, raw, want string }{
		{"no set", "", "Jos\xe9", "Jos\uFFFD"},
		{"the default set", "ISO_IR 6", "Jos\xe9", "Jos\uFFFD"},
		{"a set that nobody knows", "ISO_IR 999", "Jos\xe9", "Jos\uFFFD"},
		{"not a term", "latin1", "Jos\xe9", "Jos\uFFFD"},
		{"not UTF-8", "ISO_IR 192", "Jos\xe9x", "Jos\uFFFDx"},
		{"half a pair", "GB18030", "A\xcd", "A\uFFFD"},
		{"half a pair of Korean", `\ISO 2022 IR 149`, "\x1b$)C\xb1", "\uFFFD"},
		{"a byte that Hebrew has not", "ISO_IR 138", "\xc0", "\uFFFD"},
		{"half a pair at the end", `\ISO 2022 IR 159`, "\x1b$(D0!0", "丂0"},
	} {
		if got := Decode(c.terms, c.raw); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Escapes that select nothing stay in the text, and the rest is decoded.
func TestDecodeEscapesOfNothing(t *testing.T) {
	for _, raw := range []string{"\x1b", "\x1b\x1b\x1b", "A\x1b$", "\x1b$(", "\x1b[31mred",
		strings.Repeat("\x1b", 1<<20), strings.Repeat("\x1b$B", 1<<20), strings.Repeat("\\", 1<<20)} {
		got := Decode(`ISO 2022 IR 100\ISO 2022 IR 87`, raw)
		if !utf8.ValidString(got) || len(got) > 3*len(raw) {
			t.Errorf("%.20q: %.20q", raw, got)
		}
	}
}

// pydicomScript decodes the examples; single values, as delimiters of names matter to
// pydicom.
const pydicomScript = `
import json, sys, warnings
warnings.simplefilter("ignore")
from pydicom.charset import convert_encodings, decode_bytes
out = []
for terms, raw in json.load(sys.stdin):
    out.append(decode_bytes(bytes(raw), convert_encodings(terms.split("\\")), {0x0d, 0x0a, 0x09, 0x0c}))
json.dump(out, sys.stdout)
`

func TestDecodeAsPydicom(t *testing.T) {
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		if exec.Command(name, "-c", "import pydicom").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("python with pydicom is not installed")
	}
	var in [][2]any
	var wants, names []string
	for _, c := range examples {
		// Lists of values are divided before pydicom decodes them; its releases differ in
		// them.
		switch c.name {
		case "a value returns to the first set", "padded terms", "K.1", "K.2, lines", "Latin 9":
			continue
		}
		raw := make([]int, len(c.raw))
		for i := range raw {
			raw[i] = int(c.raw[i])
		}
		in, wants, names = append(in, [2]any{c.terms, raw}), append(wants, c.want), append(names, c.name)
	}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(python, "-c", pydicomScript)
	run.Stdin = strings.NewReader(string(data))
	text, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got []string
	if err := json.Unmarshal(text, &got); err != nil || len(got) != len(wants) {
		t.Fatalf("%v\n%s", err, text)
	}
	for i, want := range wants {
		if got[i] != want {
			t.Errorf("%s: pydicom reads %q, the example says %q", names[i], got[i], want)
		}
	}
}

// FuzzDecode: for any bytes, decoding ends, and the text is UTF-8 and not much longer.
func FuzzDecode(f *testing.F) {
	for _, c := range examples {
		f.Add(c.terms, c.raw)
	}
	f.Fuzz(func(t *testing.T, terms, raw string) {
		got := Decode(terms, raw)
		if !utf8.ValidString(got) {
			t.Fatalf("%q in %q is not UTF-8: %q", raw, terms, got)
		}
		// A pair of JIS X 0212 takes three bytes in between, each of which may be wrong.
		if len(got) > 5*len(raw)+9 {
			t.Fatalf("%d bytes became %d", len(raw), len(got))
		}
	})
}
