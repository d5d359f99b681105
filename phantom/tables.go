package phantom

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/t2map/t2map/printable"
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
	for _, table := range []struct {
		name, heading string
		rows          [][]string
	}{
		{designName, designHeading(), t.design(truth)},
		{scoresName, "", t.scores(truth)},
		{truthName, "", truthRows(truth)},
	} {
		if err := writeTable(filepath.Join(dir, table.name), table.heading, table.rows); err != nil {
			return err
		}
	}
	if t.VisitMotion == (Motion{}) && t.DESSMotion == (Motion{}) {
		return nil
	}
	return writeTable(filepath.Join(dir, motionName), "", motionRows(truth))
}

// motionRows returns how patients moved.
func motionRows(truth []Truth) [][]string {
	rows := [][]string{{
		"subject", "visit", "moved",
		"r11", "r12", "r13", "r21", "r22", "r23", "r31", "r32", "r33", "shift_x_mm", "shift_y_mm", "shift_z_mm",
	}}
	for _, t := range truth {
		for _, m := range []struct {
			what  string
			moved volume.Rigid
		}{{"since baseline", t.Moved}, {"T2 to DESS", t.DESSMoved}} {
			row := []string{t.Subject, t.Visit, m.what}
			for _, values := range append(m.moved.Rotation[:], m.moved.Shift) {
				for _, v := range values {
					row = append(row, strconv.FormatFloat(v, 'f', 9, 64))
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// designHeading says when the visits are and what is compared.
func designHeading() string {
	var months []string
	for _, v := range visits {
		months = append(months, fmt.Sprintf("%s=%d", v.name, v.month))
	}
	return "# trial: DEMO\n# visits: " + strings.Join(months, ", ") + "\n# reference: " + Control + "\n# primary: medial\n"
}

// design returns one row per subject, with properties as people of such trials have them.
func (t Trial) design(truth []Truth) [][]string {
	rng := rand.New(rand.NewPCG(t.Seed, 3))
	rows := [][]string{{"subject", "arm", "side", "site", "age", "sex", "bmi"}}
	for _, of := range truth {
		if of.Month != 0 {
			continue
		}
		rows = append(rows, []string{
			of.Subject, of.Arm, of.Side, [...]string{"A", "B"}[rng.IntN(2)],
			strconv.Itoa(int(math.Round(58 + 7*clamp(rng.NormFloat64(), -2, 2)))),
			[...]string{"F", "M"}[rng.IntN(2)],
			strconv.FormatFloat(27+3*clamp(rng.NormFloat64(), -2, 2), 'f', 1, 64),
		})
	}
	return rows
}

// scores returns invented scores: people differ, and the change follows that of the true
// medial T2, with noise.
func (t Trial) scores(truth []Truth) [][]string {
	rng := rand.New(rand.NewPCG(t.Seed, 4))
	rows := [][]string{{"subject", "visit", "name", "value", "direction"}}
	var womac, koos, medial float64 // at baseline
	for _, of := range truth {
		if of.Month == 0 {
			womac, koos, medial = 35+8*clamp(rng.NormFloat64(), -2, 2), 60+8*clamp(rng.NormFloat64(), -2, 2), of.T2[0].MeanT2
		}
		grown := of.T2[0].MeanT2 - medial // ms
		for _, score := range []struct {
			name, direction string
			value           float64
		}{
			{"WOMAC", "higher is worse", womac + 3*grown + 2*rng.NormFloat64()},
			{"KOOS", "higher is better", koos - 2*grown + 2*rng.NormFloat64()},
		} {
			value := ""
			if !math.IsNaN(score.value) { // there is a medial compartment
				value = strconv.FormatFloat(score.value, 'f', 0, 64)
			}
			rows = append(rows, []string{of.Subject, of.Visit, score.name, value, score.direction})
		}
	}
	return rows
}

// truthRows returns the true values.
func truthRows(truth []Truth) [][]string {
	rows := [][]string{{"subject", "arm", "visit", "month", "side", "compartment", "voxels", "mean_t2_ms"}}
	for _, t := range truth {
		for _, c := range t.T2 {
			mean := ""
			if !math.IsNaN(c.MeanT2) {
				mean = strconv.FormatFloat(c.MeanT2, 'f', 6, 64)
			}
			rows = append(rows, []string{
				t.Subject, t.Arm, t.Visit, strconv.Itoa(t.Month), t.Side, c.Name, strconv.Itoa(c.Voxels), mean,
			})
		}
	}
	return rows
}

func writeTable(path, heading string, rows [][]string) error {
	return os.WriteFile(path, append([]byte(heading), printable.CSV(rows[0], rows[1:])...), 0o666)
}
