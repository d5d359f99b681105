package files

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// List lists some chunks. The entries have the names and the order that List of this package
// gives them, and a file that several chunks reach belongs to the first of all chunks that
// reaches it. A file that is new since the survey may be in several chunks. If a chunk is no
// longer there, it is an entry with an error. Empty chunks remain empty.
func (s *Survey) List(ctx context.Context, chunks ...int) (*Tree, error) {
	t := newTree(ctx, s.limits)
	t.roots, t.rootAt, t.places.disk.vain = s.tree.roots, s.tree.rootAt, s.tree.places.disk.vain
	p := partWalk{walker: newWalker(t, nil, s.exclude), survey: s, inner: map[int][]int{}}
	p.walker.roots, p.surveyed, p.chosen = s.real, s.met, map[int32]bool{}
	known := map[int]bool{}
	for _, n := range chunks {
		if s.chunks[n].Empty {
			continue
		}
		p.chosen[int32(n)] = true
		for ; n >= 0 && !known[n]; n = s.chunks[n].Parent {
			known[n] = true
			p.inner[s.chunks[n].Parent] = append(p.inner[s.chunks[n].Parent], n)
		}
	}
	roots := p.inner[-1]
	slices.Sort(roots)
	for _, n := range roots {
		if err := p.root(n); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// partWalk lists chosen chunks.
type partWalk struct {
	*walker
	survey *Survey
	// inner are, for each chunk of loose files, the chosen chunks in its folder and those that
	// contain some; −1 has the roots.
	inner map[int][]int
}

// root lists the chosen chunks of one root.
func (p *partWalk) root(n int) error {
	c := p.survey.chunks[n]
	r := p.tree.roots[c.Root]
	p.walker.root, p.prefix = r.Root, r.RootName
	if !c.Loose {
		return p.visit(p.walker.root, p.survey.real[c.Root], false, false)
	}
	return p.folder(n, child{path: r.Root, real: p.survey.real[c.Root]})
}

// folder lists the chosen chunks of a divided folder.
func (p *partWalk) folder(n int, c child) error {
	own := keyOf(c.real)
	p.met.folders[own] = int32(n)
	if p.surveyed.parts[own] {
		p.met.parts[own] = true
	}
	p.open = append(p.open, openFolder{key: own})
	defer func() { p.open = p.open[:len(p.open)-1] }()
	type item struct {
		child
		chunk int // or −1
	}
	var items []item
	home := p.tree.place(c.path)
	if p.chosen[int32(n)] {
		found, err := p.list(c.path, c.real)
		if err != nil {
			return err
		}
		for _, e := range found {
			if loose := look(home, c.path, c.real, e); !loose.alone() {
				items = append(items, item{loose, -1})
			}
		}
	}
	for _, m := range p.inner[n] {
		part := p.survey.chunks[m]
		name := filepath.Base(part.Path)
		inner := child{name: name, path: part.Path, real: beneath(c.real, name)}
		info, err := home.lstat(part.Path)
		switch {
		case err == nil:
			inner = look(home, c.path, c.real, fs.FileInfoToDirEntry(info))
		case !errors.Is(err, fs.ErrNotExist) && p.final(c.path, err) != nil:
			return p.final(c.path, err)
		case !part.Loose: // otherwise each of its chunks is missing too
			p.add(part.Path, ioError(err))
			continue
		}
		items = append(items, item{inner, m})
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.name, b.name) })
	for _, it := range items {
		if err := p.item(it.child, it.chunk); err != nil {
			return err
		}
	}
	return nil
}

// item lists an entry of a divided folder.
func (p *partWalk) item(c child, chunk int) error {
	if chunk < 0 || !p.survey.chunks[chunk].Loose {
		return p.follow(c)
	}
	p.open[len(p.open)-1].current = c.name
	if p.chosen[int32(chunk)] && c.linked && p.outside(c.real) {
		p.link(c.path, LinkOutside)
	}
	return p.folder(chunk, c)
}
