package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/t2map/t2map/batch"
)

// progress shows the progress of a run: as a bar on a terminal, otherwise as lines. It shows nothing if quiet.
type progress struct {
	w      io.Writer
	prefix string // of each line, such as "shard 3/8: "
	quiet  bool
	tty    bool
	log    *slog.Logger
	bar    *progressbar.ProgressBar
	stage  batch.Stage
	last   time.Time // time of the last line
}

// lineInterval is the time between lines: short enough to show that the run is alive, long enough for a log.
const lineInterval = 10 * time.Second

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet, tty: isTerminal(w)}
	level := slog.LevelInfo
	if quiet || p.tty {
		// Failures are listed at the end; log lines would disrupt the bar.
		level = slog.LevelError + 1
	}
	p.log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	return p
}

func isTerminal(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// report shows that done items of total are complete in a stage.
func (p *progress) report(stage batch.Stage, done, total int) {
	if p.quiet || total == 0 {
		return
	}
	if p.tty {
		p.draw(stage, done, total)
		return
	}
	if stage != p.stage || done == total || time.Since(p.last) > lineInterval {
		p.stage, p.last = stage, time.Now()
		fmt.Fprintf(p.w, "%s%s: %d of %d\n", p.prefix, stage, done, total)
	}
}

// draw moves the bar.
func (p *progress) draw(stage batch.Stage, done, total int) {
	if stage != p.stage {
		p.close()
		p.stage = stage
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%s%-16s", p.prefix, stage)),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionClearOnFinish(),
		)
	}
	_ = p.bar.Set(done) // an error of the bar does not affect the run
}

// close removes the bar from the screen.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
