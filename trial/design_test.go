package trial

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/trial/mmrm"
)

const heading = "# visits: baseline=0, month03=3, month12=12\n# reference: control\n"

func source(text string) Source { return Source{Name: "trial.csv", Data: []byte(text)} }

func TestDesign(t *testing.T) {
	d, p, err := ReadDesign(source("\ufeff# trial: T-7\r\n# a remark\r\n"+
		"# visits: month12=12, baseline=0, month03=3,,,\r\n# reference: control\r\n# primary: medial@month03\r\n"+
		"# covariance: AR1\n# df: satterthwaite\n# covariates: site, age\n# wcv: 4, lateral=5.5%\n"+
		"Subject, ARM ,side,site,age,bmi,sex,remark\r\n"+
		"S01,treatment,R,A,51,27.5,female,x\r\n\r\nS02,control,left,B,,,,\r\n'=S03,treatment,,A,40\r\n"), Source{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"control", "treatment"}, d.Arms); diff != "" {
		t.Error("arms: the reference comes first:", diff)
	}
	if diff := cmp.Diff([]Visit{{"baseline", 0}, {"month03", 3}, {"month12", 12}}, d.Visits); diff != "" {
		t.Error("visits:", diff)
	}
	if len(d.Primary) != 1 || !d.Primary[0].same(Target{Endpoint: "medial", Visit: 1}) || d.Name != "T-7" {
		t.Errorf("primary %+v of %q", d.Primary, d.Name)
	}
	want := Plan{Covariance: mmrm.AR1, DF: mmrm.Satterthwaite, Covariates: []string{"site", "age"}, WithinCV: 0.04,
		CompartmentCVs: []CompartmentCV{{"lateral", 0.055}}, Mentions: []Mention{{"lateral", "wcv", "trial.csv, line 9"}}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error("plan:", diff)
	}
	s := d.Subjects
	if len(s) != 3 || s[0].Arm != 1 || s[1].Arm != 0 || s[0].Side != "right" || s[1].Side != "left" || s[2].Side != "" {
		t.Errorf("subjects: %+v", s)
	}
	if s[0].Age != 51 || s[0].BMI != 27.5 || s[1].Age == s[1].Age || s[2].ID != "=S03" || s[0].Sex != "F" {
		t.Errorf("subjects: %+v", s)
	}
}

