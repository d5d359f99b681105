package batch

import (
	"encoding/binary"
	"path/filepath"
)

// compact is an entry without its study and its Dir, in about 150 bytes: a folder may hold very many results.
type compact string

// shelf packs entries. Digests that are the same in most results are stored once.
type shelf struct {
	out     string // the output folder
	digests []digest
	index   map[digest]int
}

// pack returns the entry without its study and its Dir.
func (s *shelf) pack(e entry) compact {
	var b []byte
	for _, d := range []digest{e.Request, e.Inputs, e.Sum} {
		b = append(b, d[:]...)
	}
	for _, d := range []digest{e.Outputs, e.Settings} {
		b = binary.AppendUvarint(b, uint64(s.number(d)))
	}
	b = binary.AppendVarint(b, e.Size)
	b = binary.AppendVarint(b, e.Time)
	if e.mapped {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	for _, text := range []string{e.Subject, e.Visit, e.Series, e.Side, e.Folder} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return compact(b)
}

// number returns the index of a digest.
func (s *shelf) number(d digest) int {
	n, ok := s.index[d]
	if !ok {
		n = len(s.digests)
		s.digests, s.index[d] = append(s.digests, d), n
	}
	return n
}

// unpack returns the entry of a study that pack has packed.
func (s *shelf) unpack(study string, c compact) entry {
	e := s.fields(study, c)
	e.Dir = filepath.Join(s.out, filepath.FromSlash(e.Folder))
	return e
}

// fields is unpack without Dir. The texts are parts of c.
func (s *shelf) fields(study string, c compact) entry {
	e := entry{Study: study}
	r := unpacker(c)
	for _, d := range []*digest{&e.Request, &e.Inputs, &e.Sum} {
		copy(d[:], r.take(len(d)))
	}
	for _, d := range []*digest{&e.Outputs, &e.Settings} {
		*d = s.digests[r.uvarint()]
	}
	e.Size, e.Time = r.varint(), r.varint()
	e.mapped = r.take(1) == "\x01"
	for _, text := range []*string{&e.Subject, &e.Visit, &e.Series, &e.Side, &e.Folder} {
		*text = string(r.take(int(r.uvarint())))
	}
	return e
}

// unpacker is the rest of a compact entry.
type unpacker string

func (r *unpacker) take(n int) (part unpacker) {
	part, *r = (*r)[:n], (*r)[n:]
	return part
}

// uvarint is binary.Uvarint, which needs bytes: a copy of the text.
func (r *unpacker) uvarint() (v uint64) {
	for shift := 0; ; shift += 7 {
		b := (*r)[0]
		*r = (*r)[1:]
		if v |= uint64(b&0x7f) << shift; b < 0x80 {
			return v
		}
	}
}

// varint is the zigzag form of binary.AppendVarint.
func (r *unpacker) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
