package figures

import (
	"math"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
)

// Arms whose names begin alike are distinguished everywhere.
func TestLongArms(t *testing.T) {
	const regimen = "An extraordinarily long arm name with the full regimen 40 mg twice daily for twelve weeks then " +
		"placebo "
	a := trialOf(founding)
	a.Design.Arms = []string{regimen + "A", regimen + "B"}
	for name, p := range drawAll(t, a, Options{}) {
		checkTexts(t, "long", p)
		arms := map[string]int{}
		for _, w := range texts(t, p.SVG) {
			if strings.HasPrefix(w.text, "An extra") {
				arms[w.text]++
			}
		}
		for text, n := range arms {
			if n > 1 {
				t.Errorf("%s: two arms are called %q", name, text)
			}
		}
		if strings.Count(p.Caption, "placebo A")+strings.Count(p.Caption, "placebo B") == 0 &&
			strings.Contains(p.Caption, "An extra") {
			t.Errorf("%s: arms of the caption are cut alike: %s", name, p.Caption)
		}
	}
	text := joined(t, drawAll(t, a, Options{})["forest"])
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "favours") && !strings.Contains(line, "o A") && !strings.Contains(line, "o B") {
			t.Errorf("which arm is %q?", line)
		}
	}
}

// Endpoints whose names begin alike are distinguished in every panel.
func TestLongEndpoints(t *testing.T) {
	const long = "Mean of the third and fourth layer of the cartilage of the compartment "
	a := trialOf(founding)
	for n := range a.Endpoints {
		a.Endpoints[n].Title = long + string(rune('A'+n))
	}
	for name, p := range drawAll(t, a, Options{}) {
		checkTexts(t, "endpoints", p)
		for _, w := range texts(t, p.SVG) {
			if strings.HasPrefix(w.text, "Mean of the") && strings.HasSuffix(w.text, "…") {
				t.Errorf("%s: which one is %q?", name, w.text)
			}
		}
	}
}

// Names in letters that the typeface lacks are replaced by numbers, which the caption explains. No box is
// drawn.
func TestForeignNames(t *testing.T) {
	a := trialOf(founding)
	a.Design.Arms = []string{"対照群", "治療群"}
	a.Design.Visits[1].Name, a.Design.Visits[2].Name = "第3月", "第12月"
	a.Design.Visits[1].Month = math.NaN() // so that names are drawn
	a.Design.Subjects[0].ID = "患者一"
	a.Endpoints[3].Title, a.Endpoints[3].Unit = "疼痛", "点"
	a.Flags = []trial.Flag{
		{Kind: trial.ScannerChange, Subject: "患者一", Visit: "第12月", Text: "東芝"},
		{Kind: trial.ScannerChange, Subject: "S002", Visit: "第12月", Endpoint: "VAS", Text: "another scanner"},
	}
	for e := range a.Endpoints {
		for s := range a.Endpoints[e].Values {
			for v := range a.Endpoints[e].Values[s] {
				a.Endpoints[e].Values[s][v].Flags = nil
			}
		}
		a.Endpoints[e].Values[0][2].Flags, a.Endpoints[e].Values[1][2].Flags = []int{0}, []int{1}
	}
	spreadFlags(&a)
	pictures := drawAll(t, a, Options{})
	all := ""
	for name, p := range pictures {
		checkTexts(t, "foreign", p)
		text := joined(t, p)
		all += text
		if strings.ContainsAny(text, "対照群治療第月患者一疼痛点東芝□") {
			t.Errorf("%s has letters that the typeface lacks:\n%s", name, text)
		}
		if !strings.Contains(p.Caption, "arm 1 is 対照群; arm 2 is 治療群; visit 2 is 第3月") {
			t.Errorf("%s does not explain the numbers: %s", name, p.Caption)
		}
		if name != "flow" && (len(p.Flags) == 0 || p.Flags[0] != 0) {
			t.Errorf("%s: flags %d", name, p.Flags)
		}
	}
	for _, want := range []string{"\narm 1\n", "\narm 2\n", "Differences of T2 from arm 1", "visit 2", "subject 1\n",
		"endpoint 4", "unit 4", "† subject 1 at visit 3: scanner change, see flags.csv",
		"† S002 at visit 3, VAS: another scanner"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q", want)
		}
	}
	if a.Design.Arms[0] != "対照群" || a.Design.Visits[2].Name != "第12月" || a.Design.Subjects[0].ID != "患者一" ||
		a.Endpoints[3].Title != "疼痛" {
		t.Error("the analysis itself was changed")
	}
	look(t, "foreign", []figure.Picture{pictures["means-scores"], pictures["forest"], pictures["missing"]})
}

func TestStandIns(t *testing.T) {
	out, notes := standIns("arm", []string{"arm 2", "治療群", "対照群", "治療群"})
	if got := strings.Join(out, "|"); got != "arm 2|(arm 2)|arm 3|(arm 2)" {
		t.Errorf("%s", got)
	}
	if got := strings.Join(notes, "|"); got != "(arm 2) is 治療群|arm 3 is 対照群" {
		t.Errorf("%s", got)
	}
}

// The same holds for repeated scans.
func TestForeignRepeats(t *testing.T) {
	rows := repeats(4, "内側", "外側")
	for i := range rows {
		rows[i].Visit = map[string]string{"scan": "初回", "rescan": "再検"}[rows[i].Visit]
	}
	p := agreementOf(t, rows)[0]
	if text := joined(t, p); strings.ContainsAny(text, "初再内外□") || !strings.Contains(text, "Compartment 2") ||
		!strings.Contains(text, "visit 2 − visit 1 (ms)") {
		t.Errorf("%s", text)
	}
	if !strings.Contains(p.Caption, "visit 1 is 初回; visit 2 is 再検; compartment 1 is 内側") {
		t.Errorf("%s", p.Caption)
	}
}
