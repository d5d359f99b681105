package figures

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/t2map/t2map/figure"
	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/repeat"
)

// repeats makes up scans and rescans of n knees.
func repeats(n int, compartments ...string) []trial.Measurement {
	rng := rand.New(rand.NewPCG(4, 4))
	var rows []trial.Measurement
	for knee := range n {
		for _, c := range compartments {
			truth := 36 + 3*rng.NormFloat64()
			for _, v := range []string{"scan", "rescan"} {
				rows = append(rows, trial.Measurement{Subject: fmt.Sprintf("S%02d", knee+1), Visit: v, Side: "left",
					Compartment: c, T2: truth + 0.8*rng.NormFloat64()})
			}
		}
	}
	return rows
}

// agreementOf draws the pairs of rows.
func agreementOf(t *testing.T, rows []trial.Measurement) []figure.Picture {
	t.Helper()
	s, err := repeat.Pair(rows, nil, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := BlandAltman(s)
	if err != nil {
		t.Fatal(err)
	}
	return pictures
}

func TestBlandAltman(t *testing.T) {
	if !testing.Short() {
		allFiles(t)
	}
	a := agreementOf(t, repeats(14, "medial", "lateral", "patellofemoral"))
	b := agreementOf(t, repeats(14, "medial", "lateral", "patellofemoral"))
	look(t, "bland-altman", a)
	if len(a) != 1 || a[0].Name != "bland-altman" {
		t.Fatalf("%d pictures", len(a))
	}
	if !bytes.Equal(a[0].SVG, b[0].SVG) || !bytes.Equal(a[0].PNG, b[0].PNG) || !bytes.Equal(a[0].PDF, b[0].PDF) {
		t.Error("the same pairs give other bytes")
	}
	for _, w := range []string{"Patellofemoral", "rescan − scan (ms)", "n = 14, bias ", "limits of agreement"} {
		if !strings.Contains(string(a[0].SVG), w) {
			t.Errorf("the picture has no %q", w)
		}
	}
}

// TestBlandAltmanHostile: studies with hardly any data, or with unusual names, are drawn.
func TestBlandAltmanHostile(t *testing.T) {
	one := repeats(1, "medial")
	same := repeats(3, "medial")
	for i := range same {
		same[i].T2 = 38
	}
	far := repeats(5, "medial", "lateral")
	far[0].T2 = 1e90
	alone := append(repeats(4, "medial"),
		trial.Measurement{Subject: "S99", Visit: "scan", Compartment: "lateral", T2: 30})
	var many []string
	for i := range 12 {
		many = append(many, fmt.Sprintf("region %d", i+1))
	}
	named := repeats(4, "<script>alert(1)</script>", "\x00\u202e\xff"+strings.Repeat("long ", 400), "")
	for i := range named {
		named[i].Visit = strings.Repeat("<b>&\u202e", 50) + named[i].Visit
	}
	for _, c := range []struct {
		name string
		rows []trial.Measurement
		n    int
	}{{"one pair", one, 1}, {"two pairs", repeats(2, "medial"), 1}, {"all the same", same, 1}, {"far", far, 1},
		{"no pair", alone, 1}, {"twelve", repeats(6, many...), 2}, {"names", named, 1}} {
		t.Run(c.name, func(t *testing.T) {
			pictures := agreementOf(t, c.rows)
			look(t, "bland-altman "+c.name, pictures)
			if len(pictures) != c.n {
				t.Errorf("%d pictures, want %d", len(pictures), c.n)
			}
			for _, p := range pictures {
				d := xml.NewDecoder(bytes.NewReader(p.SVG))
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if bytes.Contains(p.SVG, []byte("<script")) || bytes.Contains(p.SVG, []byte("NaN")) {
					t.Error("the SVG holds what it must not")
				}
			}
		})
	}
}
