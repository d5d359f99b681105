package batch

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// Every key of a protocol has a row in the table of docs/protocol.md.
func TestProtocolKeysAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []reflect.Type{reflect.TypeFor[protocolFile](), reflect.TypeFor[SeriesRule]()} {
		for n := range group.NumField() {
			key := group.Field(n).Tag.Get("yaml")
			if key != "" && !strings.Contains(string(text), "\n| `"+key+"` |") {
				t.Errorf("docs/protocol.md does not list the key %s", key)
			}
		}
	}
}
