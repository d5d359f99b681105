package agree

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/t2map/t2map/reads"
	"github.com/t2map/t2map/table"
	"github.com/t2map/t2map/trial/repeat"
)

// Table is a table of a report, with the name of its file without its ending.
type Table struct {
	Name string
	table.Sheet
}

// Tables returns the tables of the report, which docs/reads.md explains.
func (r Report) Tables() []Table {
	var rows []summaryRow
	for _, c := range r.Comparisons {
		for _, l := range c.Labels {
			rows = append(rows, summaryRow{r.Limits, c, l})
		}
	}
	return []Table{
		{"reads", table.NewSheet(readColumns, r.Reads)},
		{"agreement", table.NewSheet(pairColumns(r.Limits), r.Pairs)},
		{"agreement_summary", table.NewSheet(summaryColumns, rows)},
	}
}

// studyColumns identify a study.
var studyColumns = []table.Column[*Read]{
	table.Text("subject", "Subject", table.FromResults, func(r *Read) string { return r.Subject }),
	table.Text("visit", "Visit", table.FromResults, func(r *Read) string { return r.Visit }),
	table.Text("side", "Side of the knee", table.FromResults, func(r *Read) string { return r.Side }),
	table.Text("study", "Study", table.FromReads, func(r *Read) string { return r.Study }).
		WithDerivation("hash of StudyInstanceUID"),
	table.Text("series", "Series", table.FromReads, func(r *Read) string { return r.Series }).
		WithDerivation("hash of SeriesInstanceUID"),
}

// readColumns are the columns of reads.csv.
var readColumns = slices.Concat(
	[]table.Column[*Read]{table.Text("reader", "Reader", table.FromReads, func(r *Read) string { return r.Reader })},
	studyColumns,
	[]table.Column[*Read]{
		table.Count("repeat", "Number of the hidden repeat", func(r *Read) int { return r.Repeat }).
			WithTerms("0 for the first read").WithOrigin(table.FromReads),
		lastText("role", "Role of the reader", func(l reads.Read) string {
			if l.IsAdjudicated() {
				return "adjudicator"
			}
			return "reader"
		}).WithTerms("reader, adjudicator; empty if there is a draft only"),
		lastText("state", "State of the last revision", func(l reads.Read) string { return string(l.State) }).
			WithTerms("signed, query, rejected; empty if there is a draft only"),
		table.Flag("draft", "Whether there is a drawing that is not signed", "draft",
			func(r *Read) bool { return r.IsDraft }),
		table.Count("revisions", "Revisions", func(r *Read) int { return len(r.Revisions) }),
		lastText("signed", "Time of the last revision, UTC", func(l reads.Read) string { return l.Time.UTC().Format(time.RFC3339) }),
		table.Count("standing", "Revision whose mask is compared", func(r *Read) int {
			if r.Standing == nil {
				return -1
			}
			return r.Standing.Revision
		}).WithDerivation("the last signed one, unless the study is rejected after it"),
		lastText("scheme", "Scheme of the labels", func(l reads.Read) string { return l.Scheme }),
		lastText("labels_sha256", "SHA-256 of the labels of the scheme with their meanings",
			func(l reads.Read) string { return l.Labels }),
		lastText("text", "Question or comment", func(l reads.Read) string { return l.Text }),
		lastText("reason", "Why the study is rejected, or why an adjudicator has decided so",
			func(l reads.Read) string { return l.Reason }),
		lastText("change", "Why there is another revision", func(l reads.Read) string { return l.Change }),
		lastText("mask_sha256", "SHA-256 of the mask's file", func(l reads.Read) string { return l.Mask }),
	},
)

// lastText returns a column of texts of the last revision; empty if there is none.
func lastText(name, label string, value func(reads.Read) string) table.Column[*Read] {
	return table.Text(name, label, table.FromReads, func(r *Read) string {
		if r.Last() == nil {
			return ""
		}
		return value(*r.Last())
	})
}

// kindColumn is in both tables of agreement.
func kindColumn[R any](kind func(R) Kind) table.Column[R] {
	return table.Text("kind", "Whose reads are compared", table.Derived, func(r R) string { return string(kind(r)) }).
		WithTerms("between (two readers), within (a reader's first read and a repeat)")
}

