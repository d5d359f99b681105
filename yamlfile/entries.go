package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Entry is a key of a document with its value as a text.
type Entry struct {
	Key string
	// Text is a scalar as it is written, the items of a list as "a, b", or those of a map as "a=0, b=3".
	Text string
	// Line and Column of the key, from 1.
	Line, Column int
}

// Entries returns the keys of a document that is one map, in their order, with texts as values.
//
// Errors are those of Decode, except for an empty text, which has no entries. It is also an error if an item
// of a list or a map is not a scalar, or has a comma.
func Entries(text []byte) (entries []Entry, err error) {
	var document map[string]any
	if err := Decode(text, &document); errors.Is(err, ErrEmpty) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		return nil, described(err)
	}
	for _, pair := range mapPairs(file.Docs[0].Body) {
		position := pair.Key.GetToken().Position
		e := Entry{Key: scalarText(pair.Key), Line: position.Line, Column: position.Column}
		if e.Text, err = flat(pair.Value); err != nil {
			return nil, problem(pair.Key.GetToken(), "%s: %v", e.Key, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// mapPairs returns the pairs of a map; nil for other nodes.
func mapPairs(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// flat returns the text of a scalar, a list of scalars or a map of scalars.
func flat(node ast.Node) (string, error) {
	if list, ok := node.(*ast.SequenceNode); ok {
		var items []string
		for _, n := range list.Values {
			item, err := plainItem(n)
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return strings.Join(items, ", "), nil
	}
	if all := mapPairs(node); all != nil {
		var items []string
		for _, p := range all {
			item, err := plainItem(p.Value)
			if err != nil {
				return "", err
			}
			items = append(items, scalarText(p.Key)+"="+item)
		}
		return strings.Join(items, ", "), nil
	}
	return plainText(node)
}

// plainText returns the text of a scalar.
func plainText(node ast.Node) (string, error) {
	switch node.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		return "", errors.New("anchors and aliases are not supported")
	}
	return scalarText(node), nil
}

// plainItem returns the text of a scalar that can stand in a list.
func plainItem(node ast.Node) (string, error) {
	if _, ok := node.(ast.ScalarNode); !ok {
		return "", errors.New("an item is not a text or a number")
	}
	text, err := plainText(node)
	if err != nil {
		return "", err
	}
	if strings.Contains(text, ",") {
		return "", fmt.Errorf("the item %.40q has a comma", text)
	}
	return text, nil
}

// scalarText returns a scalar as it is written, without quotation marks; empty for null.
func scalarText(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value)
	case *ast.NullNode:
		return ""
	}
	return strings.TrimSpace(node.GetToken().Value)
}
