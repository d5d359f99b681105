package report

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// docs/results.md has every key of a registration, in the table of the registration.
func TestKeysOfRegistration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "results.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n### registration\n")
	if section, _, _ = strings.Cut(section, "\n#"); !found {
		t.Fatal("no section of the registration")
	}
	kind := reflect.TypeFor[Registration]()
	for n := range kind.NumField() {
		if key, _, _ := strings.Cut(kind.Field(n).Tag.Get("json"), ","); !strings.Contains(section, "`"+key+"`") {
			t.Errorf("%s is missing", key)
		}
	}
}
