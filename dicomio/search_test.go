package dicomio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/t2map/t2map/files"
	"github.com/t2map/t2map/hint"
)

// sameInChunks checks that all chunks together are what Find returns, and that stored facts
// make reading unnecessary. It returns the parts of each chunk.
func sameInChunks(t *testing.T, whole Finding, roots []string, o FindOptions) (parts []string) {
	t.Helper()
	s, err := NewSearch(t.Context(), roots, o)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string][]byte{}
	if err := s.Settle(t.Context(), nil, func(f Finding, facts Facts) error {
		text, err := json.Marshal(facts)
		stored[f.Chunk.Digest] = text
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var all []Finding
	for f, err := range s.Each(t.Context(), s.Chunks()) {
		if err != nil {
			t.Fatal(err)
		}
		inOrder(t, whole.Tree, f.Tree)
		all, parts = append(all, f), append(parts, strings.Join(f.Chunk.Parts, " "))
	}
	diff(t, "all chunks", summary(all), summary([]Finding{whole}))

	o.Progress = func(int, int) { t.Error("a file was read although its chunk is known") }
	later, err := NewSearch(t.Context(), roots, o)
	if err != nil {
		t.Fatal(err)
	}
	recall := func(c *Chunk) (f Facts, ok bool) {
		text, ok := stored[c.Digest]
		return f, ok && json.Unmarshal(text, &f) == nil
	}
	if err := later.Settle(t.Context(), recall, nil); err != nil {
		t.Fatal(err)
	}
	described := func(s *Search) (text string) {
		for _, c := range s.Chunks() {
			text += fmt.Sprintln(*c)
		}
		return text
	}
	if got, want := described(later), described(s); got != want {
		t.Errorf("with stored facts the chunks are %s, want %s", got, want)
	}
	return parts
}

// sameAgain checks that FindEach yields the chunks, and that a chunk read again is the same.
func sameAgain(t *testing.T, roots []string, o FindOptions) {
	t.Helper()
	s, err := NewSearch(t.Context(), roots, o)
	if err == nil {
		err = s.Settle(t.Context(), nil, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for f, err := range FindEach(t.Context(), roots, o) {
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.Find(t.Context(), s.Chunks()[n])
		if err != nil {
			t.Fatal(err)
		}
		diff(t, fmt.Sprintf("chunk %q", f.Chunk.Name), summary([]Finding{again}), summary([]Finding{f}))
		n++
	}
	if n != len(s.Chunks()) {
		t.Errorf("FindEach yields %d chunks, want %d", n, len(s.Chunks()))
	}
}

// inOrder checks that the entries of a chunk have the order of those of the whole tree.
func inOrder(t *testing.T, whole, part *files.Tree) {
	t.Helper()
	place := map[string]int{}
	for i, e := range whole.Entries() {
		place[e.Path+e.Name] = i
	}
	last := -1
	for _, e := range part.Entries() {
		n, ok := place[e.Path+e.Name]
		if !ok || n <= last {
			t.Errorf("entry %s: place %d after %d, listed %v", e.Name, n, last, ok)
		}
		last = n
	}
}

// diff reports the first line in which two summaries differ.
func diff(t *testing.T, name string, got, want []string) {
	t.Helper()
	for n := range max(len(got), len(want)) {
		var g, w string
		if n < len(got) {
			g = got[n]
		}
		if n < len(want) {
			w = want[n]
		}
		if g != w {
			same := 0 // bytes, as far as they may be shown
			for same < min(len(g), len(w)) && g[same] == w[same] {
				same++
			}
			same = max(0, same-100)
			t.Errorf("%s: not the same:\n got …%.300s\nwant …%.300s", name, g[same:], w[same:])
			return
		}
	}
}

// summary lists everything in findings, regardless of the order of the chunks.
func summary(all []Finding) []string {
	var out, studies []string
	var sum Passed
	count, litter := 0, 0
	for _, f := range all {
		for _, s := range f.Studies {
			var b strings.Builder
			dump(&b, reflect.ValueOf(s))
			studies = append(studies, b.String())
		}
		for _, err := range f.Damaged {
			out = append(out, "damaged: "+err.Error()+hint.Find(err))
		}
		for _, p := range f.Strangers {
			out = append(out, "stranger: "+p)
		}
		total, one := reflect.ValueOf(&sum).Elem(), reflect.ValueOf(f.Passed)
		for i := range total.NumField() {
			total.Field(i).SetInt(total.Field(i).Int() + one.Field(i).Int())
		}
		count += f.Files
		litter += f.Tree.Litter()
		for _, e := range f.Tree.Entries() {
			out = append(out, fmt.Sprintf("entry: %+v", e))
		}
		for _, l := range f.Tree.Links() {
			out = append(out, fmt.Sprintf("link: %+v", l))
		}
		for _, name := range f.Tree.LitterFolders() {
			out = append(out, "litter: "+name)
		}
		for _, name := range f.Tree.Packed() {
			out = append(out, "packed: "+name)
		}
	}
	slices.Sort(studies)
	slices.Sort(out)
	return slices.Concat(studies, out, []string{fmt.Sprintf("%+v, %d files, litter %d", sum, count, litter)})
}

// dump writes a value with all its fields, exported or not. Trees are omitted.
func dump(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() || v.Type() == reflect.TypeFor[*files.Tree]() {
			b.WriteString("-")
			return
		}
		dump(b, v.Elem())
	case reflect.Struct:
		if strings.HasPrefix(v.Type().String(), "unique.Handle") {
			fmt.Fprint(b, v) // equal values have equal handles
			return
		}
		b.WriteString("{")
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			dump(b, v.Field(i))
			b.WriteString(" ")
		}
		b.WriteString("}")
	case reflect.Slice, reflect.Array:
		b.WriteString("[")
		for i := range v.Len() {
			dump(b, v.Index(i))
			b.WriteString(" ")
		}
		b.WriteString("]")
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		for _, k := range keys {
			fmt.Fprint(b, k, "=")
			dump(b, v.MapIndex(k))
		}
	default:
		fmt.Fprint(b, v)
	}
}

func TestFindEachErrors(t *testing.T) {
	for _, err := range FindEach(t.Context(), []string{t.TempDir() + "/nowhere"}, FindOptions{}) {
		if err == nil {
			t.Error("a folder that does not exist was searched")
		}
	}
	dir := t.TempDir()
	save(t, dir+"/s01", trainOf())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	for _, err := range FindEach(ctx, []string{dir}, FindOptions{}) {
		if n++; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d items, want 1", n)
	}
}
