package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/volume"
)

// The tables of a trial.
const (
	designName = "trial.csv"
	scoresName = "scores.csv"
	truthName  = "truth.csv"
	motionName = "motion.csv"
)

// writeTables writes all tables of the trial.
func (t Trial) writeTables(dir string, truth []Truth) error {
	type file struct {
		name    string
		content []byte
	}
	files := []file{
		{designName, append([]byte(designHeading()), table.Write(participantColumns, t.participants(truth))...)},
		{scoresName, table.Write(scoreColumns, t.scores(truth))},
		{truthName, table.Write(truthColumns, truthRows(truth))},
	}
	if t.VisitMotion != (Motion{}) || t.DESSMotion != (Motion{}) {
		files = append(files, file{motionName, table.Write(motionColumns(), motionRows(truth))})
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// designHeading holds the months of the visits, the reference arm and the primary endpoint.
func designHeading() string {
	var months []string
	for _, v := range visits {
		months = append(months, fmt.Sprintf("%s=%d", v.name, v.month))
	}
	return "# trial: DEMO\n# visits: " + strings.Join(months, ", ") + "\n# reference: " + Control + "\n# primary: medial\n"
}

// participant is a row of trial.csv.
type participant struct {
	Truth
	site string
	age  int
	sex  string
	bmi  float64
}

var participantColumns = []table.Column[participant]{
	table.Text("subject", "Subject", table.Derived, func(p participant) string { return p.Subject }),
	table.Text("arm", "Arm", table.Derived, func(p participant) string { return p.Arm }),
	table.Text("side", "Side of the knee", table.Derived, func(p participant) string { return p.Side }),
	table.Text("site", "Site", table.Derived, func(p participant) string { return p.site }),
	table.Count("age", "Age in years", func(p participant) int { return p.age }),
	table.Text("sex", "Sex", table.Derived, func(p participant) string { return p.sex }),
	table.Fixed("bmi", "Body mass index", 1, func(p participant) float64 { return p.bmi }),
}

// participants draws site, age, sex and body mass index of each subject. The distributions are typical
// of trials in osteoarthritis.
func (t Trial) participants(truth []Truth) []participant {
	rng := rand.New(rand.NewPCG(t.Seed, 3))
	var rows []participant
	for _, study := range truth {
		if study.Month != 0 {
			continue
		}
		rows = append(rows, participant{
			Truth: study, site: [...]string{"A", "B"}[rng.IntN(2)],
			age: int(math.Round(58 + 7*clamp(rng.NormFloat64(), -2, 2))),
			sex: [...]string{"F", "M"}[rng.IntN(2)],
			bmi: 27 + 3*clamp(rng.NormFloat64(), -2, 2),
		})
	}
	return rows
}

// score is a row of scores.csv.
type score struct {
	subject, visit, name string
	value                float64 // NaN without a medial compartment
	direction            string
}

var scoreColumns = []table.Column[score]{
	table.Text("subject", "Subject", table.Derived, func(s score) string { return s.subject }),
	table.Text("visit", "Visit", table.Derived, func(s score) string { return s.visit }),
	table.Text("name", "Score", table.Derived, func(s score) string { return s.name }),
	table.Fixed("value", "Value", 0, func(s score) float64 { return s.value }),
	table.Text("direction", "Whether a high value is good", table.Derived, func(s score) string { return s.direction }),
}

// scores draws scores. They differ between subjects, and their change is proportional to that of the true
// medial T2, with noise.
func (t Trial) scores(truth []Truth) []score {
	rng := rand.New(rand.NewPCG(t.Seed, 4))
	var rows []score
	var womac, koos, medial float64 // at baseline
	for _, study := range truth {
		now := study.T2[0].MeanT2
		if study.Month == 0 {
			womac, koos, medial = 35+8*clamp(rng.NormFloat64(), -2, 2), 60+8*clamp(rng.NormFloat64(), -2, 2), now
		}
		change := now - medial // ms
		rows = append(rows,
			score{study.Subject, study.Visit, "WOMAC", womac + 3*change + 2*rng.NormFloat64(), "higher is worse"},
			score{study.Subject, study.Visit, "KOOS", koos - 2*change + 2*rng.NormFloat64(), "higher is better"})
	}
	return rows
}

// truthRow is a row of truth.csv.
type truthRow struct {
	Truth
	compartment Compartment
}

var truthColumns = []table.Column[truthRow]{
	table.Text("subject", "Subject", table.Derived, func(r truthRow) string { return r.Subject }),
	table.Text("arm", "Arm", table.Derived, func(r truthRow) string { return r.Arm }),
	table.Text("visit", "Visit", table.Derived, func(r truthRow) string { return r.Visit }),
	table.Count("month", "Months since baseline", func(r truthRow) int { return r.Month }),
	table.Text("side", "Side of the knee", table.Derived, func(r truthRow) string { return r.Side }),
	table.Text("compartment", "Compartment", table.Derived, func(r truthRow) string { return r.compartment.Name }),
	table.Count("voxels", "Voxels", func(r truthRow) int { return r.compartment.Voxels }),
	table.Fixed("mean_t2_ms", "Mean true T2", 6, func(r truthRow) float64 { return r.compartment.MeanT2 }),
}

func truthRows(truth []Truth) []truthRow {
	var rows []truthRow
	for _, t := range truth {
		for _, c := range t.T2 {
			rows = append(rows, truthRow{t, c})
		}
	}
	return rows
}

// motionRow is a row of motion.csv.
type motionRow struct {
	Truth
	kind  string
	moved volume.Rigid
}

func motionColumns() []table.Column[motionRow] {
	columns := []table.Column[motionRow]{
		table.Text("subject", "Subject", table.Derived, func(r motionRow) string { return r.Subject }),
		table.Text("visit", "Visit", table.Derived, func(r motionRow) string { return r.Visit }),
		table.Text("moved", "Which motion", table.Derived, func(r motionRow) string { return r.kind }),
	}
	for i := range 3 {
		for j := range 3 {
			columns = append(columns, table.Fixed(fmt.Sprintf("r%d%d", i+1, j+1), "Element of the rotation matrix", 9,
				func(r motionRow) float64 { return r.moved.Rotation[i][j] }))
		}
	}
	for i, name := range []string{"shift_x_mm", "shift_y_mm", "shift_z_mm"} {
		columns = append(columns, table.Fixed(name, "Shift", 9, func(r motionRow) float64 { return r.moved.Shift[i] }))
	}
	return columns
}

func motionRows(truth []Truth) []motionRow {
	var rows []motionRow
	for _, t := range truth {
		rows = append(rows, motionRow{t, "since baseline", t.Moved}, motionRow{t, "T2 to DESS", t.DESSMoved})
	}
	return rows
}
