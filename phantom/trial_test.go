package phantom

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/internal/dicomtest/tools"
	"github.com/t2map/t2map/nifti"
)

// The reader finds in the files what the study holds in memory.
func TestStudyIsReadBack(t *testing.T) {
	for _, side := range []string{"R", "L"} {
		t.Run(side, func(t *testing.T) {
			o := small()
			o.Side, o.Subject, o.Visit = side, "S07", "month12"
			s := mustNew(t, o)
			dir := filepath.Join(t.TempDir(), "study")
			if err := s.Write(context.Background(), dir); err != nil {
				t.Fatal(err)
			}
			found, err := dicomio.Find(context.Background(), []string{dir}, dicomio.FindOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Studies) != 1 || len(found.Studies[0].Trains) != 1 {
				t.Fatalf("got %+v, want one study with one train", found)
			}
			study := found.Studies[0]
			if study.TrialSubject != "S07" || study.TrialTimepoint != "month12" || study.Trains[0].Side != side {
				t.Errorf("got %+v", study)
			}
			echoes, _, err := dicomio.Read(context.Background(), study.Trains[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			// Geometry passes through decimal strings of 16 characters.
			if diff := cmp.Diff(s.Echoes.Geometry, echoes.Geometry, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
				t.Errorf("geometry (-made +read):\n%s", diff)
			}
			if !slices.Equal(echoes.TE, s.Echoes.TE) || !sameEchoes(s, &Study{Echoes: echoes}) {
				t.Error("the magnitudes differ")
			}
			checkLabels(t, s, filepath.Join(dir, labelsName))
		})
	}
}

func checkLabels(t *testing.T, s *Study, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	labels, err := nifti.ReadLabels(f)
	if err != nil {
		t.Fatal(err)
	}
	// The affine of a NIfTI file is float32: 1e-5 mm at 100 mm.
	if diff := cmp.Diff(s.Labels.Geometry, labels.Geometry, cmpopts.EquateApprox(0, 1e-4)); diff != "" {
		t.Errorf("geometry of the labels (-made +read):\n%s", diff)
	}
	if !slices.Equal(s.Labels.Data, labels.Data) {
		t.Error("the labels differ")
	}
}

func TestUIDs(t *testing.T) {
	valid := regexp.MustCompile(`^2\.25\.[1-9][0-9]{0,38}$`)
	seen := map[string]string{}
	for _, visit := range []string{"baseline", "month03"} {
		for _, seed := range []uint64{1, 2} {
			s := &Study{Options: Options{Subject: "S01", Visit: visit, Side: "R", Seed: seed}}
			for _, what := range [][]string{{"study"}, {"series"}, {"frame"}, {"image", "1", "11"}, {"image", "11", "1"}} {
				uid, name := s.UID(what...), fmt.Sprint(visit, seed, what)
				if !valid.MatchString(uid) || seen[uid] != "" {
					t.Errorf("%s: %q, also that of %q", name, uid, seen[uid])
				}
				seen[uid] = name
			}
		}
	}
}

func smallTrial() Trial { return Trial{Subjects: 3, Matrix: 32, Slices: 4, Echoes: 3, Seed: 11} }

func TestTrialOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trial")
	calls := 0
	trial := smallTrial()
	trial.Progress = func(done, total int) {
		calls++
		if done != calls || total != 9 {
			t.Errorf("progress: got %d of %d, want %d of 9", done, total, calls)
		}
	}
	truth, err := WriteTrial(context.Background(), dir, trial)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth) != 9 || calls != 9 {
		t.Fatalf("got %d studies and %d calls of progress, want 9", len(truth), calls)
	}
	for _, s := range truth {
		entries, err := os.ReadDir(filepath.Join(dir, s.Subject, s.Visit))
		if err != nil || len(entries) != 4*3+1 || entries[0].Name() != "IM_0001.dcm" ||
			entries[12].Name() != "labels.nii.gz" {
			t.Errorf("%s/%s: %v, %v", s.Subject, s.Visit, entries, err)
		}
	}
	checkTables(t, dir, truth)
}

