package accuracy

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/t2map/t2map/phantom"

	"github.com/t2map/t2map/t2fit"
	"github.com/t2map/t2map/volume"
)

// Options are the options of Run. The zero value of a field is its default.
type Options struct {
	// Draws is the number of draws of the noise in a cell. 0 means MinDraws. Cells with limits have JudgedFactor
	// times as many.
	Draws int
	// Seed is the seed of the noise.
	Seed uint64
	// Grid holds the conditions; the zero value means DefaultGrid.
	Grid Grid
	// Workers is the number of slices that are measured at a time; 0 means one per processor. It
	// does not change the result.
	Workers int
	// Progress, if set, is called after each slice and each kind of trial, one call at a time.
	Progress func(done, all int)
}

const (
	// MinDraws is the number of draws in a cell from which the limits apply.
	MinDraws = 2000
	// FewestDraws is the smallest number of draws. The noise of a slice is estimated from at least 30 voxels, and at
	// SNR 5 the signals of some of the eight rows do not decay.
	FewestDraws = 20
	// MostDraws limits the largest slice, with 32 echoes and eight T2, to 210 MB.
	MostDraws = 20000
	// JudgedFactor makes chance small compared with the limits. The standard error of a standard
	// deviation is 0.5 % of it with 20 000 draws, and a limit allows 3 %. With 2000 draws it is
	// 1.6 %, and one of five cells would miss the limit in every tenth run.
	JudgedFactor = 10
)

// Run measures every method in every cell of the grid and the primary test of trials without an
// effect, and compares the result with the limits. The same options give the same result for any
// number of workers. An invalid grid and the end of the context are errors.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Draws == 0 {
		o.Draws = MinDraws
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if len(o.Grid.Trains) == 0 {
		o.Grid = DefaultGrid()
	}
	conditions, trials := o.slices(), nullTrials()
	cells := make([][]Cell, len(conditions))
	nulls := make([]Null, len(trials))
	var mutex sync.Mutex
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Workers)
	start := func(work func() error) {
		g.Go(func() error {
			if err := work(); err != nil {
				return fmt.Errorf("accuracy: %w", err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			if done++; o.Progress != nil {
				o.Progress(done, len(conditions)+len(trials))
			}
			return nil
		})
	}
	for _, n := range largestFirst(conditions) {
		start(func() (err error) {
			cells[n], err = measure(ctx, conditions[n])
			return err
		})
	}
	for n, trial := range trials {
		start(func() (err error) {
			nulls[n], err = trial.measure(ctx, o.Draws*nullFactor, o.Seed)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	a := Result{
		Draws: o.Draws, JudgedDraws: o.Draws * JudgedFactor, Seed: o.Seed,
		Echoes: oai.Echoes, Spacing: oai.Spacing, Cells: slices.Concat(cells...), Null: nulls,
	}
	for _, m := range methods() {
		a.Methods = append(a.Methods, m.Method)
	}
	a.Limits = append(Judge(a.Cells), judgeNull(nulls)...)
	return a, nil
}

// slices returns the slices of the reference object. Each has one train, one SNR and one B1, and all T2.
func (o Options) slices() []phantom.ReferenceOptions {
	var list []phantom.ReferenceOptions
	for _, train := range o.Grid.Trains {
		for _, b1 := range o.Grid.B1 {
			for _, snr := range o.Grid.SNR {
				s := phantom.ReferenceOptions{
					Train: train, T2: o.Grid.T2, SNR: snr, B1: b1, Draws: o.Draws, Seed: o.Seed,
				}
				if isJudged(s) {
					s.Draws *= JudgedFactor
				}
				list = append(list, s)
			}
		}
	}
	return list
}

// isJudged reports whether the slice has cells with limits.
func isJudged(s phantom.ReferenceOptions) bool {
	return s.Train == oai && (s.B1 == 1 || s.SNR >= 100)
}

// largestFirst returns the indices of the slices, the largest slice first, so that no worker starts a large slice at
// the end.
func largestFirst(list []phantom.ReferenceOptions) []int {
	order := make([]int, len(list))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return list[b].Draws*list[b].Train.Echoes - list[a].Draws*list[a].Train.Echoes
	})
	return order
}

// measure fits one slice by every method and returns its cells by method and row.
func measure(ctx context.Context, o phantom.ReferenceOptions) ([]Cell, error) {
	s, err := phantom.Reference(o)
	if err != nil {
		return nil, err
	}
	var cells []Cell
	for _, m := range methods() {
		m.fit.Workers = 1 // slices run in parallel
		if m.sigmaGiven {
			m.fit.Sigma = o.Sigma()
		}
		maps, err := t2fit.Fit(ctx, s, volume.Labels{}, m.fit)
		if err != nil {
			return nil, fmt.Errorf("%s on %v: %w", m.Name, o.Train, err)
		}
		for row, t2 := range o.T2 {
			c := condition{train: o.Train, t2: t2, snr: o.SNR, b1: o.B1}
			cells = append(cells, m.cell(c, drawsOf(maps, row)))
		}
	}
	return cells, nil
}

// drawsOf returns the estimates in one row of the maps.
func drawsOf(m volume.Maps, row int) draws {
	lo, hi := row*m.Size[0], (row+1)*m.Size[0]
	d := draws{t2: m.T2[lo:hi], se: m.SE[lo:hi], status: m.Status[lo:hi]}
	if m.Echoes != nil {
		d.echoes = m.Echoes[lo:hi]
	}
	return d
}
