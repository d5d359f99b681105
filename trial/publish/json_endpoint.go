package publish

import (
	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// The types of an endpoint in trial.json.
type (
	jsonEndpoint struct {
		Name        string           `json:"name"`
		Title       string           `json:"title"`
		Unit        string           `json:"unit"`
		Compartment bool             `json:"compartment"`
		Direction   string           `json:"direction"`
		Values      [][]jsonValue    `json:"values"` // by subject and visit
		Cells       [][]jsonCell     `json:"cells"`  // by arm and visit
		Model       jsonModel        `json:"model"`
		Contrasts   []jsonContrast   `json:"contrasts"`
		Changes     [][]jsonChange   `json:"changes"` // by subject and visit
		RC          number.Float     `json:"rc"`
		Responders  []jsonResponders `json:"responders"`
	}
	jsonValue struct {
		X        number.Float `json:"x"`
		Missing  *jsonMissing `json:"missing,omitempty"`
		Flags    []int        `json:"flags"`
		Side     string       `json:"side"`
		Study    string       `json:"study"`
		Series   string       `json:"series"`
		Method   string       `json:"method"`
		MaskFrom string       `json:"mask_from"`
		Folder   string       `json:"folder"`
	}
	jsonChange struct {
		Delta   number.Float `json:"delta"`
		Percent number.Float `json:"percent"`
		Verdict string       `json:"verdict"`
		Missing *jsonMissing `json:"missing,omitempty"`
	}
	jsonCell struct {
		Value       jsonDescription `json:"value"`
		Change      jsonDescription `json:"change"`
		Percent     jsonDescription `json:"percent"`
		Missing     int             `json:"missing"`
		ValueFlags  []int           `json:"value_flags"`
		ChangeFlags []int           `json:"change_flags"`
	}
	jsonDescription struct {
		N      int          `json:"n"`
		Mean   number.Float `json:"mean"`
		SD     number.Float `json:"sd"`
		Median number.Float `json:"median"`
		Q1     number.Float `json:"q1"`
		Q3     number.Float `json:"q3"`
		Min    number.Float `json:"min"`
		Max    number.Float `json:"max"`
		Low    number.Float `json:"low"`
		High   number.Float `json:"high"`
	}
	jsonModel struct {
		Failed       string           `json:"failed"`
		Covariance   string           `json:"covariance"`
		Rejected     []jsonRejected   `json:"rejected"`
		DF           string           `json:"df"`
		Subjects     int              `json:"subjects"`
		Observations int              `json:"observations"`
		LogLik       number.Float     `json:"log_lik"`
		Sigma        [][]number.Float `json:"sigma"`
		Formula      []string         `json:"formula"` // fixed effects
		Omitted      []jsonOmission   `json:"omitted"`
		N            [][]int          `json:"n"`        // by arm and visit after baseline
		LSMeans      [][]jsonEstimate `json:"ls_means"` // by arm and visit after baseline
		BaselineMean number.Float     `json:"baseline_mean"`
	}
	jsonRejected struct {
		Covariance string `json:"covariance"`
		Reason     string `json:"why"`
	}
	jsonOmission struct {
		Term   string `json:"term,omitempty"`
		Visit  int    `json:"visit,omitempty"`
		Reason string `json:"why"`
	}
	jsonContrast struct {
		Arm                int             `json:"arm"`
		Visit              int             `json:"visit"`
		N                  int             `json:"n"`
		NReference         int             `json:"n_reference"`
		NAdjusted          int             `json:"n_adjusted"`
		NAdjustedReference int             `json:"n_adjusted_reference"`
		Family             string          `json:"family"`
		Model              jsonEstimate    `json:"model"`
		Holm               number.Float    `json:"holm"`
		Effect             jsonInterval    `json:"effect"`
		Ancova             jsonEstimate    `json:"ancova"`
		Welch              jsonEstimate    `json:"welch"`
		Wilcoxon           jsonRankTest    `json:"wilcoxon"`
		Permutation        jsonPermutation `json:"permutation"`
		Reasons            jsonReasons     `json:"reasons"`
	}
	jsonRankTest struct {
		U     number.Float `json:"u"`
		P     number.Float `json:"p"`
		Exact bool         `json:"exact"`
		Shift jsonInterval `json:"shift"`
	}
	jsonPermutation struct {
		P            number.Float `json:"p"`
		Arrangements int          `json:"arrangements"`
		Exact        bool         `json:"exact"`
	}
	jsonReasons struct {
		Effect      string `json:"effect,omitempty"`
		Ancova      string `json:"ancova,omitempty"`
		Welch       string `json:"welch,omitempty"`
		Wilcoxon    string `json:"wilcoxon,omitempty"`
		Permutation string `json:"permutation,omitempty"`
	}
	jsonResponders struct {
		Visit    int                  `json:"visit"`
		Arms     []jsonResponderCount `json:"arms"`
		Increase []number.Float       `json:"increase"`
		Decrease []number.Float       `json:"decrease"`
	}
	jsonResponderCount struct {
		Within   int          `json:"within"`
		Decrease int          `json:"decrease"`
		Increase int          `json:"increase"`
		SDC      number.Float `json:"sdc"`
	}
)

func endpointJSON(e *trial.EndpointAnalysis) jsonEndpoint {
	return jsonEndpoint{
		Name: e.Name, Title: e.Title, Unit: e.Unit, Compartment: e.Compartment, Direction: directionName(e.Direction),
		Values: rowsOf(e.Values, valueJSON), Cells: rowsOf(e.Cells, cellJSON), Model: modelJSON(e.Model),
		Contrasts: listOf(e.Contrasts, contrastJSON), Changes: rowsOf(e.Changes, changeJSON), RC: number.Finite(e.RC),
		Responders: listOf(e.Responders, respondersJSON),
	}
}

func rowsOf[T, J any](rows [][]T, convert func(T) J) [][]J {
	return listOf(rows, func(row []T) []J { return listOf(row, convert) })
}

func index(i int) int { return i }

func valueJSON(v trial.Value) jsonValue {
	return jsonValue{
		X: number.Finite(v.X), Missing: missingJSON(v.Missing), Flags: listOf(v.Flags, index), Side: v.Side,
		Study: v.Study, Series: v.Series,
		Method: v.Method, MaskFrom: v.MaskFrom, Folder: v.Folder,
	}
}

func changeJSON(c trial.Change) jsonChange {
	verdict := verdictName(c.Verdict)
	if verdict == "" {
		verdict = "none"
	}
	return jsonChange{number.Finite(c.Delta), number.Finite(c.Percent), verdict, missingJSON(c.Missing)}
}

func cellJSON(c trial.Cell) jsonCell {
	return jsonCell{
		Value: descriptionJSON(c.Value), Change: descriptionJSON(c.Change), Percent: descriptionJSON(c.Percent),
		Missing:    c.Missing,
		ValueFlags: listOf(c.ValueFlags, index), ChangeFlags: listOf(c.ChangeFlags, index),
	}
}

func descriptionJSON(d trial.Description) jsonDescription {
	f := number.Finite
	return jsonDescription{d.N, f(d.Mean), f(d.SD), f(d.Median), f(d.Q1), f(d.Q3), f(d.Min), f(d.Max), f(d.Low),
		f(d.High)}
}

func modelJSON(m trial.Model) jsonModel {
	return jsonModel{
		Failed: m.Failed, Covariance: m.Covariance.String(), DF: dfTerm(m.DF), Subjects: m.Subjects,
		Observations: m.Observations,
		LogLik:       number.Finite(m.LogLik), Sigma: rowsOf(m.Sigma, number.Finite),
		Formula: listOf(m.Formula, trial.Term.String),
		Rejected: listOf(m.Rejected, func(r mmrm.Rejected) jsonRejected {
			return jsonRejected{r.Covariance.String(), r.Reason}
		}),
		Omitted: listOf(m.Omitted, func(o trial.Omission) jsonOmission { return jsonOmission(o) }),
		N:       rowsOf(m.N, index), LSMeans: rowsOf(m.LSMeans, estimateJSON),
		BaselineMean: number.Finite(m.BaselineMean),
	}
}

func contrastJSON(c trial.Contrast) jsonContrast {
	return jsonContrast{
		Arm: c.Arm, Visit: c.Visit, N: c.N, NReference: c.NReference, NAdjusted: c.NAdjusted,
		NAdjustedReference: c.NAdjustedReference,
		Family:             c.Family.String(), Model: estimateJSON(c.Model), Holm: number.Finite(c.Holm),
		Effect: intervalJSON(c.Effect),
		Ancova: estimateJSON(c.Ancova), Welch: estimateJSON(c.Welch),
		Wilcoxon: jsonRankTest{number.Finite(c.Wilcoxon.U), number.Finite(c.Wilcoxon.P), c.Wilcoxon.Exact,
			intervalJSON(c.Wilcoxon.Shift)},
		Permutation: jsonPermutation{number.Finite(c.Permutation.P), c.Permutation.Arrangements, c.Permutation.Exact},
		Reasons:     jsonReasons(c.Reasons),
	}
}

func respondersJSON(r trial.Responders) jsonResponders {
	return jsonResponders{
		Visit: r.Visit, Increase: floats(r.Increase), Decrease: floats(r.Decrease),
		Arms: listOf(r.Arms, func(n trial.ResponderCount) jsonResponderCount {
			return jsonResponderCount{n.Within, n.Decrease, n.Increase, number.Finite(n.SDC)}
		}),
	}
}
