package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/t2map/t2map/trial"
	"github.com/t2map/t2map/trial/mmrm"
)

// schema names the form of trial.json. It changes when a field changes its meaning or goes;
// fields may be added without.
const (
	schemaName = "t2map-trial/"
	schema     = schemaName + "1"
)

// encode returns the analysis as JSON: names in snake case in the order of the types,
// numbers as short as they can be read back to the same bits, those that are absent null,
// flags and enumerations in words. Before it stand the schema and the names of the pictures and
// of the maps.
func encode(a trial.Analysis, pictures, maps []string) []byte {
	e := encoder{flags: a.Flags}
	e.buf.WriteString("{\n  \"schema\": ")
	e.string(schema)
	e.buf.WriteString(",\n  \"pictures\": ")
	e.value(reflect.ValueOf(pictures), 1)
	e.buf.WriteString(",\n  \"maps\": ")
	e.value(reflect.ValueOf(maps), 1)
	e.fields(reflect.ValueOf(a), 1)
	e.buf.WriteString("\n}\n")
	return e.buf.Bytes()
}

type encoder struct {
	buf   bytes.Buffer
	flags []trial.Flag
}

// value writes any value that an analysis is made of; depth is that of the line it begins on.
func (e *encoder) value(v reflect.Value, depth int) {
	if word, ok := wordOf(v); ok {
		e.string(word)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		e.buf.WriteString("{")
		e.fields(v, depth+1)
		e.line(depth)
		e.buf.WriteString("}")
	case reflect.Slice:
		e.slice(v, depth)
	case reflect.String:
		e.string(v.String())
	case reflect.Bool:
		e.buf.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Float64:
		e.float(v.Float())
	case reflect.Int, reflect.Int8:
		e.buf.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint64:
		e.buf.WriteString(strconv.FormatUint(v.Uint(), 10))
	default:
		// Not reached while the types of package trial are those it was written for; a
		// test encodes them all.
		panic(fmt.Sprintf("publish: no JSON for %s", v.Type()))
	}
}

// wordOf returns the word for a value of an enumeration.
func wordOf(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case trial.Direction:
		return directionName(x), true
	case trial.Verdict:
		if x == trial.NoVerdict {
			return "none", true
		}
		return verdictName(x), true
	case mmrm.Covariance:
		return x.String(), true
	case mmrm.DF:
		return dfTerm(x), true
	}
	return "", false
}

// fields writes those of a struct, after a comma if something stands before; an embedded
// struct's stand among them.
func (e *encoder) fields(v reflect.Value, depth int) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			e.fields(v.Field(i), depth)
			continue
		}
		if last := e.buf.Bytes()[e.buf.Len()-1]; last != '{' {
			e.buf.WriteByte(',')
		}
		e.line(depth)
		e.string(snake(f.Name))
		e.buf.WriteString(": ")
		if indices, ok := v.Field(i).Interface().([]int); ok && strings.HasSuffix(f.Name, "Flags") {
			e.flagTexts(indices, depth)
			continue
		}
		e.value(v.Field(i), depth)
	}
}

// slice writes scalars on one line, others one to a line.
func (e *encoder) slice(v reflect.Value, depth int) {
	e.buf.WriteByte('[')
	kind := v.Type().Elem().Kind()
	nested := kind == reflect.Struct || kind == reflect.Slice
	for i := range v.Len() {
		if i > 0 {
			e.buf.WriteByte(',')
		}
		if nested {
			e.line(depth + 1)
		} else if i > 0 {
			e.buf.WriteByte(' ')
		}
		e.value(v.Index(i), depth+1)
	}
	if nested && v.Len() > 0 {
		e.line(depth)
	}
	e.buf.WriteByte(']')
}

// flagTexts writes flags in words in place of their indices.
func (e *encoder) flagTexts(indices []int, depth int) {
	texts := make([]string, 0, len(indices))
	for _, i := range indices {
		if i >= 0 && i < len(e.flags) {
			texts = append(texts, flagText(e.flags[i]))
		}
	}
	e.value(reflect.ValueOf(texts), depth)
}

func (e *encoder) float(x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		e.buf.WriteString("null")
		return
	}
	e.buf.WriteString(strconv.FormatFloat(x, 'g', -1, 64))
}

// string writes a JSON string; bytes that are not UTF-8 become U+FFFD.
func (e *encoder) string(s string) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	w.SetEscapeHTML(false)
	_ = w.Encode(s) // a string into a buffer cannot fail
	e.buf.Write(bytes.TrimRight(b.Bytes(), "\n"))
}

func (e *encoder) line(depth int) {
	e.buf.WriteByte('\n')
	e.buf.WriteString(strings.Repeat("  ", depth))
}

// snake turns a field's name into snake case: WithinCVOf, within_cv_of; SHA256, sha256.
func snake(name string) string {
	r := []rune(name)
	var b strings.Builder
	for i, c := range r {
		upper := unicode.IsUpper(c)
		if i > 0 && upper {
			afterLower := unicode.IsLower(r[i-1]) || unicode.IsDigit(r[i-1])
			endsRun := unicode.IsUpper(r[i-1]) && i+1 < len(r) && unicode.IsLower(r[i+1])
			if afterLower || endsRun {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
