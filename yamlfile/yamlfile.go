// Package yamlfile reads the YAML files that people write for t2map, protocols and label schemes. Its errors name the
// line, the key and the expected kind of value instead of Go types.
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

// ErrEmpty reports that a text is empty except for comments.
var ErrEmpty = errors.New("empty")

// ErrEncoding reports that a text is in UTF-16 or UTF-32, or that a file is not a text.
var ErrEncoding = errors.New("the text is not UTF-8")

// Decode reads the only document of the text into the struct that target points to.
//
// A text in the document keeps its written form: 1.0 is "1.0". A number has decimal digits: 1.5, 1e3, 0x10 and 010
// are not whole numbers.
//
// Errors are one line without control characters; those with a place are of type Error. They are ErrEmpty,
// ErrEncoding, invalid YAML, a key that is unknown or appears twice, a value of another kind, a tag such as !!int, a
// second document, and a text that exceeds 128 KiB, 4,096 lines, 32 levels or 16 aliases.
func Decode(text []byte, target any) (err error) {
	defer func() {
		// Fuzzing has found that the library panics on some texts that are not YAML.
		if recover() != nil {
			err = errors.New("not YAML, or a part of YAML that is not supported")
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
	switch err := dec.Decode(target); {
	case errors.Is(err, io.EOF):
		return ErrEmpty
	case err != nil:
		if unknown := new(yaml.UnknownFieldError); errors.As(err, &unknown) && unknown.Token != nil {
			return unknownKey(unknown.Token, text, target)
		}
		return described(err)
	}
	if !errors.Is(dec.Decode(new(any)), io.EOF) {
		return errors.New("more than one YAML document")
	}
	return checkScalars(text, target)
}

// Error is a problem of a text and its place.
type Error struct {
	// Problem is one line that is safe to print.
	Problem string
	// Line and Column count from 1; 0 if they are not known.
	Line, Column int
	// Key is the unknown key, if that is the problem, and Known are the keys that are known in its place.
	Key   string
	Known []string
}

// Error returns the problem after its line.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// problem returns an error at a token, which may be nil.
func problem(t *token.Token, format string, a ...any) error {
	e := &Error{}
	place(e, t, format, a...)
	return e
}

// place sets the problem of an error and the place of a token, which may be nil.
func place(e *Error, t *token.Token, format string, a ...any) {
	e.Problem = printable.Line(fmt.Sprintf(format, a...))
	if t != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
}

// described converts an error of the library. It does not wrap the error, whose own text repeats several lines of the
// file.
func described(err error) error {
	var kind *yaml.TypeError
	var large *yaml.OverflowError
	var node *yaml.UnexpectedNodeTypeError
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &kind):
		return wanted(kind.Token, name(kind.DstType))
	case errors.As(err, &large):
		return wanted(large.Token, name(large.DstType))
	case errors.As(err, &node):
		return wanted(node.Token, nameOfNode(node.Expected))
	case errors.As(err, &syntax) && syntax.Token != nil:
		return problem(syntax.Token, "%s", positions.ReplaceAllString(syntax.Message, "line $1"))
	}
	return problem(nil, "%s", strings.TrimSpace(yaml.FormatError(err, false, false)))
}

// positions matches lines and columns in a message of the library.
var positions = regexp.MustCompile(`\[(\d+):\d+\]`)

// keyAt returns the key at a token, which is the key itself or its colon.
func keyAt(t *token.Token) string {
	if t.Type == token.MappingValueType && t.Prev != nil {
		t = t.Prev
	}
	return t.Value
}

// wanted returns the error of a value of another kind.
func wanted(t *token.Token, kind string) error {
	if t == nil {
		return problem(nil, "a value is not %s", kind)
	}
	if key := keyOf(t); key != "" {
		return problem(t, "%s: %.40q, want %s", key, t.Value, kind)
	}
	return problem(t, "%.40q, want %s", t.Value, kind)
}

// keyOf returns the key of the value at a token: that of the innermost block or braces around it, or for a token in a
// list the key of the list. It returns "" for a key and for a value without a key.
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

// Descriptions of values that contain others.
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

// name describes the YAML value of a Go type.
func name(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0"
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
