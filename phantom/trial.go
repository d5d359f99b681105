package phantom

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"github.com/t2map/t2map/internal/parallel"
	"github.com/t2map/t2map/volume"
)

// Trial describes a synthetic trial.
type Trial struct {
	// Subjects is the number of subjects. Default: 12.
	Subjects int
	// Dropout is the number of the subject who discontinues after month 9, without the last study, and Upgraded that of
	// the subject whose scanner has new software at the last visit; 0 is none.
	Dropout, Upgraded int
	// Seed determines the people, the arms and the noise.
	Seed uint64
	// Matrix, Slices and Echoes are those of Options, with the same defaults.
	Matrix, Slices, Echoes int
	// DESSMatrix and DESSSlices are those of Options, with the same defaults.
	DESSMatrix, DESSSlices int
	// VisitMotion limits how far a patient's position at later visits differs from that at
	// baseline, and DESSMotion how far patients move between the T2 and the DESS series of every
	// visit. The zero value means no motion.
	VisitMotion, DESSMotion Motion
	// Form is the form in which each study is written.
	Form Form
	// Progress, if set, is called after each study that is written.
	Progress func(done, total int)
}

const defaultSubjects = 12

// The arms of the trial.
const (
	Treatment = "treatment"
	Control   = "control"
)

// Truth holds the true values of one study of a trial.
type Truth struct {
	// Subject is S01, S02, …; Arm is treatment or control; Visit is baseline,
	// month03 or month12; Side is R or L.
	Subject, Arm, Visit, Side string
	// Month is the visit's month since baseline: 0, 3, 12.
	Month int
	// T2 holds the compartments medial, lateral, patellofemoral.
	T2 []Compartment
	// Moved and DESSMoved are those of Options; the identity if the patient did not move.
	Moved, DESSMoved volume.Rigid
}

// visit is a visit of the protocol with the mean change of T2 since baseline in ms, in the order of
// the compartments. The size of the medial changes is that of an effect that a trial would look
// for: 4 ms is about 11 %, less than the 14 % that the QIBA profile requires for a single knee.
type visit struct {
	name               string
	month              int
	treatment, control [3]float64
}

var visits = []visit{
	{name: "baseline"},
	{name: "month03", month: 3, treatment: [3]float64{0.3, 0.1, 0.1}, control: [3]float64{1.5, 0.3, 0.2}},
	{name: "month12", month: 12, treatment: [3]float64{1.0, 0.3, 0.2}, control: [3]float64{4.0, 0.8, 0.5}},
}

const (
	// response is the spread of the change between people, relative to its mean.
	response = 0.2
	// restless is the random variation of T2 between visits in ms; the longitudinal CV per region
	// is 1.1–1.5 % of 36 ms on one scanner (Verschueren), part of which is due to noise and masks.
	restless = 0.25
)

// WriteTrial writes a trial into dir: for each subject and visit a folder dir/S01/baseline with the
// files of Study.WriteAs, and the plan and tables below. It returns the true values of each study in
// the order of subjects and visits. The same trial gives the same bytes.
//
// trial.csv is the trial's design, one row per subject, and plan.yaml its plan, as t2map trial reads them.
//
// scores.csv has invented endpoints of every subject at months 0, 3, 6, 9 and 12: the subscales of WOMAC and KOOS,
// whose changes have the means and standard deviations of a published trial, and four markers in serum, which
// follow the medial T2. Its columns are subject, visit, name, value, direction, unit and group.
//
// truth.csv has one row per study and compartment: subject, arm, visit (baseline, month03,
// month12), month (0, 3, 12), side (R, L), compartment (medial, lateral, patellofemoral), voxels
// (with its label), mean_t2_ms (the mean of their true T2 with six decimals; empty if there are
// none). The voxels are those of the T2 series whose centre lies in the compartment, even if the
// mask is drawn on another grid.
//
// motion.csv is written if patients move. It has two rows per study: Moved (since
// baseline) and DESSMoved (T2 to DESS) of Options, as the columns r11 … r33 of the rotation
// and the shift in mm LPS.
//
// Odd subjects have a right knee, and even subjects a left knee. One subject of each such pair, which has
// one stratum, is assigned to each arm at random. dir is created if necessary. An earlier trial in dir is
// removed first; a folder with any other content is refused. Errors are sizes out of range, those of the
// file system, and that of ctx.
func WriteTrial(ctx context.Context, dir string, t Trial) ([]Truth, error) {
	setDefault(&t.Subjects, defaultSubjects)
	switch {
	case t.Subjects < 1 || t.Subjects > 999:
		return nil, fmt.Errorf("subjects: got %d, want 1 to 999", t.Subjects)
	case t.Dropout < 0 || t.Dropout > t.Subjects:
		return nil, fmt.Errorf("dropout: got %d, want 0 to %d", t.Dropout, t.Subjects)
	case t.Upgraded < 0 || t.Upgraded > t.Subjects:
		return nil, fmt.Errorf("upgraded: got %d, want 0 to %d", t.Upgraded, t.Subjects)
	}
	if err := prepare(dir); err != nil {
		return nil, err
	}
	total := 0
	for n := range t.Subjects {
		total += len(t.visitsOf(n))
	}
	arms, studies := t.arms(), make([][]Truth, t.Subjects)
	done := counter{report: t.Progress, total: total}
	if err := parallel.Each(ctx, t.Subjects, 0, func(n int) (err error) {
		studies[n], err = t.writeSubject(ctx, dir, n, arms[n], done.add)
		return err
	}); err != nil {
		return nil, err
	}
	truth := slices.Concat(studies...)
	return truth, t.writeTables(dir, truth)
}

