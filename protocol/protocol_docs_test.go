package protocol

import (
	"os"
	"reflect"
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
		{"segmenter.md", reflect.TypeFor[segmentFile]()},
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
