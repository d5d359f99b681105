package protocol

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/t2map/t2map/t2fit"
)

// The keys of reads give these settings, and absent keys the defaults.
func TestReads(t *testing.T) {
	for text, want := range map[string]Reads{
		"name: x\n":                       {Use: ReadsAny, Readers: 1},
		"reads: {use: none}\n":            {Use: ReadsNone, Readers: 1},
		"reads: {repeats: 10 %}\n":        {Use: ReadsAny, Readers: 1, RepeatsPercent: 10},
		"reads: {repeats: \"12.5%\"}\n":   {Use: ReadsAny, Readers: 1, RepeatsPercent: 12.5},
		"reads: {repeats: 10}\n":          {Use: ReadsAny, Readers: 1, RepeatsPercent: 10},
		"reads: {repeats: 0}\n":           {Use: ReadsAny, Readers: 1},
		"reads: {rejections: [a, Ä b]}\n": {Use: ReadsAny, Readers: 1, Rejections: []string{"a", "Ä b"}},
		"reads: {use: adjudicated, readers: 3, max_wcv_percent: 2.5, min_dice: 0.8}\n": {Use: ReadsAdjudicated,
			Readers: 3, MaxWCVPercent: 2.5, MinDice: 0.8},
	} {
		p, err := readProtocolText(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.Reads.WithDefaults(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// With a list of reasons, a study is rejected for one of them; without, for any text.
func TestRejections(t *testing.T) {
	listed := Reads{Rejections: []string{"motion", "wrong knee"}}
	for _, c := range []struct {
		reads  Reads
		reason string
		want   bool
	}{{listed, "motion", true}, {listed, "Motion", false}, {listed, "", false}, {Reads{}, "fat shift", true}, {Reads{}, " ", false}} {
		if got := c.reads.Rejects(c.reason); got != c.want {
			t.Errorf("%q of %q: %v", c.reason, c.reads.Rejections, got)
		}
	}
}

// How studies are read changes no value that a mask gives: neither the record nor its hash.
func TestReadsAreNotRecorded(t *testing.T) {
	plain, err := readProtocolText(t, "name: x\n")
	if err != nil {
		t.Fatal(err)
	}
	read, err := readProtocolText(t, "name: x\nreads: {use: signed, repeats: 10 %, readers: 2, min_dice: 0.9}\n")
	if err != nil {
		t.Fatal(err)
	}
	fit, err := (t2fit.Options{}).Resolve()
	if err != nil {
		t.Fatal(err)
	}
	a, errA := json.Marshal(plain.Record(fit))
	b, errB := json.Marshal(read.Record(fit))
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("%s\n%s\n%v, %v", a, b, errA, errB)
	}
}
