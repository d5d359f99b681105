package dicomio

import (
	"strings"
	"unicode"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// SideClaim is the side of the knee according to one attribute of a series.
type SideClaim struct {
	Attribute string // with its tag: Laterality (0020,0060)
	Side      string // L or R
}

// sideTags are the attributes that contain L or R, in the order of texts.sides.
var sideTags = [...]tag.Tag{tag.Laterality, tag.ImageLaterality, tag.FrameLaterality}

// noteSide records the value of one of the sideTags. B, U and empty do not identify one
// knee.
func (t *texts) noteSide(source tag.Tag, text string) {
	side := strings.ToUpper(text)
	if side != "L" && side != "R" {
		return
	}
	for n, known := range sideTags {
		if known == source {
			t.sides[n] = side[0]
		}
	}
}

// checkSide determines the side from the images and their description, which must not
// contradict each other.
func (t *Train) checkSide() error {
	for n, source := range sideTags {
		var side string
		for _, h := range t.images {
			switch claimed := string(h.sides[n]); {
			case h.sides[n] == 0 || claimed == side:
			case side != "":
				return h.wrong(source, "%s, but %s elsewhere in the series", claimed, side)
			default:
				side = claimed
			}
		}
		if side != "" {
			t.Sides = append(t.Sides, SideClaim{attribute(source), side})
		}
	}
	if side := sideInWords(t.Description); side != "" {
		t.Sides = append(t.Sides, SideClaim{attribute(tag.SeriesDescription), side})
	}
	for _, c := range t.Sides {
		if c.Side != t.Sides[0].Side {
			return &TrainError{
				Series:  t.Hash,
				Problem: "side of the knee: " + listSides(t.Sides),
				Topic:   TopicSide,
				Hint:    "ask the site which knee it is, and have the images corrected",
			}
		}
		t.Side = c.Side
	}
	return nil
}

// listSides formats claims as "Laterality (0020,0060) says L, SeriesDescription (0008,103E)
// says R".
func listSides(claims []SideClaim) string {
	var parts []string
	for _, c := range claims {
		parts = append(parts, c.Attribute+" says "+c.Side)
	}
	return strings.Join(parts, ", ")
}

// sideWords are words for a side in descriptions, such as OAI's SAG_T2_MAP_RIGHT. Single
// letters only count next to the word knee, because elsewhere they may mean anything.
var sideWords = map[string]string{
	"LEFT": "L", "LT": "L", "LINKS": "L", "GAUCHE": "L", "IZQUIERDA": "L",
	"RIGHT": "R", "RT": "R", "RECHTS": "R", "DROIT": "R", "DERECHA": "R",
}

// sideInWords returns the side that a description names, L or R; "" if it names none or
// both.
func sideInWords(description string) string {
	words := strings.FieldsFunc(strings.ToUpper(description), func(r rune) bool { return !unicode.IsLetter(r) })
	side := ""
	for n, w := range words {
		claimed := sideWords[w]
		besideKnee := n > 0 && words[n-1] == "KNEE" || n+1 < len(words) && words[n+1] == "KNEE"
		if claimed == "" && besideKnee && (w == "L" || w == "R") {
			claimed = w
		}
		switch {
		case claimed == "" || claimed == side:
		case side != "":
			return ""
		default:
			side = claimed
		}
	}
	return side
}
