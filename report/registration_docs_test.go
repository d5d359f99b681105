package report

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// docs/results.md has every key of a registration, in the row of the registration.
func TestKeysOfRegistration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "results.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, row, found := strings.Cut(string(text), "\n| registration |")
	if row, _, _ = strings.Cut(row, "\n"); !found {
		t.Fatal("no row of the registration")
	}
	kind := reflect.TypeFor[Registration]()
	for n := range kind.NumField() {
		if key, _, _ := strings.Cut(kind.Field(n).Tag.Get("json"), ","); !strings.Contains(row, "`"+key+"`") {
			t.Errorf("%s is missing", key)
		}
	}
}