// counter reports the number of studies that are written, by any of several goroutines.
type counter struct {
	mu          sync.Mutex
	report      func(done, total int) // may be nil
	done, total int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if c.report != nil {
		c.report(c.done, c.total)
	}
}

// visitsOf returns the visits with images of subject n.
func (t Trial) visitsOf(n int) []visit {
	if n+1 == t.Dropout {
		return visits[:len(visits)-1]
	}
	return visits
}

// arms draws the arm of each subject: of every two in a row, one each.
func (t Trial) arms() []string {
	rng := rand.New(rand.NewPCG(t.Seed, 1))
	var arms []string
	for len(arms) < t.Subjects {
		pair := []string{Treatment, Control}
		if rng.IntN(2) == 1 {
			slices.Reverse(pair)
		}
		arms = append(arms, pair...)
	}
	return arms[:t.Subjects]
}

func subjectName(n int) string { return fmt.Sprintf("S%02d", n+1) }

// writeSubject writes the visits of subject n, whose anatomy stays the same, and calls progress after each.
func (t Trial) writeSubject(ctx context.Context, dir string, n int, arm string, progress func()) ([]Truth, error) {
	o := Options{
		Subject: subjectName(n), Side: [...]string{"R", "L"}[n%2],
		Matrix: t.Matrix, Slices: t.Slices, Echoes: t.Echoes, DESSMatrix: t.DESSMatrix, DESSSlices: t.DESSSlices,
	}
	o.Seed = hash64(o.Subject, strconv.FormatUint(t.Seed, 10))
	if err := o.fill(); err != nil {
		return nil, err
	}
	a, err := newAnatomy(ctx, o)
	if err != nil {
		return nil, err
	}
	motion := rand.New(rand.NewPCG(o.Seed, 5))
	rng := rand.New(rand.NewPCG(o.Seed, 2))
	strength := 1 + response*clamp(rng.NormFloat64(), -2, 2)
	var truth []Truth
	for _, v := range t.visitsOf(n) {
		mean := v.treatment
		if arm == Control {
			mean = v.control
		}
		for c := range mean {
			o.Shift[c] = strength*mean[c] + restless*clamp(rng.NormFloat64(), -2, 2)
		}
		o.Visit = v.name
		if n+1 == t.Upgraded && v.name == visits[len(visits)-1].name {
			o.Software = "PHANTOM 2"
		}
		if a, err = t.move(ctx, a, &o, motion); err != nil {
			return nil, err
		}
		s, err := a.study(ctx, o)
		if err != nil {
			return nil, err
		}
		if err := s.WriteAs(ctx, filepath.Join(dir, o.Subject, o.Visit), t.Form); err != nil {
			return nil, err
		}
		compartments := s.Truth()
		truth = append(truth, Truth{Subject: o.Subject, Arm: arm, Visit: v.name, Side: o.Side, Month: v.month,
			T2:    compartments[:],
			Moved: orIdentity(o.Moved), DESSMoved: orIdentity(o.DESSMoved)})
		progress()
	}
	return truth, nil
}

// move draws the motion of the patient at a visit, and returns the anatomy after it.
func (t Trial) move(ctx context.Context, a *anatomy, o *Options, rng *rand.Rand) (*anatomy, error) {
	if t.VisitMotion == (Motion{}) && t.DESSMotion == (Motion{}) {
		return a, nil
	}
	if t.VisitMotion != (Motion{}) && o.Visit != visits[0].name {
		o.Moved = t.VisitMotion.draw(a.knee, rng)
	}
	if t.DESSMotion != (Motion{}) {
		o.DESSMoved = t.DESSMotion.draw(a.knee.Moved(orIdentity(o.Moved)), rng)
	}
	return newAnatomy(ctx, *o)
}

// The note marks a folder as a trial of this package, even if the writing is
// cut short. Only a folder that holds exactly this note is ever emptied.
const (
	noteName = "phantom.txt"
	note     = "The studies in this folder are synthetic: an analytic knee with known T2, written by t2map.\n" +
		"They do not show any person. Writing a trial here again replaces them.\n"
)

// subjectPattern matches the names that subjectName returns.
var subjectPattern = regexp.MustCompile(`^S[0-9]{2,3}$`)

// prepare creates dir and its note, or removes an earlier trial from it, so that files of two
// trials never mix. Only folders with the names of subjects and visits are removed.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, noteName)
	if len(entries) == 0 {
		return os.WriteFile(path, []byte(note), 0o666)
	}
	if found, err := os.ReadFile(path); err != nil || string(found) != note {
		return fmt.Errorf("%s: the folder is neither empty nor an earlier trial", dir)
	}
	if err := os.Remove(filepath.Join(dir, motionName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // of an earlier trial; this one may have no motion
	}
	for _, e := range entries {
		if !e.IsDir() || !subjectPattern.MatchString(e.Name()) {
			continue
		}
		subject := filepath.Join(dir, e.Name())
		for _, v := range visits {
			if err := os.RemoveAll(filepath.Join(subject, v.name)); err != nil {
				return err
			}
		}
		if rest, err := os.ReadDir(subject); err != nil || len(rest) > 0 {
			return fmt.Errorf("%s: holds more than the visits of an earlier trial", subject)
		}
		if err := os.Remove(subject); err != nil {
			return err
		}
	}
	return nil
}
