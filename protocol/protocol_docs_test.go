package protocol

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every key of a protocol has a row in a table of its page.
func TestProtocolKeysAreDocumented(t *testing.T) {
	for _, group := range []struct {
		page string
		keys reflect.Type
	}{
		{"protocol.md", reflect.TypeFor[protocolFile]()}, {"protocol.md", reflect.TypeFor[SeriesRule]()},
		{"segmenter.md", reflect.TypeFor[segmentFile]()}, {"protocol.md", reflect.TypeFor[Acquisition]()},
		{"protocol.md", reflect.TypeFor[Quality]()},
	} {
		text, err := os.ReadFile("../docs/" + group.page)
		if err != nil {
			t.Fatal(err)
		}
		for n := range group.keys.NumField() {
			key := group.keys.Field(n).Tag.Get("yaml")
			if key != "" && !strings.Contains(string(text), "\n| `"+key+"` |") {
				t.Errorf("docs/%s does not list the key %s", group.page, key)
			}
		}
	}
}

// Keys has the keys of a file, in all levels that a file explains.
func TestKeysAreComplete(t *testing.T) {
	var compare func(place string, keys []Key, kind reflect.Type)
	compare = func(place string, keys []Key, kind reflect.Type) {
		var names []string
		for _, k := range keys {
			names = append(names, k.Name)
			if (k.Form == "") != (k.Keys != nil) || k.Meaning == "" {
				t.Errorf("%s%s: %+v", place, k.Name, k)
			}
		}
		for n := range kind.NumField() {
			field := kind.Field(n)
			name := field.Tag.Get("yaml")
			index := slices.Index(names, name)
			if name == "" || name == "quantity" && place == "anatomy: " { // which applies only to series
				continue
			}
			if index < 0 {
				t.Errorf("%s%s is not in Keys", place, name)
				continue
			}
			names[index] = ""
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if keys[index].Keys != nil {
				compare(name+": ", keys[index].Keys, inner)
			}
		}
		for _, name := range names {
			if name != "" {
				t.Errorf("%s%s is not a key", place, name)
			}
		}
	}
	compare("", Keys, reflect.TypeFor[protocolFile]())
}
