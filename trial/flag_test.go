package trial

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupFlags(t *testing.T) {
	upgrade := func(subject, visit string) Flag {
		return Flag{Kind: ScannerChange, Subject: subject, Visit: visit, Text: "scanner: b; at v0: a"}
	}
	got := GroupFlags([]Flag{upgrade("S1", "v1"), {Kind: NoResult, Subject: "S1", Visit: "v1", Text: "no study"},
		upgrade("S3", "v1"), upgrade("S1", "v2"), upgrade("S1", "v1")})
	want := []FlagGroup{
		{upgrade("S1", "v1"), []string{"S1", "S3"}},
		{Flag{Kind: NoResult, Subject: "S1", Visit: "v1", Text: "no study"}, []string{"S1"}},
		{upgrade("S1", "v2"), []string{"S1"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
