package power

import "github.com/t2map/t2map/table"

// csvRow is a row of the table.
type csvRow struct {
	Result
	scenario Scenario
}

var columns = []table.Column[csvRow]{
	table.Count("per_arm", "Subjects per arm", func(r csvRow) int { return r.PerArm }),
	table.Count("arms", "Arms, with the reference", func(r csvRow) int { return max(r.scenario.Arms, 2) }),
	table.Count("contrasts", "Primary contrasts, over which p is adjusted",
		func(r csvRow) int { return r.scenario.Contrasts() }),
	numbers("difference", "Difference between the arms", func(r csvRow) float64 { return r.scenario.Difference }),
	numbers("alpha", "Level of the test", func(r csvRow) float64 { return r.scenario.Alpha }),
	table.Count("simulations", "Simulated trials", func(r csvRow) int { return r.Simulations }),
	table.Count("found", "Trials that found the difference of one contrast", func(r csvRow) int { return r.Rejected }),
	numbers("power", "Share of these trials",
		func(r csvRow) float64 { return r.Power().Estimate }),
	numbers("low95", "Lower limit of its 95 % interval", func(r csvRow) float64 { return r.Power().Low }),
	numbers("high95", "Upper limit", func(r csvRow) float64 { return r.Power().High }),
	table.Count("found_all", "Trials that found all differences", func(r csvRow) int { return r.RejectedAll }),
	table.Count("found_any", "Trials that found at least one", func(r csvRow) int { return r.RejectedAny }),
	table.Count("fell_back", "Trials fitted with another covariance", func(r csvRow) int { return r.FellBack }),
	table.Count("no_model", "Trials that could not be analysed", func(r csvRow) int { return r.Failed }),
}

func numbers(name, label string, value func(csvRow) float64) table.Column[csvRow] {
	return table.Significant(name, label, 6, value)
}

// CSV returns a table with a row for each simulated size.
func (s Size) CSV(scenario Scenario) []byte {
	var rows []csvRow
	for _, r := range s.Tried {
		rows = append(rows, csvRow{r, scenario})
	}
	return table.Write(columns, rows)
}
