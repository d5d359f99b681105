package samples

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// mostWord is the largest number of characters of a number in text: float64 needs 24.
const mostWord = 256

// words reads numbers in text, separated by blanks.
type words struct {
	r       io.Reader
	scanner *bufio.Scanner
}

// next returns the next word, or "" at the end.
func (w *words) next() (string, error) {
	if w.scanner == nil {
		w.scanner = bufio.NewScanner(w.r)
		w.scanner.Buffer(make([]byte, 0, 4<<10), 64<<10)
		w.scanner.Split(bufio.ScanWords)
	}
	if !w.scanner.Scan() {
		err := w.scanner.Err()
		return "", Mark(StreamFault(err), err)
	}
	return w.scanner.Text(), nil
}

// numbers fills dst with numbers. done of n numbers were read before.
func (w *words) numbers(dst []float64, done, n int) error {
	for i := range dst {
		word, err := w.next()
		switch {
		case FaultOf(err) == FaultDataFile:
			return err // the file could not be opened
		case err != nil:
			return Mark(FaultFormat, fmt.Errorf("data: number %d of %d: %w", done+i+1, n, err))
		case word == "":
			return Mark(FaultLength, fmt.Errorf("data: %d of %d numbers: %w", done+i, n, io.ErrUnexpectedEOF))
		case len(word) > mostWord:
			return Mark(FaultFormat, fmt.Errorf("data: number %d of %d has %d characters", done+i+1, n, len(word)))
		}
		if dst[i], err = strconv.ParseFloat(word, 64); err != nil {
			return Mark(FaultFormat, fmt.Errorf("data: number %d of %d: %.20q is not a number", done+i+1, n, word))
		}
	}
	return nil
}

// end returns an error if there is another word.
func (w *words) end(declared string) error {
	word, err := w.next()
	switch {
	case err != nil:
		return Mark(FaultFormat, fmt.Errorf("data: %w", err))
	case word != "":
		return Mark(FaultLength, fmt.Errorf("data: more than %s", declared))
	}
	return nil
}
