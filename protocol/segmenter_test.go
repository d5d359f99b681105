package protocol

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/files"
)

func TestSegmentInProtocol(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.yaml")
	read := func(text string) (Protocol, error) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadProtocol(path)
	}
	p, err := read("segment:\n  command: [python3, '{protocol}/s.py', --model=/models/knee.pth, '{\"a\": 1}', " +
		"'{input}', '{output}']\n  version: [python3, --version]\n  input: 'SAG*DESS*'\n  scheme: oai-zib\n  " +
		"timeout: 1h30m\n")
	if err != nil {
		t.Fatal(err)
	}
	g := p.Segment
	if len(g.Command) != 6 || len(g.Version) != 2 || g.Input != "SAG*DESS*" || g.Scheme.Name != "oai-zib" ||
		g.Timeout != 90*time.Minute || g.folder != files.Absolute(dir) || p.Scheme.Known() {
		t.Errorf("%+v", g)
	}
	const want = `by python3 s.py --model=knee.pth {"a": 1} {input} {output} of series SAG*DESS* (SHA-256: )`
	if r := g.record(); r.Text() != want || r.TimeoutS != 5400 {
		t.Errorf("%s, %+v", r.Text(), r)
	}
	if name := ProgramName(g.Command); name != "python3 s.py" {
		t.Errorf("%s", name)
	}
	if _, err := g.Find(); err == nil || !strings.Contains(err.Error(), "{protocol}/s.py does not exist") {
		t.Errorf("%v", err)
	}
	if p, err = read("segment: {command: [x, '{dir}'], input: 5}"); err != nil || p.Segment.Input != "5" ||
		p.Segment.timeout() != 30*time.Minute {
		t.Errorf("%+v, %v", p.Segment, err)
	}
	for text, want := range map[string]string{
		"segment: {}":                              "segment: command is missing",
		"segment: {input: x}":                      "segment: command is missing",
		"segment: {command: []}":                   "segment: command is missing",
		"segment: {command: 'x {input} {output}'}": "command",
		"segment: {command: [x, '{input}']}":       "neither {output} nor {dir}",
		"segment: {command: [x, '{output}']}":      "neither {input} nor {dir}",
		"segment: {command: [x, '{inptu}', '{dir}']}": "{inptu} is not one of {input}, {output}, " +
			"{dir}, {protocol}",
		"segment: {command: [x, '{dir}'], version: [x, '{input}']}": "version: {input} cannot be used here",
		"segment: {command: [x, '{dir}'], " +
			"timeout: 30}": `timeout: "30" is not a positive time with its unit`,
		"segment: {command: [x, '{dir}'], timeout: 0s}":                  `timeout: "0s" is not a positive time`,
		"segment: {command: [x, '{dir}'], timeout: -5m}":                 `timeout: "-5m" is not a positive time`,
		"segment: {command: [x, '{dir}'], scheme: madeup}":               "madeup",
		"segment: {command: [x, '{dir}'], colour: red}":                  `unknown key "colour"`,
		"segment: {command: [\"x\\0\", '{dir}']}":                        "contains a zero byte",
		"segment: {command: [x, '{dir}']}\nmask: '*.nii.gz'":             "masks are files, or a program makes them",
		"segment: {command: ['', '{input}', '{output}'], timeout: 1day}": "timeout",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