func checkTables(t *testing.T, dir string, truth []Truth) {
	t.Helper()
	table := readTable(t, filepath.Join(dir, "truth.csv"))
	want := [][]string{{"subject", "arm", "visit", "month", "side", "compartment", "voxels", "mean_t2_ms"}}
	for _, s := range truth {
		for _, c := range s.T2 {
			want = append(want, []string{
				s.Subject, s.Arm, s.Visit, strconv.Itoa(s.Month), s.Side, c.Name, strconv.Itoa(c.Voxels),
				fmt.Sprintf("%.6f", c.MeanT2),
			})
		}
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("truth.csv (-want +got):\n%s", diff)
	}
	design := readTable(t, filepath.Join(dir, "trial.csv"))
	columns := strings.Fields("subject arm stratum side site age sex bmi fas pp discontinued")
	if diff := cmp.Diff(columns, design[0]); diff != "" {
		t.Errorf("trial.csv (-want +got):\n%s", diff)
	}
	for n, row := range design[1:] {
		if of := truth[n*len(visits)]; row[0] != of.Subject || row[1] != of.Arm || row[3] != of.Side {
			t.Errorf("trial.csv: %v, want %s, %s, %s", row, of.Subject, of.Arm, of.Side)
		}
	}
	scores := readTable(t, filepath.Join(dir, "scores.csv"))
	if len(design) != 1+len(truth)/len(visits) || len(scores) != 1+len(design[1:])*len(scoreVisits)*len(endpoints) {
		t.Errorf("%d rows of trial.csv, %d of scores.csv for %d studies", len(design), len(scores), len(truth))
	}
}

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// The effect is there: the medial T2 of the control arm rises faster.
func TestTrialHasTheEffect(t *testing.T) {
	truth, err := WriteTrial(context.Background(), t.TempDir(), Trial{Matrix: 40, Slices: 6, Echoes: 1})
	if err != nil {
		t.Fatal(err)
	}
	change := map[string]float64{}
	subjects := map[string]int{}
	for n, s := range truth {
		if wantSide := [...]string{"R", "L"}[n/len(visits)%2]; s.Side != wantSide {
			t.Errorf("%s: side %s, want %s", s.Subject, s.Side, wantSide)
		}
		if s.Month == 0 {
			subjects[s.Arm]++
			continue
		}
		baseline := truth[n/len(visits)*len(visits)]
		for c := range s.T2 {
			if s.T2[c].Voxels != baseline.T2[c].Voxels {
				t.Errorf("%s %s %s: voxels change between visits", s.Subject, s.Visit, s.T2[c].Name)
			}
			change[fmt.Sprintf("%s %s %s", s.Arm, s.Visit, s.T2[c].Name)] += (s.T2[c].MeanT2 - baseline.T2[c].MeanT2) / 6
		}
	}
	if subjects[Treatment] != 6 || subjects[Control] != 6 {
		t.Fatalf("arms: got %v, want six each", subjects)
	}
	// Six subjects with a spread of 20 % of 4 ms and twice 0.25 ms between
	// visits: a standard error of 0.36 ms, of which 1 ms is nearly three.
	for what, want := range map[string]float64{
		"treatment month03 medial": 0.3, "control month03 medial": 1.5,
		"treatment month12 medial": 1, "control month12 medial": 4,
		"treatment month12 lateral": 0.3, "control month12 patellofemoral": 0.5,
	} {
		if got := change[what]; math.Abs(got-want) > 1 {
			t.Errorf("%s: mean change %v ms, want about %v", what, got, want)
		}
	}
	if change["control month12 medial"]-change["treatment month12 medial"] < 2 {
		t.Errorf("no effect: %v", change)
	}
}

func TestTrialIsTheSameAgain(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	if _, err := WriteTrial(context.Background(), first, smallTrial()); err != nil {
		t.Fatal(err)
	}
	// Into a folder with the remains of a larger trial, on one processor.
	larger := smallTrial()
	larger.Subjects, larger.Slices = 4, 5
	if _, err := WriteTrial(context.Background(), second, larger); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if _, err := WriteTrial(context.Background(), second, smallTrial()); err != nil {
		t.Fatal(err)
	}
	a, b := tools.ReadTree(t, first), tools.ReadTree(t, second)
	if len(a) != 9*13+5 {
		t.Errorf("got %d files, want %d", len(a), 9*13+5)
	}
	if !maps.EqualFunc(a, b, bytes.Equal) {
		t.Error("two trials of the same options differ")
	}
}

func TestTrialRefusesAFolderOfOthers(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "S01", "baseline", "IM_0001.dcm")
	if err := os.MkdirAll(filepath.Dir(theirs), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{theirs, filepath.Join(dir, "trial.csv")} {
		if err := os.WriteFile(path, []byte("a patient's"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := tools.ReadTree(t, dir)
	_, err := WriteTrial(context.Background(), dir, smallTrial())
	if err == nil || !strings.Contains(err.Error(), "neither empty nor an earlier trial") {
		t.Errorf("got %v, want a refusal", err)
	}
	if !maps.EqualFunc(before, tools.ReadTree(t, dir), bytes.Equal) {
		t.Error("the folder changed")
	}
}

func TestTrialRefuses(t *testing.T) {
	for _, c := range []struct {
		want  string
		trial Trial
	}{
		{"subjects: got -1", Trial{Subjects: -1}},
		{"matrix: got 3", Trial{Matrix: 3}},
		{"dropout: got 4", Trial{Subjects: 3, Dropout: 4}},
		{"upgraded: got -1", Trial{Upgraded: -1}},
	} {
		if _, err := WriteTrial(context.Background(), t.TempDir(), c.trial); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteTrial(context.Background(), filepath.Join(file, "trial"), smallTrial()); err == nil ||
		!strings.Contains(err.Error(), "file") {
		t.Errorf("below a file: got %v, want an error with the path", err)
	}
}

func TestArmsAreBalanced(t *testing.T) {
	both := map[string]bool{}
	for seed := range uint64(20) {
		arms := Trial{Subjects: 12, Seed: seed}.arms()
		for n := 0; n < len(arms); n += 2 {
			if !slices.Contains(arms[n:n+2], Treatment) || !slices.Contains(arms[n:n+2], Control) {
				t.Fatalf("seed %d: arms %v", seed, arms)
			}
		}
		both[arms[0]] = true
	}
	if len(both) != 2 {
		t.Error("the first subject is always in the same arm")
	}
}
