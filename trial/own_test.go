package trial

import (
	"strings"
	"testing"

	"github.com/t2map/t2map/hint"
)

// The hint for a table of t2map's own never names a flag that is not applied to it.
func TestOwnTablesResaved(t *testing.T) {
	const columns = "subject,visit,compartment,mean_t2_ms\n"
	for name, text := range map[string]string{
		"semicolons":     "subject;visit;compartment;mean_t2_ms\nS1;a;medial;38,5\n",
		"decimal commas": columns + "S1,a,medial,\"38,5\"\n",
		"windows-1252":   columns + "S\xe91,a,medial,38.5\n",
		"a workbook":     "PK\x03\x04",
		"UTF-16":         "\x00s" + columns,
		"unquoted":       columns + "S1,a,medial,38,5\n",
		"quotes":         columns + "S1,a,\"medial,38,5\n",
	} {
		_, err := ReadResults(Source{Name: "compartments.csv", Data: []byte(text), MadeBy: "t2map run"}, Source{}, Plan{})
		advice := hint.Find(err)
		if err == nil || !strings.Contains(advice, "make it again") || !strings.Contains(advice, "'t2map run'") ||
			strings.Contains(advice, "--") {
			t.Errorf("%s: %v, hint %q", name, err, advice)
		}
	}
}

func TestIsResults(t *testing.T) {
	for text, want := range map[string]bool{
		"subject,visit,compartment,mean_t2_ms\n": true,
		"subject,arm\n":                          false,
		"PK\x03\x04":                             false,
	} {
		if got := IsResults(Source{Data: []byte(text)}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
