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

// The plan and the tables of a trial.
const (
	planName   = "plan.yaml"
	designName = "trial.csv"
	scoresName = "scores.csv"
	truthName  = "truth.csv"
	motionName = "motion.csv"
)

// writeTables writes the plan and all tables of the trial.
func (t Trial) writeTables(dir string, truth []Truth) error {
	type file struct {
		name    string
		content []byte
	}
	files := []file{
		{planName, []byte(t.plan())},
		{designName, table.Write(participantColumns, t.participants(truth))},
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

// Persons who were screened and not randomised.
const notEligible, declined = 11, 5

// plan returns the plan of the trial: T2 at months 0, 3 and 12, other endpoints also at months 6 and 9.
func (t Trial) plan() string {
	var imaged []string
	for _, v := range visits {
		imaged = append(imaged, v.name)
	}
	var all []string
	for _, v := range scoreVisits {
		all = append(all, fmt.Sprintf("%s: %d", v.name, v.month))
	}
	return fmt.Sprintf(`# The plan of a synthetic trial for 't2map trial --plan'. 't2map trial plan init' explains every key.
trial: DEMO
estimand: >-
  difference of the mean change of medial T2 from baseline to month 12 between the arms, in all randomised
  subjects, whether or not they discontinued
visits: {%s}
visits[T2]: [%s]
reference: %s
primary: medial@month12
secondary: [WOMAC total@month09, KOOS pain@month09]
strata: stratum
scale[CRP]: log
sets: {full analysis: fas, per protocol: pp}
screened: %d
excluded: {not eligible: %d, declined: %d}
`, strings.Join(all, ", "), strings.Join(imaged, ", "), Control, t.Subjects+notEligible+declined, notEligible, declined)
}

// participant is a row of trial.csv.
type participant struct {
	Truth
	stratum, site string
	age           int
	sex           string
	bmi           float64
	discontinued  string
}

var participantColumns = []table.Column[participant]{
	table.Text("subject", "Subject", table.Derived, func(p participant) string { return p.Subject }),
	table.Text("arm", "Arm", table.Derived, func(p participant) string { return p.Arm }),
	table.Text("stratum", "Kellgren-Lawrence grade", table.Derived, func(p participant) string { return p.stratum }),
	table.Text("side", "Side of the knee", table.Derived, func(p participant) string { return p.Side }),
	table.Text("site", "Site", table.Derived, func(p participant) string { return p.site }),
	table.Count("age", "Age in years", func(p participant) int { return p.age }),
	table.Text("sex", "Sex", table.Derived, func(p participant) string { return p.sex }),
	table.Fixed("bmi", "Body mass index", 1, func(p participant) float64 { return p.bmi }),
	table.Text("fas", "In the full analysis set", table.Derived, func(participant) string { return "yes" }),
	table.Text("pp", "In the per-protocol set", table.Derived, func(p participant) string {
		if p.discontinued != "" {
			return "no"
		}
		return "yes"
	}),
	table.Text("discontinued", "Reason", table.Derived, func(p participant) string { return p.discontinued }),
}

// participants draws stratum, site, age, sex and body mass index of each subject. The distributions are typical
// of trials in osteoarthritis. The stratum of a pair is the same, so that the arms have equal numbers in each.
func (t Trial) participants(truth []Truth) []participant {
	rng := rand.New(rand.NewPCG(t.Seed, 3))
	grades := rand.New(rand.NewPCG(t.Seed, 6))
	stratum := ""
	var rows []participant
	for _, study := range truth {
		if study.Month != 0 {
			continue
		}
		if len(rows)%2 == 0 {
			stratum = [...]string{"KL 2", "KL 3"}[grades.IntN(2)]
		}
		p := participant{
			Truth: study, stratum: stratum, site: [...]string{"A", "B"}[rng.IntN(2)],
			age: int(math.Round(58 + 7*clamp(rng.NormFloat64(), -2, 2))),
			sex: [...]string{"F", "M"}[rng.IntN(2)],
			bmi: 27 + 3*clamp(rng.NormFloat64(), -2, 2),
		}
		if len(rows)+1 == t.Dropout {
			p.discontinued = "moved away"
		}
		rows = append(rows, p)
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
