package yamlfile

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The library converts every scalar to the type of the field: 1.5 to the whole number 1, 010 to 8, the text 1.0 to
// "1". Numbers must therefore have these forms of YAML 1.2 (10.3.2), without the leading zero that means octal in
// YAML 1.1, and texts get their written form.
var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	realNumber  = regexp.MustCompile(`^([-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?` +
		`|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

const (
	wantWhole = "a whole number in digits"
	wantReal  = "a number in digits"
	wantQuote = "a number without unnecessary signs and zeros, or a text in quotes"
)

// scalars compares decoded values with their nodes.
type scalars struct {
	anchors map[string]ast.Node
}

// checkScalars returns an error if a number in the text does not have the form of its type. It also sets the texts in
// the struct that target points to to their written form. The text has been decoded into this struct.
func checkScalars(text []byte, target any) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return described(err)
	}
	s := scalars{anchors: map[string]ast.Node{}}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		ast.Walk(s, doc.Body)
		if err := s.check(reflect.ValueOf(target), doc.Body); err != nil {
			return err
		}
	}
	return nil
}

// Visit records the anchors below a node.
func (s scalars) Visit(node ast.Node) ast.Visitor {
	if a, ok := node.(*ast.AnchorNode); ok {
		s.anchors[a.Name.GetToken().Value] = a.Value
	}
	return s
}

// content returns the node of a key or a value without its anchor or the question mark of a key. It resolves aliases.
func (s scalars) content(node ast.Node) ast.Node {
	for range maxAliases { // an alias may refer to another one
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.MappingKeyNode:
			node = n.Value
		case *ast.AliasNode:
			node = s.anchors[n.Value.GetToken().Value]
		default:
			return node
		}
	}
	return nil
}

// check compares a value with its node.
func (s scalars) check(v reflect.Value, node ast.Node) error {
	node = s.content(node)
	if node == nil || node.Type() == ast.NullType {
		return nil
	}
	if node.Type() == ast.TagType {
		return s.checkAny(node)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return s.check(v.Elem(), node)
	case reflect.Struct:
		return s.checkFields(v, node)
	case reflect.Slice, reflect.Array:
		list, ok := node.(*ast.SequenceNode)
		if !ok || v.Len() != len(list.Values) {
			return s.checkAny(node) // the pairs of a yaml.MapSlice
		}
		for n, item := range list.Values {
			if err := s.check(v.Index(n), item); err != nil {
				return err
			}
		}
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return checkForm(node, wholeNumber, wantWhole)
	case reflect.Float32, reflect.Float64:
		return checkForm(node, realNumber, wantReal)
	case reflect.String:
		switch node.Type() {
		case ast.IntegerType, ast.FloatType, ast.BoolType:
			v.SetString(node.GetToken().Value)
		}
		return nil
	}
	return s.checkAny(node)
}

// checkFields compares the fields of a struct with the pairs of a node, and of the nodes that a merge key (<<) adds.
func (s scalars) checkFields(v reflect.Value, node ast.Node) error {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		return nil
	}
	for pairs := mapping.MapRange(); pairs.Next(); {
		field := v
		if !pairs.Key().IsMergeKey() {
			key := s.content(pairs.Key())
			if key == nil {
				continue
			}
			if field, ok = fieldOf(v, key.GetToken().Value); !ok {
				continue
			}
		}
		if err := s.check(field, pairs.Value()); err != nil {
			return err
		}
	}
	return nil
}

// fieldOf returns the field of a struct for a key of YAML.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for n := range v.NumField() {
		f := v.Type().Field(n)
		if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); f.IsExported() && tag == key {
			return v.Field(n), true
		}
	}
	return reflect.Value{}, false
}

// checkForm returns an error if a number does not have the form.
func checkForm(node ast.Node, form *regexp.Regexp, want string) error {
	if t := node.GetToken(); !form.MatchString(t.Value) {
		return wanted(t, want)
	}
	return nil
}

// checkAny returns an error if a number in a node of any kind, as a value or a key, differs from its decoded form:
// 010 would become the label 8.
func (s scalars) checkAny(node ast.Node) error {
	switch n := s.content(node).(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			if err := s.checkAny(item); err != nil {
				return err
			}
		}
	case *ast.TagNode:
		t := n.GetToken()
		return problem(t, "the tag %.40q is not supported: write only the value", t.Value)
	case *ast.IntegerNode:
		if fmt.Sprint(n.Value) != n.GetToken().Value {
			return wanted(n.GetToken(), wantQuote)
		}
	case *ast.FloatNode:
		if fmt.Sprint(n.Value) != n.GetToken().Value {
			return wanted(n.GetToken(), wantQuote)
		}
	case ast.MapNode:
		for pairs := n.MapRange(); pairs.Next(); {
			if err := s.checkAny(pairs.Key()); err != nil {
				return err
			}
			if err := s.checkAny(pairs.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}
