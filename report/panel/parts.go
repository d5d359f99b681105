package panel

import "github.com/t2map/t2map/figure"

// mostColumns is the number of visits side by side in a picture of figure.PictureWidth, in tiles of panelLeastMM. A
// wider picture would have letters of less than 5 points in a column of a journal.
const mostColumns = 5

// columns returns the number of visits of each picture: more than mostColumns are divided evenly.
func columns(visits int) int {
	pictures := (visits + mostColumns - 1) / mostColumns
	return (visits + pictures - 1) / pictures
}

// inParts draws a figure of visits, one picture for each part, from first to before end.
func inParts(visits int, draw func(first, end int) (figure.Picture, error)) ([]figure.Picture, error) {
	var pictures []figure.Picture
	for first := 0; first < visits; first += columns(visits) {
		p, err := draw(first, min(first+columns(visits), visits))
		if err != nil {
			return nil, err
		}
		p.Part = len(pictures)
		p.Name = figure.PageName(p.Name, p.Part)
		pictures = append(pictures, p)
	}
	return pictures, nil
}

// part returns the rows with the visits from first to before end.
func part(rows []Row, first, end int) []Row {
	parts := make([]Row, len(rows))
	for n, row := range rows {
		row.Visits = row.Visits[first:end]
		parts[n] = row
	}
	return parts
}

func (g grid[T]) part(first, end int) grid[T] {
	parts := make(grid[T], len(g))
	for n := range g {
		parts[n] = g[n][first:end]
	}
	return parts
}
