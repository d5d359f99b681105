package batch

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// gcPercent returns the setting of the garbage collector.
func gcPercent() int {
	now := debug.SetGCPercent(usualGCPercent)
	debug.SetGCPercent(now)
	return now
}

// A run changes the setting of the garbage collector by phase, unless it was changed from outside or another run does,
// and leaves the default.
func TestCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usualGCPercent))
	runtime.GC() // so that it is known what is in use
	c := tightenCollector()
	other := tightenCollector()
	steps := []struct {
		name string
		do   func()
		want int
	}{
		{"start", func() {}, runGCPercent},
		{"few lines", func() { c.holdLines(mostWaiting) }, runGCPercent},
		{"many lines", func() { c.holdLines(mostWaiting + 1) }, linesGCPercent},
		{"mapping", func() { c.mapping(false) }, runGCPercent},
		{"a small cohort", func() { c.adjust(1000) }, runGCPercent},
		{"lines in all memory", func() { c.lines = math.MaxInt32; c.adjust(0) }, runGCPercent / 4},
		{"hardly any lines", func() { c.lines = 1; c.adjust(0) }, runGCPercent - 1},
		{"the lines of results", func() { c.adjust(math.MaxInt32 / entryBytes) }, runGCPercent / 4},
		{"another run", func() { other.holdLines(mostWaiting + 1); other.restore() }, runGCPercent / 4},
		{"tables", func() { c.tabulating() }, runGCPercent},
		{"end", func() { c.restore() }, usualGCPercent},
		{"after the end", func() { c.holdLines(mostWaiting + 1) }, usualGCPercent},
	}
	for _, s := range steps {
		s.do()
		if got := gcPercent(); got != s.want {
			t.Errorf("%s: %d %%, want %d %%", s.name, got, s.want)
		}
	}
	debug.SetGCPercent(400)
	c = tightenCollector()
	c.holdLines(mostWaiting + 1)
	c.mapping(false)
	if c.restore(); gcPercent() != 400 {
		t.Errorf("a setting from outside is now %d %%", gcPercent())
	}
	debug.SetGCPercent(usualGCPercent)
	c = tightenCollector()
	defer c.restore()
	if c.mapping(true); c.lines < 0 || gcPercent() != runGCPercent {
		t.Errorf("%d bytes of lines, %d %%", c.lines, gcPercent())
	}
}
