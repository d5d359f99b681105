package yamlfile

import (
	"bytes"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// unknownKey returns the error of an unknown key at a token, with the keys that are known in its place.
func unknownKey(t *token.Token, text []byte, target any) error {
	e := &Error{}
	place(e, t, "unknown key %.40q", keyAt(t))
	if t.Type == token.MappingValueType && t.Prev != nil {
		t = t.Prev
	}
	e.Key = t.Value
	if file, err := parser.ParseBytes(text, 0); err == nil && len(file.Docs) > 0 {
		e.Known = knownAt(reflect.TypeOf(target), file.Docs[0].Body, t.Position)
	}
	return e
}

// knownAt returns the keys of the struct that is decoded from the pairs around a position.
func knownAt(kind reflect.Type, node ast.Node, p *token.Position) []string {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if list, ok := node.(*ast.SequenceNode); ok && kind.Kind() == reflect.Slice {
		for _, item := range list.Values {
			if known := knownAt(kind.Elem(), item, p); known != nil {
				return known
			}
		}
	}
	if kind.Kind() != reflect.Struct {
		return nil
	}
	for _, pair := range mapPairs(node) {
		key := pair.Key.GetToken()
		if key.Position.Line == p.Line && key.Position.Column == p.Column {
			return keysOf(kind)
		}
		for n := range kind.NumField() {
			if f := kind.Field(n); yamlKey(f) == key.Value {
				if known := knownAt(f.Type, pair.Value, p); known != nil {
					return known
				}
			}
		}
	}
	return nil
}

// keysOf returns the keys of a struct in the order of its fields.
func keysOf(kind reflect.Type) []string {
	var keys []string
	for n := range kind.NumField() {
		if key := yamlKey(kind.Field(n)); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// yamlKey returns the key of a field, "" if it has none.
func yamlKey(f reflect.StructField) string {
	if !f.IsExported() {
		return ""
	}
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}

// Position returns the line and the column of a key of the document, from 1; the path names the keys around it, from
// the outermost. Both are 0 if the document does not have the key.
func Position(text []byte, path ...string) (line, column int) {
	defer func() {
		if recover() != nil { // see Decode
			line, column = 0, 0
		}
	}()
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), 0)
	if err != nil || len(file.Docs) == 0 {
		return 0, 0
	}
	node := file.Docs[0].Body
	for _, name := range path {
		var next ast.Node
		for _, pair := range mapPairs(node) {
			if key := pair.Key.GetToken(); key.Value == name {
				next, line, column = pair.Value, key.Position.Line, key.Position.Column
			}
		}
		if next == nil {
			return 0, 0
		}
		node = next
	}
	return line, column
}