// pairColumns are the columns of agreement.csv.
func pairColumns(limits Limits) []table.Column[Pair] {
	text := func(name, label string, value func(Pair) string) table.Column[Pair] {
		return table.Text(name, label, table.FromReads, value)
	}
	fixed := func(name, label, unit string, decimals int, value func(Pair) float64) table.Column[Pair] {
		return table.Fixed(name, label, decimals, value).WithUnit(unit)
	}
	return slices.Concat(
		[]table.Column[Pair]{
			kindColumn(func(p Pair) Kind { return p.Kind }),
			text("reader_a", "Reader of A", func(p Pair) string { return p.A.Reader }),
			text("reader_b", "Reader of B", func(p Pair) string { return p.B.Reader }),
			table.Count("repeat_b", "Number of the repeat, of B", func(p Pair) int { return p.B.Repeat }).
				WithTerms("0 between readers").WithOrigin(table.FromReads),
		},
		table.Lift(func(p Pair) *Read { return p.A }, studyColumns),
		[]table.Column[Pair]{
			text("signed_a", "Time of the signature of A, UTC", func(p Pair) string { return signedAt(p.A) }),
			text("signed_b", "Time of the signature of B, UTC", func(p Pair) string { return signedAt(p.B) }),
			table.Count("label", "Label", func(p Pair) int { return int(p.Value) }).WithOrigin(table.FromReads),
			table.Text("name", "Meaning of the label", table.FromSettings, func(p Pair) string { return p.Name }),
			table.Count("voxels_a", "Voxels in A", func(p Pair) int { return p.Voxels[0] }),
			table.Count("voxels_b", "Voxels in B", func(p Pair) int { return p.Voxels[1] }),
			table.Count("voxels_common", "Voxels in both", func(p Pair) int { return p.Common }),
			fixed("dice", "Dice coefficient", "", 4, func(p Pair) float64 { return p.Dice }).
				WithDerivation("2·common/(a + b)"),
			fixed("volume_a_mm3", "Volume in A", "mm3", 1, func(p Pair) float64 { return p.VolumeMM3[0] }),
			fixed("volume_b_mm3", "Volume in B", "mm3", 1, func(p Pair) float64 { return p.VolumeMM3[1] }),
			fixed("mean_distance_mm", "Mean distance between the surfaces", "mm", 3, func(p Pair) float64 { return p.MeanMM }),
			fixed("p95_distance_mm", "95th percentile of the distances", "mm", 3, func(p Pair) float64 { return p.P95MM }),
			fixed("largest_distance_mm", "Largest distance between the surfaces", "mm", 3,
				func(p Pair) float64 { return p.LargestMM }),
			fixed("mean_t2_a_ms", "Mean T2 in A", "ms", 2, func(p Pair) float64 { return p.MeanT2[0] }),
			fixed("mean_t2_b_ms", "Mean T2 in B", "ms", 2, func(p Pair) float64 { return p.MeanT2[1] }),
			fixed("t2_difference_ms", "Difference of the mean T2", "ms", 2,
				func(p Pair) float64 { return p.MeanT2[1] - p.MeanT2[0] }).WithDerivation("B − A"),
			table.Flag("below_min_dice", "Whether Dice is below the limit of the protocol", "below", limits.IsBelow),
			table.Text("note", "Why values are missing", table.Derived, Pair.Note),
		},
	)
}

func signedAt(r *Read) string { return r.Standing.Time.UTC().Format(time.RFC3339) }

// summaryRow is a row of agreement_summary.csv.
type summaryRow struct {
	limits Limits
	Comparison
	LabelAgreement
}

