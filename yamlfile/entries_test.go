package yamlfile

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestEntries(t *testing.T) {
	got, err := Entries([]byte("# a plan\ntrial: \"TRIAL: 7\"\nvisits: {baseline: 0, month03: 3}\n" +
		"visits[T2]:\n  baseline: 0\n  month12: 12\nprimary: [medial@month12, WOMAC@month12]\nscreened: 40\n" +
		"covariates:\n  - site\n  - age\nestimand: >\n  treatment\n  policy\nrows:\n"))
	want := []Entry{
		{"trial", "TRIAL: 7", 2, 1}, {"visits", "baseline=0, month03=3", 3, 1},
		{"visits[T2]", "baseline=0, month12=12", 4, 1}, {"primary", "medial@month12, WOMAC@month12", 7, 1},
		{"screened", "40", 8, 1}, {"covariates", "site, age", 9, 1}, {"estimand", "treatment policy", 12, 1},
		{"rows", "", 15, 1},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Entries([]byte("# nothing\n")); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for text, problem := range map[string]string{
		"a: 1\na: 2": "line 2", "a: [[1]]": "an item is not a text", "a: [\"1, 2\"]": "has a comma", "- a": "want",
		"a: {b: {c: 1}}": "an item is not a text", "a: 1\n---\nb: 2": "more than one", "a": "want", "a: *b": "b",
		"a: &x {b: 1}\nc: *x": "line 1: a: anchors and aliases",
	} {
		if text == "a: 1\na: 2" {
			var place *Error
			if _, err := Entries([]byte(text)); !errors.As(err, &place) || place.Line != 2 || place.Column != 1 {
				t.Errorf("%q: the place of %v", text, err)
			}
		}
		if _, err := Entries([]byte(text)); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
