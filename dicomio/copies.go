package dicomio

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// duplicate returns the error of several images of slice k and one echo: copies of one
// image, images of single coils, or images of two acquisitions. Their pixels and headers
// tell these apart; their UIDs are not used.
func (t *Train) duplicate(k int, images []*header) error {
	images = slices.Clone(images)
	slices.SortStableFunc(images, func(a, b *header) int {
		return cmp.Or(strings.Compare(a.name, b.name),
			cmp.Compare(a.index, b.index))
	})
	first, last := images[0], images[len(images)-1]
	appearance := fmt.Sprintf("slice %d at echo time %s ms appears %s", k+1, milliseconds(first.te), times(len(images)))
	e := &FileError{Path: last.displayName(), Kind: ErrInvalid, Topic: TopicDuplicates}
	coils := variants(images, func(h *header) string { return h.coil })
	acquisitions := variants(images, func(h *header) string { return countText(h.acquisitionNumber) })
	switch {
	case anyPair(images, samePixels):
		e.Problem = fmt.Sprintf("%s (also %s)", appearance, first.displayName())
		e.Hint = "remove the copy; two acquisitions in one series must be separated first"
	case len(coils) > 1:
		tagged := slices.IndexFunc(images, func(h *header) bool { return h.coil != "" })
		e.Attribute = attribute(images[tagged].coilTag)
		e.Problem = fmt.Sprintf("%s, from different coils: %s (also %s)", appearance, quoted(coils),
			first.displayName())
		e.Hint = "the coils are not combined: export the combined images, or have the scanner combine them"
	case len(acquisitions) > 1:
		e.Attribute = attribute(tag.AcquisitionNumber)
		e.Problem = fmt.Sprintf("%s, from different acquisitions: %s (also %s)", appearance,
			strings.Join(acquisitions, ", "), first.displayName())
		e.Hint = "separate the acquisitions: one folder, or one series, for each"
	default:
		e.Problem = fmt.Sprintf("%s, with different pixels (also %s)", appearance, first.displayName())
		numbers := variants(images, func(h *header) string { return countText(h.instanceNumber) })
		if len(numbers) > 1 {
			e.Problem += fmt.Sprintf(": InstanceNumber (0020,0013) %s",
				strings.Join(numbers[:min(len(numbers), mostNamed)], ", "))
		}
		e.Hint = "they are not copies: coils that are not combined, repetitions or two acquisitions in one series; " +
			"export the combined images, or separate the acquisitions"
	}
	return e
}

func times(n int) string {
	if n == 2 {
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// mostNamed limits the names in one message.
const mostNamed = 4

// quoted formats a list of names.
func quoted(names []string) string {
	var out []string
	for _, name := range names[:min(len(names), mostNamed)] {
		out = append(out, fmt.Sprintf("%.32q", name))
	}
	if n := len(names) - mostNamed; n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(out, ", ")
}

// countText formats a number, with "" for 0, which means that it is missing.
func countText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// variants returns the distinct texts of the images, sorted, without empty ones.
func variants(images []*header, value func(*header) string) []string {
	var out []string
	for _, h := range images {
		out = append(out, value(h))
	}
	return distinct(out)
}

// anyPair reports whether the first image and one of the next are alike. Comparing all
// pairs would read a hostile series over and over.
func anyPair(images []*header, alike func(a, b *header) bool) bool {
	return slices.ContainsFunc(images[1:min(len(images), mostNamed)],
		func(h *header) bool { return alike(images[0], h) })
}

// samePixels reports whether two images have the same pixels, coded in the same way and
// with the same rescale. It is false for images that cannot be read.
func samePixels(a, b *header) bool {
	if a.syntax != b.syntax || a.slope != b.slope || a.intercept != b.intercept || a.stored != b.stored {
		return false
	}
	x, closeX, errX := a.stream()
	y, closeY, errY := b.stream()
	defer closeX()
	defer closeY()
	return errX == nil && errY == nil && sameBytes(x, y)
}

// stream returns the bytes of the image's pixels as stored. The caller must call the second
// result, even after an error.
func (h *header) stream() (io.Reader, func() error, error) {
	file, err := h.open()
	if err != nil {
		return nil, func() error { return nil }, err
	}
	body, err := h.body(file)
	if err != nil {
		return nil, file.Close, err
	}
	if !h.encapsulated {
		first, length := int64(0), h.pixels.Length
		if h.multiframe {
			first, length = int64(h.index)*h.pixelBytes(), h.pixelBytes()
		}
		return io.NewSectionReader(body, h.pixels.Value+first, length), file.Close, nil
	}
	var parts []io.Reader
	if h.index < len(h.parts) {
		for _, f := range h.compressed(h.index) {
			parts = append(parts, io.NewSectionReader(body, f.Offset, f.Length))
		}
	}
	return io.MultiReader(parts...), file.Close, nil
}

// sameBytes reports whether two readers have the same content, and are not empty.
func sameBytes(a, b io.Reader) bool {
	var x, y [32 << 10]byte
	for any := false; ; any = true {
		n, errA := io.ReadFull(a, x[:])
		m, errB := io.ReadFull(b, y[:])
		if !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if errA != nil || errB != nil {
			return (any || n > 0) && (errA == io.EOF || errA == io.ErrUnexpectedEOF) && errB == errA
		}
	}
}

// mayBe reports whether a damaged file may be a copy of the readable image h, according to
// the attributes that could be read. UIDs are not sufficient: some anonymisers give one UID
// to several images.
func (h *header) mayBe(damaged *header) bool {
	return (damaged.te != damaged.te || within(damaged.te, h.te, sameTE)) &&
		(damaged.position[0] != damaged.position[0] || samePlace(damaged, h)) &&
		(damaged.series == "" || damaged.series == h.series)
}
