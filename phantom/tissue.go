package phantom

// tissue is the tissue of a voxel; each voxel has exactly one.
type tissue uint8

const (
	air tissue = iota
	skin
	subcutaneous // fat under the skin
	fat          // fat inside the fascia: Hoffa's body, popliteal fossa
	fascia
	muscle
	marrow
	scar // of the growth plate
	cortex
	cartilage
	meniscus
	ligament
	tendon
	fluid
	synovium
	artery
	vein
	nerve
	tissues // their number
)

// property holds the signal parameters of a tissue.
type property struct {
	s0, t2 float64 // signal at TE 0 in the units of the picture, T2 in ms
	grain  float64 // relative spread of S0 by texture
}

// properties are rounded values, chosen by eye so that the echoes look like those of a scan: the T2
// of fat appears long in a multi-echo train, and dense collagen (cortex, menisci, ligaments) has no
// signal from the second echo on. No result depends on them. The T2 of cartilage depends on depth
// and surface, see section.cartilage.
var properties = [tissues]property{
	skin:         {s0: 700, t2: 24, grain: 0.10},
	subcutaneous: {s0: 1750, t2: 98, grain: 0.10},
	fat:          {s0: 1550, t2: 92, grain: 0.22},
	fascia:       {s0: 340, t2: 18, grain: 0.1},
	muscle:       {s0: 900, t2: 34, grain: 0.12},
	marrow:       {s0: 1350, t2: 84, grain: 0.10},
	scar:         {s0: 1000, t2: 60, grain: 0.25},
	cortex:       {s0: 90, t2: 12},
	cartilage:    {s0: 1250, t2: 0, grain: 0.03},
	meniscus:     {s0: 330, t2: 12, grain: 0.15},
	ligament:     {s0: 420, t2: 16, grain: 0.25},
	tendon:       {s0: 240, t2: 11, grain: 0.25},
	fluid:        {s0: 1800, t2: 350, grain: 0.02},
	synovium:     {s0: 1200, t2: 70, grain: 0.2},
	artery:       {s0: 130, t2: 60},
	vein:         {s0: 1000, t2: 90, grain: 0.05},
	nerve:        {s0: 850, t2: 55, grain: 0.2},
}
