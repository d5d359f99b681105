// Package yamlfile reads the YAML files that people write for t2map, protocols and
// label schemes, and says what is wrong with one in their words: the line, the key and
// what is wanted, not the names of Go's types.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ErrEmpty says that a text holds nothing but comments.
var ErrEmpty = errors.New("empty")

// Decode reads the one document of the text into the struct that into points to, and
// refuses keys that it does not have.
//
// Errors are one line: ErrEmpty where the text holds nothing, what is no YAML, a key that
// is not known or stands twice, a value of another kind, a second document.
func Decode(text []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	switch err := dec.Decode(into); {
	case errors.Is(err, io.EOF):
		return ErrEmpty
	case err != nil:
		return inWords(err)
	}
	if !errors.Is(dec.Decode(new(any)), io.EOF) {
		return errors.New("more than one YAML document")
	}
	return nil
}

// inWords says an error of the library. It is not wrapped: its own text repeats the
// file over several lines.
func inWords(err error) error {
	var kind *yaml.TypeError
	var large *yaml.OverflowError
	var node *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &kind):
		return wanted(kind.Token, name(kind.DstType))
	case errors.As(err, &large):
		return wanted(large.Token, name(large.DstType))
	case errors.As(err, &node):
		return wanted(node.Token, nameOfNode(node.Expected))
	}
	return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
}

// wanted says which line holds a value of another kind than is wanted.
func wanted(at *token.Token, kind string) error {
	if at == nil {
		return fmt.Errorf("a value is not %s", kind)
	}
	if key := keyOf(at); key != "" {
		return fmt.Errorf("line %d: %s: %.40q, want %s", at.Position.Line, key, at.Value, kind)
	}
	return fmt.Errorf("line %d: %.40q, want %s", at.Position.Line, at.Value, kind)
}

// keyOf returns the key that the value at a token stands under, or "": that of the
// innermost block or braces around it. A token in a list is its list's key's.
func keyOf(at *token.Token) string {
	depth := 0
	for t := at.Prev; t != nil; t = t.Prev {
		switch t.Type {
		case token.SequenceEndType, token.MappingEndType:
			depth++
		case token.SequenceStartType, token.MappingStartType:
			depth = max(depth-1, 0)
		case token.MappingValueType:
			if depth == 0 && t.Prev != nil {
				return t.Prev.Value
			}
		}
	}
	return ""
}

// Words for values that hold others.
const (
	aList = "a list, such as [a, b]"
	pairs = "keys and values, such as {a: b}"
)

func nameOfNode(t ast.NodeType) string {
	switch t {
	case ast.SequenceType:
		return aList
	case ast.MappingType, ast.MappingValueType:
		return pairs
	}
	return "a " + t.YAMLName()
}

// name says a kind of value as YAML has it.
func name(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		if kind == reflect.TypeFor[yaml.MapSlice]() {
			return pairs
		}
		return aList
	case reflect.Struct, reflect.Map:
		return pairs
	case reflect.Pointer:
		return name(kind.Elem())
	}
	return "something else"
}
