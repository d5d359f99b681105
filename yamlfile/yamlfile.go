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
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/t2map/t2map/printable"
)

// ErrEmpty reports that a text holds nothing but comments.
var ErrEmpty = errors.New("empty")

// ErrEncoding reports that a text is in UTF-16 or UTF-32, or is not a text.
var ErrEncoding = errors.New("the text is not UTF-8")

// Decode reads the one document of the text into the struct that into points to, and
// refuses keys that it does not have.
//
// A text is taken as it is written: 1.0 is "1.0". A number is written in decimal digits: 1.5, 1e3, 0x10 and 010
// are not whole numbers.
//
// Errors are one line, without control characters: ErrEmpty where the text holds nothing, ErrEncoding,
// what is not YAML, a key that is not known or stands twice, a value of another kind, a tag such as !!int, a
// second document, a text beyond the bounds: 128 KiB, 4,096 lines, 32 levels, 16 aliases.
func Decode(text []byte, into any) (err error) {
	defer func() {
		// The library panics on some texts that are not YAML, which fuzzing found.
		if recover() != nil {
			err = errors.New("not YAML, or a part of YAML that is not read")
		}
	}()
	if err := checkBounds(text); err != nil {
		return err
	}
	// UTF-16 and UTF-32 have zeros, or begin with a byte-order mark (Unicode 23.8).
	if bytes.ContainsRune(text, 0) || bytes.HasPrefix(text, []byte("\xff\xfe")) ||
		bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return ErrEncoding
	}
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
	if err := checkScalars(text, into); err != nil {
		return inWords(err)
	}
	return nil
}

// inWords says an error of the library on one line that is safe to print. It is not
// wrapped: its own text repeats the file over several lines.
func inWords(err error) error { return errors.New(printable.Line(describe(err))) }

func describe(err error) string {
	var kind *yaml.TypeError
	var large *yaml.OverflowError
	var node *yaml.UnexpectedNodeTypeError
	var unknown *yaml.UnknownFieldError
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &kind):
		return wanted(kind.Token, name(kind.DstType))
	case errors.As(err, &large):
		return wanted(large.Token, name(large.DstType))
	case errors.As(err, &node):
		return wanted(node.Token, nameOfNode(node.Expected))
	case errors.As(err, &unknown) && unknown.Token != nil:
		return fmt.Sprintf("line %d: unknown key %.40q", unknown.Token.Position.Line, keyAt(unknown.Token))
	case errors.As(err, &syntax) && syntax.Token != nil:
		return fmt.Sprintf(
			"line %d: %s", syntax.Token.Position.Line, positions.ReplaceAllString(syntax.Message, "line $1"),
		)
	}
	return strings.TrimSpace(yaml.FormatError(err, false, false))
}

// positions are lines and columns as the library writes them within a message.
var positions = regexp.MustCompile(`\[(\d+):\d+\]`)

// keyAt returns the key that a token is of: the token, or the one before its colon.
func keyAt(t *token.Token) string {
	if t.Type == token.MappingValueType && t.Prev != nil {
		t = t.Prev
	}
	return t.Value
}

// wanted says which line holds a value of another kind than is wanted.
func wanted(t *token.Token, kind string) string {
	if t == nil {
		return "a value is not " + kind
	}
	if key := keyOf(t); key != "" {
		return fmt.Sprintf("line %d: %s: %.40q, want %s", t.Position.Line, key, t.Value, kind)
	}
	return fmt.Sprintf("line %d: %.40q, want %s", t.Position.Line, t.Value, kind)
}

// keyOf returns the key that the value at a token stands under, or "": that of the
// innermost block or braces around it. A token in a list is its list's key's, and a key has none.
func keyOf(value *token.Token) string {
	if value.Next != nil && value.Next.Type == token.MappingValueType {
		return ""
	}
	depth := 0
	for t := value.Prev; t != nil; t = t.Prev {
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
