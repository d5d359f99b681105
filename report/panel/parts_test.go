package panel

import "testing"

// Visits are divided evenly into pictures of at most five columns.
func TestColumns(t *testing.T) {
	for visits, want := range map[int]int{1: 1, 3: 3, 5: 5, 6: 3, 7: 4, 8: 4, 11: 4} {
		if got := columns(visits); got != want {
			t.Errorf("%d visits: %d columns, want %d", visits, got, want)
		}
	}
}
