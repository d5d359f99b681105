package batch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
)

// Results that a program of another version, other arguments or no program made are not mixed
// with those of this one; a different time limit is not a different setting.
func TestSegmenterIsASetting(t *testing.T) {
	dir := t.TempDir()
	s := segmented(t, dir, segmenterFor(t, "thresholds"))
	version := func(text string) []string {
		return []string{s.Protocol.Segment.Command[0], asSegmenter, "version", text}
	}
	s.Protocol.Segment.Version = version("1.0")
	if r := oneResult(t, s); r.Protocol.Segmenter.Version != "1.0" || r.Protocol.Segmenter.Files != nil {
		t.Errorf("%+v", r.Protocol.Segmenter)
	}
	first := s
	for name, change := range map[string]func(*Segmenter){
		"version":   func(g *Segmenter) { g.Version = version("1.1") },
		"arguments": func(g *Segmenter) { g.Command = append(slices.Clone(g.Command), "--fast") },
		"hashes":    func(g *Segmenter) { g.Version = nil },
		"input":     func(g *Segmenter) { g.Input = "5" },
		"none":      func(g *Segmenter) { *g = Segmenter{} },
	} {
		s := first
		change(&s.Protocol.Segment)
		_, err := Run(t.Context(), s)
		var other *SettingsError
		if !errors.As(err, &other) || !strings.HasPrefix(other.Differences[0], "segmentation by ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Protocol.Segment.Timeout = time.Minute
	oneResult(t, s)
	s.Protocol.Segment.Version, s.Replace = version("2"), true
	if r := oneResult(t, s); r.Protocol.Segmenter.Version != "2" {
		t.Errorf("%+v", r.Protocol.Segmenter)
	}
	s.Protocol.Segment.Version = []string{s.Protocol.Segment.Command[0], asSegmenter, "fail", "x"}
	if _, err := Run(t.Context(), s); !errors.As(err, new(*ProgramError)) || !strings.Contains(err.Error(), "segment: version: program ") || hint.Find(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestSegmentInProtocol(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "p.yaml")
	read := func(text string) (Protocol, error) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadProtocol(path)
	}
	p, err := read("segment:\n  command: [python3, '{protocol}/s.py', --model=/models/knee.pth, '{\"a\": 1}', '{input}', '{output}']\n  version: [python3, --version]\n  input: 'SAG*DESS*'\n  scheme: oai-zib\n  timeout: 1h30m\n")
	if err != nil {
		t.Fatal(err)
	}
	g := p.Segment
	if len(g.Command) != 6 || len(g.Version) != 2 || g.Input != "SAG*DESS*" || g.Scheme.Name != "oai-zib" || g.Timeout != 90*time.Minute || g.folder != files.Absolute(dir) || p.Scheme.Known() {
		t.Errorf("%+v", g)
	}
	if r := g.record(); r.Text() != `by python3 s.py --model=knee.pth {"a": 1} {input} {output} of series SAG*DESS* (SHA-256: )` || r.TimeoutS != 5400 {
		t.Errorf("%s, %+v", r.Text(), r)
	}
	if name := programName(g.Command); name != "python3 s.py" {
		t.Errorf("%s", name)
	}
	if _, err := g.found(); err == nil || !strings.Contains(err.Error(), "{protocol}/s.py does not exist") {
		t.Errorf("%v", err)
	}
	if p, err = read("segment: {command: [x, '{dir}'], input: 5}"); err != nil || p.Segment.Input != "5" || p.Segment.timeout() != 30*time.Minute {
		t.Errorf("%+v, %v", p.Segment, err)
	}
	for text, want := range map[string]string{
		"segment: {}":                                                    "segment: command is missing",
		"segment: {input: x}":                                            "segment: command is missing",
		"segment: {command: []}":                                         "segment: command is missing",
		"segment: {command: 'x {input} {output}'}":                       "command",
		"segment: {command: [x, '{input}']}":                             "neither {output} nor {dir}",
		"segment: {command: [x, '{output}']}":                            "neither {input} nor {dir}",
		"segment: {command: [x, '{inptu}', '{dir}']}":                    "{inptu} is not one of {input}, {output}, {dir}, {protocol}",
		"segment: {command: [x, '{dir}'], version: [x, '{input}']}":      "version: {input} cannot be used here",
		"segment: {command: [x, '{dir}'], timeout: 30}":                  `timeout: "30" is not a positive time with its unit`,
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