// Command-line flags override the heading.
func TestDesignOver(t *testing.T) {
	d, _, err := ReadDesign(source(heading+"subject,arm\nS01,a\nS02,b\n"), Source{}, lines("reference", "b", "visits", "v0=0,v1=6"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Arms[0] != "b" || d.Visits[1] != (Visit{"v1", 6}) {
		t.Errorf("%+v", d)
	}
}

// A spreadsheet splits the lines of the heading into cells, or quotes them.
func TestDesignFromSpreadsheet(t *testing.T) {
	for _, visits := range []string{
		"# visits: baseline=0, month03=3, month12=12",
		"# visits: baseline=0,month03=3,month12=12,,",
		`"# visits: baseline=0, month03=3, month12=12",,`,
		`# visits:,baseline=0,month03=3,month12=12`,
	} {
		d, _, err := ReadDesign(source(visits+"\n# reference: b\nsubject,arm,,\nS01,a,,\nS02,b,,\n"), Source{}, nil)
		if err != nil || len(d.Visits) != 3 {
			t.Errorf("%s: %+v, %v", visits, d.Visits, err)
		}
	}
}

func TestDesignFormats(t *testing.T) {
	text := "# visits: baseline=0; month03=3\n# reference: b\nsubject;arm;age\nS01;a;50,5\nS02;b;60\n"
	// Semicolons part the visits, too, once they are declared.
	s := Source{Name: "trial.csv", Data: []byte(text), Format: Format{Separator: ';', DecimalComma: true}}
	d, _, err := ReadDesign(s, Source{}, nil)
	if err != nil || d.Subjects[0].Age != 50.5 || len(d.Visits) != 2 {
		t.Errorf("declared: %+v, %v", d, err)
	}
	s = Source{Name: "trial.csv", Data: []byte(heading + "subject,arm,site\nS01,a,Orl\xe9ans\nS02,control,\n"),
		Format: Format{Encoding: "windows-1252"}}
	if d, _, err = ReadDesign(s, Source{}, nil); err != nil || d.Subjects[0].Site != "Orléans" {
		t.Errorf("windows-1252: %+v, %v", d, err)
	}
}

func TestBadDesigns(t *testing.T) {
	const columns = "subject,arm,side,age\n"
	tests := []struct {
		name, text string
		format     Format
		want, hint string
	}{
		{"arm names that differ in case", heading + columns + "S01,control,,\nS02,Control,,\n", Format{},
			`line 5: arm: "Control" differs from "control" (line 4) only in case, spaces`, "one spelling"},
		{"arm names that differ in blanks", heading + columns + "S01,control,,\nS02,con trol,,\n", Format{},
			"only in case, spaces", "one spelling"},
		{"a subject in two arms", heading + columns + "S01,control,,\nS01,treatment,,\n", Format{},
			`subject "S01" is in two arms: "control" (line 4) and "treatment" (line 5)`, "one arm"},
		{"a subject twice", heading + columns + "S01,control,,\nS01,control,,\n", Format{},
			`"S01" appears twice (lines 4 and 5)`, "one row"},
		{"a subject in another case", heading + columns + "S01,control,,\ns01,control,,\n", Format{},
			`subjects "S01" (line 4) and "s01" (line 5) differ only in case`, "one row"},
		{"a subject without its zeros", heading + columns + "007,control,,\n7,treatment,,\n", Format{},
			`subjects "007" (line 4) and "7" (line 5) differ only in`, "one row"},
		{"a subject in another Unicode form", heading + columns + "J\u00f6,control,,\nJo\u0308,control,,\n", Format{},
			"Unicode form", "one row"},
		{"a subject with another dash", heading + columns + "KN-1,control,,\nKN\u20131,control,,\n", Format{},
			"hyphen for an underscore", "one row"},
		{"a visit without its zeros", "# visits: month03=3, month3=4\n" + columns + "S01,x,,\n", Format{},
			"leading zeros", "its own name"},
		{"a baseline that is none", heading + "# baseline: month01\n" + columns + "S01,control,,\n", Format{},
			`the baseline "month01" is not one of the visits "baseline", "month03", "month12"`, "line of visits"},
		{"a screening without a month 0", "# visits: screening=-1, month03=3\n# reference: control\n" + columns +
			"S01,control,,\n", Format{}, `no visit is at month 0, and visit "screening" is before it`,
			"# baseline visit: month03"},
		{"no reference", "# visits: a=0, b=1\n" + columns + "S01,x,,\nS02,y,,\n", Format{},
			"but no reference", "# reference: x"},
		{"a reference that is no arm", "# visits: a=0\n# reference: z\n" + columns + "S01,x,,\nS02,y,,\n", Format{},
			`the reference "z" is not an arm`, "x, y"},
		{"no visits", "# reference: x\n" + columns + "S01,x,,\n", Format{}, "does not name the visits",
			"# visits: baseline=0"},
		{"a visit without a month", "# visits: a, b=1\n" + columns + "S01,x,,\n", Format{}, `visit "a" has no month`,
			"baseline=0"},
		{"two visits at one month", "# visits: a=0, b=0\n" + columns + "S01,x,,\n", Format{}, "both at month 0", ""},
		{"a visit twice", "# visits: a=0, A=1\n" + columns + "S01,x,,\n", Format{}, "differ only in case", ""},
		{"a month that is no number", "# visits: a=NaN\n" + columns + "S01,x,,\n", Format{}, "is not a number", ""},
		{"a month with an underscore", "# visits: a=0, b=1_2\n" + columns + "S01,x,,\n", Format{}, "is not a number",
			""},
		{"a hexadecimal month", "# visits: a=0, b=0x1p3\n" + columns + "S01,x,,\n", Format{}, "is not a number", ""},
		{"a CV with an underscore", heading + "# wcv: 1_0\n" + columns + "S01,control,,\n", Format{},
			`"1_0" is not a percentage`, "percent"},
		{"nobody", heading + columns, Format{}, "has no subjects", "subject,arm"},
		{"an empty file", "", Format{}, "the table is empty", "first row"},
		{"no arm column", heading + "subject,group\nS01,x\n", Format{},
			"no column arm (there are \"subject\", \"group\")", "subject, arm"},
		{"an arm that is a side", heading + columns + "S01,control,right,50\nS02,right,50,\n", Format{},
			`line 5: arm: the arm has the name of a side, "right"`, "empty cell"},
		{"an arm that is a side's letter", heading + columns + "S01,L,,50\n", Format{},
			`line 4: arm: the arm has the name of a side, "L"`, "empty cell"},
		{"a row that ends before the arm", heading + "subject,site,arm\nS01,A,control\nS02,control\n", Format{},
			"line 5 has 2 cells, but the first row names 3 columns: arm is missing", "empty cell"},
		{"an empty arm", heading + columns + "S01,,,\n", Format{}, "line 4 has no subject or no arm", ""},
		{"a side that is none", heading + columns + "S01,control,both,\n", Format{},
			`line 4: side: "both" is not a side`, "left, right"},
		{"an age that is none", heading + columns + "S01,control,,old\n", Format{},
			`line 4: age: "old" is not a number`, "empty"},
		{"an unknown key", "# refernce: control\n" + heading + columns + "S01,control,,\n", Format{},
			`the key "refernce" is not known`, "reference"},
		{"a limit twice", heading + "# limits: t2=20-70, T2=30-40\n" + columns + "S01,control,,\n", Format{},
			`line 3: "t2" appears twice`, "write it once"},
		{"a share above 100 %", heading + "# limits: excluded=500\n" + columns + "S01,control,,\n", Format{},
			`limit excluded: "500" is not a number from 0.1 to 100`, "excluded=10"},
		{"a limit that flags all", heading + "# limits: change=1e-9\n" + columns + "S01,control,,\n", Format{},
			`"1e-9" is not a number from`, "change=30"},
		{"a reason twice", heading + "# excluded: x=2, x=2\n" + columns + "S01,control,,\n", Format{},
			`line 3: "x" appears twice`, "write it once"},
		{"a CV twice", heading + "# wcv: medial=4, medial=9\n" + columns + "S01,control,,\n", Format{},
			`line 3: "medial" appears twice`, "write it once"},
		{"a common line without the baseline", "# visits: month03=3, month12=12\n# visits[T2]: baseline=0, month12\n" +
			"# reference: control\n" + columns + "S01,control,,\n", Format{},
			`line 1: visits do not include the baseline visit "baseline"`, "add baseline"},
		{"a key twice", heading + heading + columns + "S01,control,,\n", Format{}, "visits appears twice", ""},
		{"an unknown covariance", heading + "# covariance: toeplitz\n" + columns + "S01,control,,\n", Format{},
			`"toeplitz" is not known`, "ar1"},
		{"a covariate without a column", heading + "# covariates: bmi\n" + columns + "S01,control,,\n", Format{},
			"covariates: trial.csv has no column \"bmi\"", "add the column"},
		{"a primary visit that is none", heading + "# primary: medial@baseline\n" + columns + "S01,control,,\n",
			Format{}, "does not name a visit after baseline", "medial@month12"},
		{"sites that differ in case", heading + "subject,arm,site\nS01,control,A\nS02,control,a\n", Format{},
			`line 5: site: "a" differs from "A" (line 4) only in case`, "one spelling"},
		{"a CV that is a fraction", heading + "# wcv: 0.05\n" + columns + "S01,control,,\n", Format{},
			"0.05 % is smaller than that of any scanner", "5, not 0.05"},
		{"a CV that is none", heading + "# wcv: medial=0\n" + columns + "S01,control,,\n", Format{},
			`CV "0" is not a percentage`, "percent"},
		{"not UTF-8", heading + columns + "S\xf601,control,,\n", Format{}, "trial.csv: line 4: the text is not UTF-8",
			"--encoding windows-1252"},
		{"UTF-16", "s\x00u\x00b\x00", Format{}, "the text is UTF-16", "--encoding utf-16le"},
		{"a NUL", heading + columns + "S\x001,control,,\n", Format{}, "line 4: the text is not UTF-8", "--encoding"},
		{"an encoding that is none", heading, Format{Encoding: "klingon"}, `encoding "klingon" is not known`,
			"windows-1252"},
		{"semicolons that were not declared", "# reference: control\nsubject;arm;age\nS01;control;50,5\n", Format{},
			`separated by ";", not by commas`, "--separator"},
		{"tabs that were not declared", "subject\tarm\nS01\tcontrol\n", Format{}, "not by commas", "--separator"},
		{"decimal commas that were not declared", heading + columns + "S01,control,,\"50,5\"\n", Format{},
			`"50,5" is not a number with a decimal point`, "--decimal comma"},
		{"a point where commas are declared", "# visits: a=0\nsubject;arm;age\nS01;x;50.5\n",
			Format{Separator: ';', DecimalComma: true}, "has a point", "thousands"},
		{"more cells than columns", heading + "subject,arm\nS01,control,right\n", Format{},
			"line 4 has 3 cells, but the first row names 2", "quotation marks"},
		{"a column twice", heading + "subject,arm,Arm\nS01,control,x\n", Format{}, `column "arm" appears twice`, ""},
		{"a quote that does not end", heading + columns + "\"S01,control,,\n", Format{},
			"trial.csv: line 4: a quotation mark is missing or misplaced", "double those in it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := ReadDesign(Source{Name: "trial.csv", Data: []byte(test.text), Format: test.format}, Source{}, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if !strings.HasPrefix(err.Error(), "trial.csv") {
				t.Errorf("%q does not name the file", err)
			}
			if !strings.Contains(hint.Find(err), test.hint) {
				t.Errorf("hint %q, want %q", hint.Find(err), test.hint)
			}
		})
	}
}

func FuzzReadDesign(f *testing.F) {
	f.Add(heading+"subject,arm,side,age\nS01,control,R,50\nS02,treatment,L,\n", false)
	f.Add("# visits: a=0;b=1\nsubject;arm\n\"x\"\"\";y\n", true)
	f.Fuzz(func(t *testing.T, text string, semicolon bool) {
		s := source(text)
		if semicolon {
			s.Format = Format{Separator: ';', DecimalComma: true}
		}
		d, _, err := ReadDesign(s, Source{}, nil)
		if err != nil {
			return
		}
		if len(d.Arms) == 0 || len(d.Visits) == 0 || len(d.Subjects) == 0 {
			t.Fatalf("an empty design without an error: %+v", d)
		}
		for _, s := range d.Subjects {
			if s.Arm < 0 || s.Arm >= len(d.Arms) || s.ID == "" {
				t.Fatalf("subject %+v of arms %v", s, d.Arms)
			}
		}
	})
}
