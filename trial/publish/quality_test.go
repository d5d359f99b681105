package publish

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/t2map/t2map/trial"
)

// poor returns the usual analysis, in which the last visit of one arm is flagged.
func poor() trial.Analysis {
	a := usual.analysis()
	a.Flags = append(a.Flags, trial.Flag{Kind: trial.BeyondLimit, Subject: "S001", Visit: "visit 2", Endpoint: "medial",
		Excess: trial.Excess{Measure: trial.VoxelChange, Value: -50, Limit: 20}})
	a.Endpoints[0].Cells[1][2].Quality = trial.QualityCell{N: 7, Flagged: 1,
		ImageQuality: trial.ImageQuality{Voxels: 500, Excluded: 33, VolumeMM3: nan, SNRFirst: 18, SNRLast: 4, MeanR2: 0.8,
			Sigma: nan}}
	return a
}

func TestQualityTable(t *testing.T) {
	a := poor()
	q := qualityTable(&a)
	if len(q.Rows) != 3*len(a.Design.Arms)*len(a.Design.Visits) {
		t.Errorf("%d rows", len(q.Rows))
	}
	if want := "medial,low dose,visit 2,6,7,1,500,33,,18,4,0.8,\n"; !strings.Contains(string(q.CSV()), want) {
		t.Errorf("%s\nhas no %s", q.CSV(), want)
	}
	a.Endpoints[0].Visits = []int{0, 1}
	if q := qualityTable(&a); strings.Contains(string(q.CSV()), "medial,low dose,visit 2") {
		t.Error("a visit that is not planned has a row")
	}
}

// A flag of a limit is given as values, and in words on the page and in the table.
func TestFlagBeyondALimit(t *testing.T) {
	a := poor()
	const words = "number of voxels -50.0 % against baseline, limit 20 %"
	if csv := string(flagTable(&a).CSV()); !strings.Contains(csv,
		`beyond limit,S001,visit 2,medial,Y,"`+words+`",voxels,-50,20`) || !strings.Contains(csv, ",,,\n") {
		t.Error(csv)
	}
	groups := flagGroups(&a)
	found := false
	for _, g := range groups {
		if g.Kind == string(trial.BeyondLimit) {
			found = g.Meaning != "" && g.N == "1" &&
				g.Grid.Groups[0].Rows[0].Cells[3].Text == strings.Replace(words, "-", "−", 1)
		}
	}
	if !found {
		t.Errorf("%+v", groups)
	}
	data, err := encode(&a, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Flags []struct {
			Text   string
			Excess *trial.Excess
		}
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	last := v.Flags[len(v.Flags)-1]
	if last.Text != "" || *last.Excess != a.Flags[len(a.Flags)-1].Excess || v.Flags[0].Excess != nil ||
		bytes.Count(data, []byte(`"excess"`)) != 1 {
		t.Errorf("%+v", last)
	}
}

// Words of the summary: the tables of CDISC and the methods say which was used.
func TestMedianIsNamed(t *testing.T) {
	a := usual.analysis()
	for median, want := range map[bool][3]string{false: {"T2MEAN", "Mean Cartilage", "the mean T2 (ms)"},
		true: {"T2MEDIAN", "Median Cartilage", "the median T2 (ms)"}} {
		a.Plan.Median = median
		csv := string(mkTable(&a).CSV())
		if !strings.Contains(csv, ","+want[0]+",") || !strings.Contains(csv, ","+want[1]) ||
			!strings.Contains(endpointText(&a), want[2]) {
			t.Errorf("%v: %s", median, endpointText(&a))
		}
	}
}
