package table

import (
	"math"
	"testing"
)

type sampleRow struct {
	name  string
	n     int
	x     float64
	valid bool
}

// samplePart is a row with a part of its own.
type samplePart struct {
	sampleRow
	note string
}

func TestWrite(t *testing.T) {
	columns := append(Lift(func(p samplePart) sampleRow { return p.sampleRow }, []Column[sampleRow]{
		Text("name", "Name", FromImages, func(r sampleRow) string { return r.name }),
		Count("n", "Number", func(r sampleRow) int { return r.n }),
		Number("x", "Value", func(r sampleRow) float64 { return r.x }).WithUnit("ms").WithDerivation("=x"),
		Fixed("fixed", "Value", 2, func(r sampleRow) float64 { return r.x }),
		Significant("short", "Value", 2, func(r sampleRow) float64 { return r.x }),
		Flag("valid", "Whether it is valid", "yes", func(r sampleRow) bool { return r.valid }),
	}), Text("note", "Note", Derived, func(p samplePart) string { return p.note }).WithOrigin(Assigned))
	rows := []samplePart{
		{sampleRow{"=a", 2, 1.2345, true}, "x, y"},
		{sampleRow{"b\nc", -1, math.NaN(), false}, ""},
		{sampleRow{"d", 0, math.Inf(1), false}, "-0.5"},
	}
	want := "name,n,x,fixed,short,valid,note\n" +
		"'=a,2,1.2345,1.23,1.2,yes,\"x, y\"\n" +
		"b c,,,,,,\n" +
		"d,0,,,,,-0.5\n"
	if got := string(Write(columns, rows)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = "column,label,type,unit,terms,derivation,origin\n" +
		"name,Name,text,,,,images\n" +
		"n,Number,integer,,,,derived\n" +
		"x,Value,number,ms,,'=x,derived\n" +
		"fixed,Value,number,,,,derived\n" +
		"short,Value,number,,,,derived\n" +
		"valid,Whether it is valid,text,,yes or empty,,derived\n" +
		"note,Note,text,,,,assigned\n"
	if got := string(NewSheet(columns, rows).DictionaryCSV()); got != want {
		t.Errorf("dictionary\n%s\nwant\n%s", got, want)
	}
}

func TestDigits(t *testing.T) {
	for x, want := range map[float64]string{37.74: "37.74", 0.1 + 0.2: "0.3", -4: "-4", 1e-7: "1e-07",
		math.Inf(-1): ""} {
		if got := Digits(x, 15); got != want {
			t.Errorf("%v is printed as %q, want %q", x, got, want)
		}
	}
	if got := Decimals(-0.5, 4); got != "-0.5000" {
		t.Errorf("a negative R² is printed as %q, want -0.5000", got)
	}
	if got := Decimals(math.NaN(), 2); got != "" {
		t.Errorf("NaN is printed as %q, want an empty cell", got)
	}
}
