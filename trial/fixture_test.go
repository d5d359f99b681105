package trial

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// made is a trial's tables for tests: subjects S01 … in turn of each arm.
type made struct {
	arms, visits []string
	perArm       int
	// t2 gives the mean T2 of subject n of an arm at a visit; NaN: no row. Default: noise around 38 ms.
	t2 func(arm, n, visit int) float64
	// extra is added to the heading, columns and rows to the design.
	heading string
	column  func(arm, n int) string
}

const (
	madeColumns = "subject,visit,study,series,side,compartment,mean_t2_ms,method,settings,scanner,acquisition," +
		"lossy_images,note,voxels,used,volume_mm3,snr_first,snr_last,mean_r2"
	// soundQuality fills the last columns.
	soundQuality = "1000,990,875.0,60.0,12.0,0.98"
)

func (m made) design() string {
	var b strings.Builder
	var visits []string
	for i, v := range m.visits {
		visits = append(visits, fmt.Sprintf("%s=%d", v, 3*i))
	}
	fmt.Fprintf(&b, "# visits: %s\n# reference: %s\n%s", strings.Join(visits, ", "), m.arms[0], m.heading)
	b.WriteString("subject,arm")
	if m.column != nil {
		b.WriteString(",site,age")
	}
	m.each(func(id string, arm, n int) {
		fmt.Fprintf(&b, "\n%s,%s", id, m.arms[arm])
		if m.column != nil {
			b.WriteString("," + m.column(arm, n))
		}
	})
	return b.String() + "\n"
}

func (m made) each(f func(id string, arm, n int)) {
	for i := range m.perArm * len(m.arms) {
		f(fmt.Sprintf("S%02d", i+1), i%len(m.arms), i/len(m.arms))
	}
}

func (m made) compartments() string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(madeColumns + "\n")
	m.each(func(id string, arm, n int) {
		level := 38 + 2*random.NormFloat64()
		for v, visit := range m.visits {
			for _, compartment := range []string{"medial", "lateral"} {
				x := level + random.NormFloat64()
				if m.t2 != nil {
					x = m.t2(arm, n, v)
				}
				if !math.IsNaN(x) {
					fmt.Fprintf(&b, "%s,%s,st-%s-%d,se-%s-%d,right,%s,%.2f,nlls,plain,Maker One,7 echoes,,,"+
						soundQuality+"\n", id, visit, id, v, id, v, compartment, x)
				}
			}
		}
	})
	return b.String()
}

func (m made) tables() Tables {
	return Tables{
		Design:       Source{Name: "trial.csv", Data: []byte(m.design())},
		Compartments: Source{Name: "compartments.csv", Data: []byte(m.compartments())},
		Studies:      Source{Name: "studies.csv", Data: []byte("subject,visit,status,reason\n")},
	}
}

func (m made) analyse(t *testing.T) Analysis {
	t.Helper()
	return analyse(t, m.tables())
}

func analyse(t *testing.T, tables Tables) Analysis {
	t.Helper()
	a, err := Analyse(context.Background(), "test", tables, nil)
	if err != nil {
		t.Fatalf("%v\nhint: %s", err, hint.Find(err))
	}
	return a
}

var twoArms = []string{"control", "treatment"}
var threeVisits = []string{"baseline", "month03", "month12"}

// with returns the compartments' table with some text replaced, which must be in it.
func (t Tables) with(test *testing.T, old, text string) Tables {
	test.Helper()
	before := string(t.Compartments.Data)
	if !strings.Contains(before, old) {
		test.Fatalf("%q is not in the table", old)
	}
	t.Compartments.Data = []byte(strings.ReplaceAll(before, old, text))
	return t
}

// and adds rows to the compartments' table, whose last cells may be omitted.
func (t Tables) and(rows ...string) Tables {
	header, _, _ := strings.Cut(string(t.Compartments.Data), "\n")
	for i, row := range rows {
		rows[i] += strings.Repeat(",", max(strings.Count(header, ",")-strings.Count(row, ","), 0))
	}
	t.Compartments.Data = append([]byte(string(t.Compartments.Data)), strings.Join(rows, "\n")+"\n"...)
	return t
}

func subjectIndex(t *testing.T, a Analysis, id string) int {
	t.Helper()
	for i, s := range a.Design.Subjects {
		if s.ID == id {
			return i
		}
	}
	t.Fatalf("no subject %s", id)
	return 0
}

// lines returns a heading of keys and values.
func lines(keysAndValues ...string) Heading {
	h := Heading{}
	for i := 0; i < len(keysAndValues); i += 2 {
		h[keysAndValues[i]] = Line{Text: keysAndValues[i+1], Place: "--" + keysAndValues[i]}
	}
	return h
}
