// Package hint attaches advice to errors: what the user can do about them.
package hint

import (
	"errors"
	"fmt"
	"strings"
)

// Find returns the advice of the first error in the chain that has an Advice method, or "". The errors of Errorf and
// of packages files, dicomio and table have this method.
func Find(err error) string {
	var a interface {
		error
		Advice() string
	}
	if errors.As(err, &a) {
		return a.Advice()
	}
	return ""
}

// Errorf is fmt.Errorf with advice.
func Errorf(advice, format string, a ...any) error {
	return &advised{fmt.Errorf(format, a...), advice}
}

type advised struct {
	error
	advice string
}

func (e *advised) Unwrap() error  { return e.error }
func (e *advised) Advice() string { return e.advice }

// Nearest returns advice on a word that is not one of the known words: the known word that differs from it
// in at most a third of its letters, if there is one, and the list of all.
func Nearest(word string, known []string) string {
	best, least := "", len([]rune(word))/3+1
	for _, k := range known {
		if d := edits(word, k); d < least {
			best, least = k, d
		}
	}
	all := "known are " + strings.Join(known, ", ")
	if best == "" {
		return all
	}
	return fmt.Sprintf("did you mean %s? %s", best, all)
}

// edits returns the number of letters to insert, delete or replace that make b of a (Levenshtein 1966).
func edits(a, b string) int {
	source, target := []rune(a), []rune(b)
	row := make([]int, len(target)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range source {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range target {
			replaced := diagonal
			if x != y {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(target)]
}
