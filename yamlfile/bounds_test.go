package yamlfile

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// anything has no end, as /dev/zero has none.
type anything struct{}

func (anything) Read(p []byte) (int, error) { return len(p), nil }

func TestReadAll(t *testing.T) {
	if _, err := ReadAll(anything{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("without an end: %v, want %v", err, ErrTooLarge)
	}
	longest := strings.Repeat("x", maxBytes)
	if text, err := ReadAll(strings.NewReader(longest)); err != nil || len(text) != maxBytes {
		t.Errorf("%d bytes, %v; want all %d", len(text), err, maxBytes)
	}
	if _, err := ReadAll(io.MultiReader(strings.NewReader(longest), strings.NewReader("x"))); !errors.Is(
		err, ErrTooLarge,
	) {
		t.Errorf("a byte too many: %v, want %v", err, ErrTooLarge)
	}
}

// laughs returns a text whose aliases multiply: nine levels of nine.
func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for n := 1; n < 9; n++ {
		last := "*a" + string(rune('0'+n-1))
		b.WriteString(
			"a" + string(
				rune('0'+n),
			) + ": &a" + string(
				rune('0'+n),
			) + " [" + strings.Repeat(
				last+",", 8,
			) + last + "]\n",
		)
	}
	return b.String()
}

// A hostile text is refused before it takes memory: without bounds the first of these takes
// 2.7 GB, and the ones with levels end the process.
func TestHostileTexts(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"aliases":       {laughs(), "72 aliases"},
		"brackets":      {"a: " + strings.Repeat("[", maxBytes/2), "levels of nesting"},
		"braces":        {strings.Repeat("{a: ", maxBytes/8), "levels of nesting"},
		"dashes":        {strings.Repeat("- ", maxBytes/4), "levels of nesting"},
		"questions":     {strings.Repeat("? ", maxBytes/4), "levels of nesting"},
		"tags":          {"a: " + strings.Repeat("!b ", maxBytes/4), "levels of nesting"},
		"indented keys": {indented(maxLevels + 1), "levels of nesting"},
		"lines":         {"a: |\n" + strings.Repeat(" \n", maxLines), "more than 4096 lines"},
		"old line ends": {"a: |\r" + strings.Repeat(" \r", maxLines), "more than 4096 lines"},
		"bytes":         {"a: " + strings.Repeat("x", maxBytes), "larger than 128 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := Decode([]byte(c.text), new(map[string]any))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			// The lexer's tokens take some 300 bytes for each byte of brackets.
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MiB allocated", used>>20)
			}
		})
	}
}

// indented returns keys below each other, each one level deeper.
func indented(levels int) string {
	var b strings.Builder
	for n := range levels {
		b.WriteString(strings.Repeat(" ", n) + "a:\n")
	}
	return b.String()
}

// What people write is far from every bound.
func TestWithinBounds(t *testing.T) {
	var labels strings.Builder
	labels.WriteString("name: all\nlabels:\n")
	for n := range 1300 { // as many as FreeSurfer's table has
		fmt.Fprintf(&labels, "  %d: a-name-of-some-length\n", 10+n)
	}
	for name, text := range map[string]string{
		"a long scheme": labels.String(),
		"aliases":       "a: &a [1, 2]\nb: *a\nc: {<<: {d: 1}, e: *a}\n",
		"levels":        indented(maxLevels-1) + strings.Repeat(" ", maxLevels-1) + "- b",
	} {
		if err := Decode([]byte(text), new(map[string]any)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A text that could colour a terminal, or turn its direction, is shown without that.
func TestMessagesAreSafe(t *testing.T) {
	for _, text := range []string{
		"\x1b[31mkey: 1", "name: [\x1b]0;title\x07]", "\u202ename: 1", "na\x1bme: {a: \x1b[2J}", "number: \x1b[31m",
		"flag: \"\\e[31m\"",
	} {
		var doc struct {
			Name   string `yaml:"name"`
			Number int    `yaml:"number"`
			Flag   bool   `yaml:"flag"`
		}
		err := Decode([]byte(text), &doc)
		if err == nil {
			t.Errorf("%q: no error", text)
		} else if strings.ContainsAny(err.Error(), "\x1b\x07\u202e\n") {
			t.Errorf("%q: %q", text, err)
		}
	}
}

// FuzzDecode asks that no text panics, or is answered with more than one safe line.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{"name: x\nnumber: 3\nlist: [1, 2]\nmap: {1: a}", laughs(), "a: &a [*a]", "<<: *x",
		"? a\n: b", "- - - x", "%YAML 1.2\n---\na: !!int x", "a: |\n x\n", "\ufeffname: y", "\x1b[31m: 1"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var doc struct {
			Name   string    `yaml:"name"`
			Number *int      `yaml:"number"`
			List   []float64 `yaml:"list"`
			Part   struct {
				Side string `yaml:"side"`
			} `yaml:"part"`
			Map map[string]any `yaml:"map"`
		}
		if err := Decode(text, &doc); err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b\x00") {
			t.Errorf("%q", err)
		}
	})
}
