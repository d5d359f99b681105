package yamlfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// What is wrong with a file is said in the words of who wrote it.
func TestDecode(t *testing.T) {
	type part struct {
		Number int `yaml:"number"`
	}
	type doc struct {
		Flag   bool          `yaml:"flag"`
		Number int           `yaml:"number"`
		Share  *float64      `yaml:"share"`
		Range  []float64     `yaml:"range"`
		Name   string        `yaml:"name"`
		Part   part          `yaml:"part"`
		Parts  []part        `yaml:"parts"`
		Labels yaml.MapSlice `yaml:"labels"`
	}
	for _, c := range []struct{ text, want string }{
		{"flag: true\nshare: 0.5\nrange: [0, 80]\npart: {number: 3}", ""},
		{"", "empty"},
		{"# nothing yet\n", "empty"},
		{"name: x\nflag: sometimes", `line 2: flag: "sometimes", want true or false`},
		{"number: many", `line 1: number: "many", want a whole number`},
		{"number: 99999999999999999999", `line 1: number: `},
		{"share: half", `line 1: share: "half", want a number`},
		{"range: [0, high]", `line 1: range: "high", want a number`},
		{"range:\n  - 0\n  - high", `line 3: range: "high", want a number`},
		{"range: 80", `line 1: range: "80", want a list`},
		{"part: 5", `line 1: part: "5", want keys and values`},
		{"part: {number: x}", `line 1: number: "x", want a whole number`},
		{"parts: [{number: 1}, {number: x}]", `line 1: number: "x", want a whole number`},
		{"labels: [1, 2]", `line 1: labels: "[", want keys and values`},
		{"name: [a]", `line 1: name: "[", want a text`},
		{"colour: red", `line 1: unknown key "colour"`},
		{"name: x\npart:\n  size: 3", `line 3: unknown key "size"`},
		{"part: {size: 3}", `line 1: unknown key "size"`},
		{"part: {number: 3, size: {a: b}}", `line 1: unknown key "size"`},
		{"name: x\nname: y", `line 2: mapping key "name" already defined at line 1`},
		{"n\x00a\x00m\x00e\x00:\x00", "not UTF-8"},
		{"\xff\xfen\x00", "not UTF-8"},
		{"\xfe\xff\x00n", "not UTF-8"},
		{"just words", `line 1: "just words", want keys and values`},
		{"name: a\n---\nname: b", "more than one YAML document"},
		{"name: 'a", "line 1: could not find end"},
	} {
		err := Decode([]byte(c.text), new(doc))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if err := Decode(nil, new(doc)); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
}

// A number is the one that is written, or an error; a text is the one that is written.
func TestScalars(t *testing.T) {
	type part struct {
		Number int `yaml:"number"`
	}
	type doc struct {
		Number  int       `yaml:"number"`
		Pointer *int      `yaml:"pointer"`
		Short   uint8     `yaml:"short"`
		Real    float64   `yaml:"real"`
		Range   []float64 `yaml:"range"`
		Name    string    `yaml:"name"`
		Words   []string  `yaml:"words"`
		Part    part      `yaml:"part"`
		Any     any       `yaml:"any"`
	}
	whole := func(key, value string) string {
		return fmt.Sprintf("line 1: %s: %q, want a whole number", key, value)
	}
	for text, want := range map[string]string{
		"number: 1.5":                        whole("number", "1.5"),
		"number: 1.0":                        whole("number", "1.0"),
		"number: 1e3":                        whole("number", "1e3"),
		"number: true":                       whole("number", "true"),
		`number: "1.5"`:                      whole("number", "1.5"),
		"number: 010":                        whole("number", "010"),
		"number: 0x10":                       whole("number", "0x10"),
		"number: 1_0":                        whole("number", "1_0"),
		"number: .5":                         whole("number", ".5"),
		"number: -1.5":                       whole("number", "-1.5"),
		"number: &a 1.5":                     whole("number", "1.5"),
		"? number\n: 1.5":                    `line 2: number: "1.5", want a whole number`,
		"real: &a 1.5\npointer: *a":          whole("real", "1.5"), // the anchor, which is in line 1
		"pointer: 1.5 # a comment":           whole("pointer", "1.5"),
		"short: 1.5":                         whole("short", "1.5"),
		"part: {number: 1.5}":                whole("number", "1.5"),
		"part: {<<: {number: 1.5}}":          whole("number", "1.5"),
		"real: 010":                          `line 1: real: "010", want a number`,
		"range: [0, 1_0]":                    `line 1: range: "1_0", want a number`,
		"real: !!int 1.5":                    `line 1: the tag "!!int" is not supported`,
		"any: [{a: 010}]":                    `line 1: a: "010", want a number`,
		"number: 3\npointer: -2":             "",
		`number: "2"`:                        "",
		"real: -1.5e-3\nrange: [.5, +2., 0]": "",
		"real: .inf\nrange: [.nan]":          "",
		"number:\npointer: ~":                "",
		"any: {1: a, 2: [1.5, b]}":           "",
		"part: {<<: {number: 2}}":            "",
	} {
		err := Decode([]byte(text), new(doc))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	var d doc
	text := "name: 1.0\nwords: [010, 1e3, True, 1_0, \"a\", 0x1]\npart: {<<: {number: 3}}"
	if err := Decode([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if want := []string{"010", "1e3", "True", "1_0", "a", "0x1"}; d.Name != "1.0" || !slices.Equal(d.Words, want) ||
		d.Part.Number != 3 {
		t.Errorf("%q %q %d, want \"1.0\" %q 3", d.Name, d.Words, d.Part.Number, want)
	}
}
