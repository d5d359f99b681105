package files

import (
	"fmt"
	"path"
	"slices"
)

// index lists the entries of an archive.
type index struct {
	items  []item // in the order of a walk through folders
	fault  *Error // entries that cannot be listed, or nil
	litter int    // entries that were skipped because of their names

	litterFolders []string // folders that contain some of them
	packed        []string // gzipped files whose content is an entry too
}

// gatherer builds the index of an archive.
type gatherer struct {
	limits Limits
	items  []item
	count  int   // number of all entries
	names  int   // length of their names in bytes
	total  int64 // size of all files in bytes
	faults int
	first  string // the first fault
	litter int

	litterFolders []string
}

// enter counts an entry, whether it is listed or not.
func (g *gatherer) enter(name, target string) error {
	g.count++
	g.names += len(name) + len(target)
	if g.count > g.limits.Entries || g.names/nameBytes > g.limits.Entries {
		return g.limits.tooMany()
	}
	return nil
}

// add lists an entry, unless it is litter or its name is not valid.
func (g *gatherer) add(raw string, it item) {
	if folder, isLitter := inLitter(raw); isLitter {
		g.litter++
		if name, problem := entryName(folder); folder != "" && problem == "" &&
			!slices.Contains(g.litterFolders, name) {
			g.litterFolders = append(g.litterFolders, name)
		}
		return
	}
	name, problem := entryName(raw)
	if problem != "" {
		g.refuse(raw, problem)
		return
	}
	it.name = name
	if it.err == nil {
		it.err = g.limits.checkEntry(it.size)
	}
	g.items = append(g.items, it)
}

// refuse records an entry that cannot be listed.
func (g *gatherer) refuse(raw, problem string) {
	if g.faults == 0 {
		g.first = fmt.Sprintf("entry %s: %s", quoted(raw), problem)
	}
	g.faults++
}

// index returns the finished index.
func (g *gatherer) index() *index {
	x := &index{items: settle(g.items), litter: g.litter, litterFolders: g.litterFolders}
	x.removePacked()
	if g.faults > 0 {
		x.fault = &Error{Problem: g.first, Kind: ErrInvalid, Hint: "pack the folder again, from the folder above it"}
	}
	if g.faults > 1 {
		x.fault.Problem = fmt.Sprintf("%d entries cannot be listed, the first: %s", g.faults, g.first)
	}
	return x
}

// removePacked removes the gzipped files whose content is an entry too.
func (x *index) removePacked() {
	kept := x.items[:0:0]
	for _, it := range x.items {
		if gzipName(it.name) {
			if plain := x.find(it.name[:len(it.name)-len(gzipEnding)]); plain != nil && plain.err == nil &&
				plain.size > 0 {
				x.packed = append(x.packed, it.name)
				continue
			}
		}
		kept = append(kept, it)
	}
	x.items = kept
}

// find returns the item with that name, or nil.
func (x *index) find(name string) *item {
	n, ok := slices.BinarySearchFunc(x.items, name, func(it item, name string) int { return walkOrder(it.name, name) })
	if !ok {
		return nil
	}
	return &x.items[n]
}

// walkOrder compares two paths in the order of a walk through folders: part by part.
func walkOrder(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// item is a file in an archive.
type item struct {
	name      string
	size      int64
	offset    int64    // in the tar archive
	zip       *zipFile // in the zip archive
	irregular bool     // a pipe or a device
	link      bool     // to target, relative to the top of the archive
	target    string
	err       *Error // why it cannot be read
}

// settle sorts the items and checks them against each other: duplicates and links.
func settle(items []item) []item {
	slices.SortStableFunc(items, func(a, b item) int { return walkOrder(a.name, b.name) })
	var out []item
	var known map[string]bool // made when the first link is met
	for i := 0; i < len(items); {
		it, next := items[i], i+1
		for next < len(items) && items[next].name == it.name {
			next++
		}
		if next-i > 1 {
			it.link = false
			it.err = &Error{Problem: fmt.Sprintf("is in the archive %d times", next-i), Kind: ErrInvalid,
				Hint: "pack the folder again: it is not known which of them is meant"}
		}
		if it.link {
			if known == nil {
				known = everyName(items)
			}
			if leadsTo(known, it.target) {
				i = next
				continue // the target is an entry itself, or a folder of entries
			}
			it.err = &Error{Problem: "is a link whose target is not in the archive", Kind: ErrUnsupported,
				Hint: "pack the files themselves instead of links (tar --dereference)"}
		}
		out = append(out, it)
		i = next
	}
	return out
}

// everyName returns the names of the items and of the folders that contain them. The value
// is true for links.
func everyName(items []item) map[string]bool {
	known := map[string]bool{".": false}
	for _, it := range items {
		known[it.name] = it.link
		for dir := path.Dir(it.name); ; dir = path.Dir(dir) {
			if _, seen := known[dir]; seen {
				break
			}
			known[dir] = false
		}
	}
	return known
}

// leadsTo reports whether a link's target is a known file or folder, or lies behind another
// link, which is checked itself.
func leadsTo(known map[string]bool, target string) bool {
	if _, ok := known[target]; ok {
		return true
	}
	for ; target != "." && target != "" && target != "/"; target = path.Dir(target) {
		if known[target] {
			return true
		}
	}
	return false
}
