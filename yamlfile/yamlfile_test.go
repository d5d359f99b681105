package yamlfile

import (
	"errors"
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
