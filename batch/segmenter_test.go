package batch

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/protocol"
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
	for name, change := range map[string]func(*protocol.Segmenter){
		"version":   func(g *protocol.Segmenter) { g.Version = version("1.1") },
		"arguments": func(g *protocol.Segmenter) { g.Command = append(slices.Clone(g.Command), "--fast") },
		"hashes":    func(g *protocol.Segmenter) { g.Version = nil },
		"input":     func(g *protocol.Segmenter) { g.Input = "5" },
		"none":      func(g *protocol.Segmenter) { *g = protocol.Segmenter{} },
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
	if _, err := Run(t.Context(), s); !errors.As(err, new(*protocol.ProgramError)) || !strings.Contains(err.Error(),
		"segment: version: program ") || hint.Find(err) == "" {
		t.Errorf("%v", err)
	}
}
