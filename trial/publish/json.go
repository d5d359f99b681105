package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// schema names the format of trial.json. Its number increases if a key is removed or changes its meaning,
// not if a key is added.
const (
	schemaName = "t2map-trial/"
	schema     = schemaName + "3"
)

// document is trial.json.
type document struct {
	Schema         string
	Pictures, Maps []string
	trial.Analysis
}

// encode returns trial.json: the analysis with unrounded numbers, null for absent numbers, and enumerations
// as words. Arms, visits and flags are indices from 0. The keys are the names of the fields, as in n_reference.
func encode(a *trial.Analysis, pictures, maps []string) ([]byte, error) {
	var compact, b bytes.Buffer
	w := jsonWriter{Buffer: &compact, scalars: json.NewEncoder(&compact)}
	w.scalars.SetEscapeHTML(false)
	if err := w.write(reflect.ValueOf(document{schema, pictures, maps, *a})); err != nil {
		return nil, err
	}
	compact.WriteString("\n")
	err := json.Indent(&b, compact.Bytes(), "", " ")
	return b.Bytes(), err
}

// jsonWriter writes values as JSON. encoding/json has neither absent numbers nor words for enumerations.
type jsonWriter struct {
	*bytes.Buffer
	scalars *json.Encoder
}

// word returns the word of an enumeration or of a term; ok is false for other values.
func word(v reflect.Value) (text string, ok bool) {
	switch x := v.Interface().(type) {
	case trial.Direction:
		return directionName(x), true
	case trial.Verdict:
		if x == trial.NoVerdict {
			return "none", true
		}
		return verdictName(x), true
	case trial.SensitivityKind:
		return sensitivityName(x), true
	case mmrm.DF:
		return dfTerm(x), true
	case trial.Term:
		return x.String(), true
	case fmt.Stringer:
		return x.String(), v.CanInt()
	}
	return "", false
}

func (w jsonWriter) write(v reflect.Value) error {
	if text, ok := word(v); ok {
		return w.scalars.Encode(text)
	}
	switch v.Kind() {
	case reflect.Float64:
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			w.WriteString("null")
			return nil
		}
	case reflect.Slice, reflect.Array:
		return w.list('[', ']', v.Len(), func(i int) error { return w.write(v.Index(i)) })
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		return w.list('{', '}', len(keys), func(i int) error { return w.member(keys[i].String(), v.MapIndex(keys[i])) })
	case reflect.Pointer:
		if !v.IsNil() {
			return w.write(v.Elem())
		}
	case reflect.Struct:
		fields := members(v)
		return w.list('{', '}', len(fields), func(i int) error { return w.member(fields[i].key, fields[i].value) })
	}
	return w.scalars.Encode(v.Interface())
}

// list writes n items between brackets.
func (w jsonWriter) list(open, end byte, n int, item func(i int) error) error {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteByte(',')
		}
		if err := item(i); err != nil {
			return err
		}
	}
	w.WriteByte(end)
	return nil
}

func (w jsonWriter) member(key string, v reflect.Value) error {
	if err := w.scalars.Encode(key); err != nil {
		return err
	}
	w.WriteByte(':')
	return w.write(v)
}

type member struct {
	key   string
	value reflect.Value
}

// omittedTypes are the types whose zero values are omitted: reasons of values that exist, and excesses of flags
// of other kinds.
var omittedTypes = []reflect.Type{reflect.TypeFor[trial.Missing](), reflect.TypeFor[trial.Excess]()}

// members returns the fields of a struct, with those of embedded structs. A reason of a value that exists, and
// what a reason does not have, are omitted.
func members(v reflect.Value) []member {
	var all []member
	_, isReason := v.Interface().(trial.Missing)
	for i := range v.NumField() {
		field, x := v.Type().Field(i), v.Field(i)
		switch {
		case field.Anonymous && x.Kind() == reflect.Struct:
			all = append(all, members(x)...)
		case !field.IsExported() || x.IsZero() && (isReason || slices.Contains(omittedTypes, x.Type())):
		default:
			all = append(all, member{keyOf(field.Name), x})
		}
	}
	return all
}

// keyOf returns the name of a field as a key: NReference is n_reference, LSMeans is ls_means.
func keyOf(name string) string {
	letters := []rune(strings.ReplaceAll(name, "CVs", "Cvs"))
	var b strings.Builder
	for i, r := range letters {
		follows := i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(letters[i-1]) ||
			i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if follows {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// listOf converts a list.
func listOf[T, U any](list []T, convert func(T) U) []U {
	out := make([]U, len(list))
	for i, x := range list {
		out[i] = convert(x)
	}
	return out
}
