package table

import (
	"bytes"
	"errors"
	"strconv"
	"testing"
)

// A Writer writes the bytes that Write returns.
func TestWriterWritesTheTable(t *testing.T) {
	columns := []Column[int]{
		Text("text", "Text", Derived, func(n int) string { return "=a, \"" + strconv.Itoa(n) + "\"\n" }),
		Count("n", "Number", func(n int) int { return n - 1 }),
	}
	for _, n := range []int{0, 1, 3000} { // 3000 rows exceed the buffer
		var b bytes.Buffer
		w := NewWriter(&b, columns)
		var rows []int
		for i := range n {
			rows = append(rows, i)
			if err := w.Write(i); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := Write(columns, rows); !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%d rows: %d bytes, want %d", n, b.Len(), len(want))
		}
	}
}

// fullDisk is a writer that fails.
type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriterReturnsErrors(t *testing.T) {
	w := NewWriter(fullDisk{}, []Column[int]{Count("n", "Number", func(n int) int { return n })})
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("head: %v", err)
	}
	var err error
	for n := 0; n < 10000 && err == nil; n++ {
		err = w.Write(n)
	}
	if !errors.Is(err, errFull) || !errors.Is(w.Close(), errFull) {
		t.Errorf("rows: %v", err)
	}
}
