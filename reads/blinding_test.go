package reads

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// kneesOf returns the keys of n studies.
func kneesOf(n int) []Key {
	var all []Key
	for i := range n {
		all = append(all, Key{Study: fmt.Sprintf("%012x", 7919*i+1), Series: fmt.Sprintf("%012x", 104729*i+2)})
	}
	return all
}

func cases(t *testing.T, b Blinding, reader string, studies []Key) []Case {
	t.Helper()
	all, err := b.Cases(reader, studies)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Each study comes once, a part of them twice, far apart, under codes that say nothing; the same seed gives the same.
func TestCases(t *testing.T) {
	studies := kneesOf(203)
	b := NewBlinding(0.1)
	all := cases(t, b, "R1", studies)
	reversed := slices.Clone(studies)
	slices.Reverse(reversed)
	if again := cases(t, b, "R1", reversed); !slices.Equal(again, all) {
		t.Error("the cases depend on the order of the studies")
	}
	place, codes := map[Key]int{}, map[string]bool{}
	for n, c := range all {
		place[c.Key] = n
		if codes[c.Code] || len(c.Code) != codeLength || strings.Contains(strings.ToLower(c.Key.String()), strings.ToLower(c.Code)) {
			t.Errorf("code %s of %s", c.Code, c.Key)
		}
		codes[c.Code] = true
	}
	repeats := 0
	for _, k := range studies {
		first, known := place[k]
		k.Repeat = 1
		second, isRepeated := place[k]
		if !known {
			t.Errorf("%s is missing", k)
		}
		if isRepeated {
			repeats++
			if second-first <= len(studies)/6 { // a quarter in the mean
				t.Errorf("%s comes at %d and at %d", k, first, second)
			}
		}
	}
	// 102 studies in the first half, 20 % of them: 20 ± 4.
	if repeats < 5 || repeats > 40 || len(all) != len(studies)+repeats {
		t.Errorf("%d repeats of %d cases", repeats, len(all))
	}
	for name, other := range map[string][]Case{"another reader": cases(t, b, "R2", studies),
		"another seed": cases(t, NewBlinding(0.1), "R1", studies)} {
		same := 0
		for n := range min(len(all), len(other)) {
			if other[n].Code == all[n].Code || other[n].Key == all[n].Key {
				same++
			}
		}
		if same > 12 { // one is expected
			t.Errorf("%s: %d cases are in the same place", name, same)
		}
	}
}

// Studies that are added change no code and no repeat, and not the order of the others.
func TestCasesOfAGrowingTrial(t *testing.T) {
	b, studies := NewBlinding(0.3), kneesOf(100)
	before := cases(t, b, "R1", studies[:60])
	kept := slices.DeleteFunc(cases(t, b, "R1", studies), func(c Case) bool {
		c.Key.Repeat = 0
		return !slices.Contains(studies[:60], c.Key)
	})
	if !slices.Equal(before, kept) {
		t.Error("the cases have changed")
	}
}

// The fraction of repeats is right in the mean, and 0 for few studies, which would be recognised.
func TestRepeats(t *testing.T) {
	const rounds = 300
	studies, sum := kneesOf(100), 0
	for range rounds {
		sum += len(cases(t, NewBlinding(0.1), "R1", studies)) - len(studies)
	}
	// The standard deviation of the mean of 300 is 0.17.
	if mean := float64(sum) / rounds; math.Abs(mean-10) > 1 {
		t.Errorf("%.2f repeats of 100 studies, want 10", mean)
	}
	for n := range fewest {
		if all := cases(t, NewBlinding(0.5), "R1", kneesOf(n)); len(all) != n {
			t.Errorf("%d cases of %d studies", len(all), n)
		}
	}
}

// The order has no relation to the studies: each study is equally often at each place.
func TestOrderIsRandom(t *testing.T) {
	const n, rounds = 6, 6000
	studies := kneesOf(n)
	var counts [n][n]float64
	for range rounds {
		for place, c := range cases(t, NewBlinding(0), "R1", studies) {
			counts[slices.Index(studies, c.Key)][place]++
		}
	}
	chi2 := 0.0
	for _, row := range counts {
		for _, count := range row {
			chi2 += math.Pow(count-rounds/n, 2) / (rounds / n)
		}
	}
	// 25 degrees of freedom: above 70 once in 10^5 tests.
	if chi2 > 70 {
		t.Errorf("χ² = %.1f: %v", chi2, counts)
	}
}

// What is not valid is refused.
func TestInvalidBlinding(t *testing.T) {
	good, studies := NewBlinding(0.1), kneesOf(3)
	for name, c := range map[string]struct {
		b       Blinding
		reader  string
		studies []Key
	}{
		"no seed":        {Blinding{Repeats: 0.1}, "R1", studies},
		"a short seed":   {Blinding{Seed: "00ff"}, "R1", studies},
		"repeats":        {Blinding{good.Seed, 0.6}, "R1", studies},
		"negative":       {Blinding{good.Seed, -0.1}, "R1", studies},
		"not a number":   {Blinding{good.Seed, math.NaN()}, "R1", studies},
		"a reader":       {good, "../R1", studies},
		"a key":          {good, "R1", []Key{{}}},
		"a repeat twice": {good, "R1", []Key{{studies[0].Study, studies[0].Series, 1}}},
	} {
		if _, err := c.b.Cases(c.reader, c.studies); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if all := cases(t, good, "R1", append(kneesOf(4), kneesOf(4)...)); len(all) != 4 {
		t.Errorf("studies that are given twice: %d cases", len(all))
	}
	sum, err := good.Commitment()
	other, otherErr := Blinding{good.Seed, 0.2}.Commitment()
	if err != nil || otherErr != nil || len(sum) != 64 || sum == good.Seed || sum == other {
		t.Errorf("%s, %s, %v", sum, other, err)
	}
	if _, err := (Blinding{}).Commitment(); err == nil {
		t.Error("a commitment to nothing")
	}
}