// summaryColumns are the columns of agreement_summary.csv.
var summaryColumns = slices.Concat(
	[]table.Column[summaryRow]{
		kindColumn(func(r summaryRow) Kind { return r.Kind }),
		table.Text("readers", "Readers", table.FromReads, func(r summaryRow) string { return strings.Join(r.Readers, " ") }),
		table.Text("month", "Month of the later signature, UTC", table.FromReads, func(r summaryRow) string {
			if r.Month == "" {
				return "all"
			}
			return r.Month
		}).WithTerms("all, or a month such as 2026-11"),
		table.Text("name", "Meaning of the label", table.FromSettings, func(r summaryRow) string { return r.Name }),
		table.Count("n_pairs", "Pairs of reads", func(r summaryRow) int { return r.Pairs }),
	},
	spreadColumns("dice", "Dice coefficient", "", 4, func(r summaryRow) Spread { return r.Dice }),
	[]table.Column[summaryRow]{
		limitColumn("min_dice", "The protocol's smallest Dice coefficient", func(r summaryRow) float64 { return r.limits.MinDice }),
		table.Count("n_below_min_dice", "Pairs below the limit", func(r summaryRow) int {
			if r.limits.MinDice == 0 {
				return -1
			}
			return r.BelowDice
		}),
	},
	spreadColumns("mean_distance", "Mean distance between the surfaces", "_mm", 3,
		func(r summaryRow) Spread { return r.Distance }),
	[]table.Column[summaryRow]{
		table.Count("n_t2", "Studies with T2 in two reads", func(r summaryRow) int { return r.LabelAgreement.T2.N }),
		significant("mean_t2_ms", "Mean T2", func(e repeat.Estimates) float64 { return e.Mean }),
	},
	intervalColumns("wsd", "_ms", "Standard deviation of the reads of a study",
		func(e repeat.Estimates) repeat.Interval { return e.WSD }),
	intervalColumns("wcv", "_percent", "Coefficient of variation of the reads of a study, root mean square",
		func(e repeat.Estimates) repeat.Interval { return e.WCV }),
	[]table.Column[summaryRow]{
		limitColumn("max_wcv_percent", "The protocol's largest coefficient of variation within a reader",
			func(r summaryRow) float64 {
				if r.Kind != Within {
					return 0
				}
				return r.limits.MaxWCVPercent
			}).WithUnit("percent"),
		table.Flag("above_max_wcv", "Whether the coefficient within a reader is above the limit", "above",
			func(r summaryRow) bool { return r.IsAboveWCV }),
		table.Count("n_t2_pairs", "Pairs with T2 in both", func(r summaryRow) int { return r.LabelAgreement.T2.Agreement.N }),
	},
	intervalColumns("t2_bias", "_ms", "Mean difference of T2, B − A",
		func(e repeat.Estimates) repeat.Interval { return e.Agreement.Bias }),
	[]table.Column[summaryRow]{
		significant("t2_sd_difference_ms", "SD of the differences", func(e repeat.Estimates) float64 { return e.Agreement.SD }),
	},
	intervalColumns("t2_loa_lower", "_ms", "Lower limit of agreement",
		func(e repeat.Estimates) repeat.Interval { return e.Agreement.Lower }),
	intervalColumns("t2_loa_upper", "_ms", "Upper limit of agreement",
		func(e repeat.Estimates) repeat.Interval { return e.Agreement.Upper }),
	[]table.Column[summaryRow]{
		table.Significant("level", "Level of the intervals", 6, func(summaryRow) float64 { return Level }).
			WithOrigin(table.Assigned),
		table.Text("note", "Why values are missing", table.Derived,
			func(r summaryRow) string { return strings.Join(r.Reasons, "; ") }),
	},
)

// limitColumn returns a column with a limit of the protocol; empty without a limit.
func limitColumn(name, label string, limit func(summaryRow) float64) table.Column[summaryRow] {
	c := table.Text(name, label, table.FromSettings, func(r summaryRow) string {
		if limit(r) == 0 {
			return ""
		}
		return strconv.FormatFloat(limit(r), 'g', -1, 64)
	})
	c.Kind = table.Numeric
	return c
}

// spreadColumns returns the columns of a measure over the pairs.
func spreadColumns(name, label, unit string, decimals int, value func(summaryRow) Spread) []table.Column[summaryRow] {
	column := func(suffix, measure string, part func(Spread) float64) table.Column[summaryRow] {
		return table.Fixed(name+suffix+unit, label+measure, decimals, func(r summaryRow) float64 { return part(value(r)) }).
			WithUnit(strings.TrimPrefix(unit, "_"))
	}
	return []table.Column[summaryRow]{
		column("", ", mean", func(s Spread) float64 { return s.Mean }),
		column("_sd", ", standard deviation", func(s Spread) float64 { return s.SD }),
		column("_min", ", lowest", func(s Spread) float64 { return s.Lowest }),
		column("_max", ", highest", func(s Spread) float64 { return s.Highest }),
	}
}

// intervalColumns returns the columns of an estimate and of the limits of its interval.
func intervalColumns(name, unit, label string, value func(repeat.Estimates) repeat.Interval) []table.Column[summaryRow] {
	return []table.Column[summaryRow]{
		significant(name+unit, label, func(e repeat.Estimates) float64 { return value(e).Estimate }),
		significant(name+"_low"+unit, "Lower limit", func(e repeat.Estimates) float64 { return value(e).Low }),
		significant(name+"_high"+unit, "Upper limit", func(e repeat.Estimates) float64 { return value(e).High }),
	}
}

// significant returns a column of an estimate with six digits, as in repeat.csv.
func significant(name, label string, value func(repeat.Estimates) float64) table.Column[summaryRow] {
	unit := ""
	for _, known := range []string{"ms", "percent"} {
		if strings.HasSuffix(name, "_"+known) {
			unit = known
		}
	}
	return table.Significant(name, label, 6, func(r summaryRow) float64 { return value(r.LabelAgreement.T2) }).WithUnit(unit)
}
