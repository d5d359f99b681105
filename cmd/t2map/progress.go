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

// progress shows the progress of a run: a bar on a terminal, lines from time to time
// elsewhere, nothing if quiet.
type progress struct {
	w     io.Writer
	quiet bool
	tty   bool
	log   *slog.Logger
	bar   *progressbar.ProgressBar
	stage batch.Stage
	said  time.Time // when the last line was written
}

// lineEvery is the time between lines without a terminal: often enough to show that the
// run is alive, seldom enough for a log.
const lineEvery = 10 * time.Second

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet, tty: isTerminal(w)}
	level := slog.LevelInfo
	if quiet || p.tty {
		// Failures are listed at the end; lines between would tear the bar.
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

// report shows that done of all items of a stage are done.
func (p *progress) report(stage batch.Stage, done, all int) {
	if p.quiet || all == 0 {
		return
	}
	if p.tty {
		p.draw(stage, done, all)
		return
	}
	if stage != p.stage || done == all || time.Since(p.said) > lineEvery {
		p.stage, p.said = stage, time.Now()
		fmt.Fprintf(p.w, "%s: %d of %d\n", stage, done, all)
	}
}

// draw moves the bar.
func (p *progress) draw(stage batch.Stage, done, all int) {
	if stage != p.stage {
		p.close()
		p.stage = stage
		p.bar = progressbar.NewOptions(all,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%-16s", stage)),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionClearOnFinish(),
		)
	}
	_ = p.bar.Set(done) // the run does not depend on the bar
}

// close removes the bar from the screen.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
		p.bar = nil
	}
}
