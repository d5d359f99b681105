package protocol

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/report"
)

// section returns the part of a page from a heading to the next one of the same level; all of it without a heading.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	raw, err := os.ReadFile("../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	if heading == "" {
		return string(raw)
	}
	_, text, found := strings.Cut(string(raw), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no heading %q", page, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// Every key of a protocol has a row in a table of its page, below the heading of its group.
func TestProtocolKeysAreDocumented(t *testing.T) {
	for _, group := range []struct {
		page, heading string
		keys          reflect.Type
	}{
		{"protocol.md", "", reflect.TypeFor[protocolFile]()}, {"protocol.md", "", reflect.TypeFor[SeriesRule]()},
		{"segmenter.md", "", reflect.TypeFor[segmentFile]()},
		{"protocol.md", readsHeading, reflect.TypeFor[readsFile]()},
		{"protocol.md", acquisitionHeading, reflect.TypeFor[Acquisition]()},
		{"protocol.md", qualityHeading, reflect.TypeFor[Quality]()},
	} {
		text := section(t, group.page, group.heading)
		for n := range group.keys.NumField() {
			key := group.keys.Field(n).Tag.Get("yaml")
			if key != "" && !strings.Contains(text, "\n| `"+key+"` |") {
				t.Errorf("docs/%s does not list the key %s below %q", group.page, key, group.heading)
			}
		}
	}
}

// The headings of the keys of reads, acquisition and quality.
const (
	readsHeading       = "Reads"
	acquisitionHeading = "The expected acquisition"
	qualityHeading     = "Quality limits"
)

// The defaults that Keys and docs/protocol.md state are those of the program.
func TestDefaultsAreDocumented(t *testing.T) {
	stated := func(key string, keys []Key) Key {
		n := slices.IndexFunc(keys, func(k Key) bool { return k.Name == key })
		if n < 0 {
			t.Fatalf("%s is not in Keys", key)
		}
		return keys[n]
	}
	acquisition := section(t, "protocol.md", acquisitionHeading)
	for key, tolerance := range map[string]float64{"spacing_ms": toleranceSpacing, "tr_ms": toleranceTR,
		"voxel_mm": toleranceVoxel, "field_t": toleranceField} {
		if !strings.Contains(acquisition, fmt.Sprintf("\n| `%s` | %g |", key, tolerance)) {
			t.Errorf("docs/protocol.md does not state the tolerance of %s, %g", key, tolerance)
		}
		k := stated(key, acquisitionKeys)
		if !strings.HasSuffix(k.Meaning, fmt.Sprintf("default tolerance %g", tolerance)) ||
			!strings.HasSuffix(k.Form, fmt.Sprintf("tolerance: %g}", tolerance)) {
			t.Errorf("Keys do not state the tolerance of %s, %g: %+v", key, tolerance, k)
		}
	}
	limits, d := section(t, "protocol.md", qualityHeading), defaultQuality
	two := func(fail string, l report.Limits) string {
		return fmt.Sprintf("{warn: %g, %s: %g}", l.Warn, fail, l.Fail)
	}
	one := func(x number.Float) string { return fmt.Sprintf("%g", x) }
	for key, value := range map[string]string{
		"snr_last": two("fail", d.SNRLast), "shift_px": two("fail", d.ShiftPX),
		"excluded_percent": two("fail", d.ExcludedPercent), "voxels": two("least", d.Voxels),
		"eroded_percent": one(d.ErodedPercent), "volume_percent": one(d.VolumePercent),
		"t2_ms": fmt.Sprintf("[%g, %g]", d.T2MS[0], d.T2MS[1]), "saturated_percent": one(d.SaturatedPercent),
		"zero_percent": one(d.ZeroPercent), "stimulated_percent": one(d.StimulatedPercent),
		"residual_chi2": one(d.ResidualChi2), "baseline": d.Baseline,
	} {
		k := stated(key, qualityKeys)
		if value == "NaN" { // no limit
			value = ".inf"
			if !strings.HasSuffix(k.Meaning, "default: no limit") {
				t.Errorf("Keys do not state that %s has no limit: %+v", key, k)
			}
		} else if k.Form != value {
			t.Errorf("Keys state %s for %s, want %s", k.Form, key, value)
		}
		quoted := strings.ReplaceAll(limits, "`", "")
		if !strings.Contains(quoted, "\n| "+key+" | "+value+" |") {
			t.Errorf("docs/protocol.md does not state %s of %s", value, key)
		}
	}
}

// Keys has the keys of a file, in all levels that a file explains.
func TestKeysAreComplete(t *testing.T) {
	var compare func(place string, keys []Key, kind reflect.Type)
	compare = func(place string, keys []Key, kind reflect.Type) {
		var names []string
		for _, k := range keys {
			names = append(names, k.Name)
			if (k.Form == "") != (k.Keys != nil) || k.Meaning == "" {
				t.Errorf("%s%s: %+v", place, k.Name, k)
			}
		}
		for n := range kind.NumField() {
			field := kind.Field(n)
			name := field.Tag.Get("yaml")
			index := slices.Index(names, name)
			if name == "" || name == "quantity" && place == "anatomy: " { // which applies only to series
				continue
			}
			if index < 0 {
				t.Errorf("%s%s is not in Keys", place, name)
				continue
			}
			names[index] = ""
			inner := field.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if keys[index].Keys != nil {
				compare(name+": ", keys[index].Keys, inner)
			}
		}
		for _, name := range names {
			if name != "" {
				t.Errorf("%s%s is not a key", place, name)
			}
		}
	}
	compare("", Keys, reflect.TypeFor[protocolFile]())
}
