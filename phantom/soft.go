package phantom

import "math"

// muscleBody is a muscle in the sagittal picture: between two curves of the
// height, within a range of u.
type muscleBody struct {
	front, back  curve
	centre, half float64 // across, mm of u
}

var muscles = []muscleBody{
	// vastus medialis, vastus lateralis, vastus intermedius
	{curve{{-34, 22}, {-41, 32}, {-48, 42}, {-52, 56}, {-55, 80}},
		curve{{-34, 22}, {-30, 34}, {-24, 46}, {-18, 58}, {-12, 80}}, 28, 20},
	{curve{{-34, 34}, {-42, 43}, {-50, 58}, {-54, 80}}, curve{{-34, 34}, {-28, 44}, {-20, 58}, {-12, 80}}, -29, 21},
	{curve{{-25, 58}, {-31, 66}, {-34, 80}}, curve{{-24, 58}, {-21, 66}, {-17, 80}}, 0, 17},
	// semimembranosus, biceps femoris
	{curve{{40, 4}, {35, 18}, {30, 36}, {23, 56}, {16, 80}}, curve{{41, 4}, {43, 18}, {47, 36}, {49, 56}, {50, 80}}, 20,
		22},
	{curve{{32, 0}, {33, 14}, {29, 34}, {20, 60}, {14, 80}}, curve{{33, 0}, {39, 14}, {45, 34}, {48, 60}, {49, 80}}, -25,
		20},
	// the heads of gastrocnemius
	{curve{{25, -80}, {27, -30}, {30.5, -10}, {33, 4}, {32, 20}, {27, 34}},
		curve{{55, -80}, {53, -40}, {49, -14}, {43, 4}, {37, 20}, {28, 34}}, 20, 21},
	{curve{{25, -80}, {27, -30}, {30.5, -10}, {33, 4}, {32, 20}, {27, 33}},
		curve{{54, -80}, {52, -40}, {48, -14}, {42, 4}, {36, 20}, {28, 33}}, -19, 18},
	// popliteus, soleus, tibialis anterior
	{curve{{3, -80}, {8, -56}, {15, -38}, {21, -22}, {24.5, -10}},
		curve{{9, -80}, {17, -56}, {23, -38}, {27, -22}, {25.5, -10}}, 6, 34},
	{curve{{8, -80}, {16, -58}, {22, -40}, {25, -28}}, curve{{26, -80}, {27, -56}, {26.5, -40}, {26, -28}}, -6, 42},
	{curve{{-40, -80}, {-38, -56}, {-32, -36}, {-26, -20}}, curve{{4, -80}, {0, -56}, {-12, -36}, {-22, -20}}, -28, 20},
}

// strip is a range of p at one height: a muscle or the leg.
type strip struct{ middle, half float64 }

// inside is how deep p lies in the strip in mm, negative outside.
func (s strip) inside(p float64) float64 { return s.half - math.Abs(p-s.middle) }

// between is the strip between two curves at a height, made narrower by a factor.
func between(front, back curve, h, narrow float64) strip {
	f, b := front.value(h), back.value(h)
	return strip{middle: (f + b) / 2, half: (b - f) / 2 * narrow}
}

// strip is the muscle in the section at u at a height.
func (m *muscleBody) strip(u, h float64) strip {
	if h < m.front[0].h-1 || h > m.front[len(m.front)-1].h {
		return strip{half: -1}
	}
	offset := math.Abs(u-m.centre) / m.half
	return between(m.front, m.back, h, math.Sqrt(max(0, 1-offset*offset*offset)))
}

// The skin in front and behind as curves of the height in the middle section.
var (
	skinFront = curve{{-47, -80}, {-45, -60}, {-46, -42}, {-51, -24}, {-58, 0}, {-64, 22}, {-65, 36}, {-62, 56}, {-61, 80}}
	skinBack  = curve{{61, -80}, {60, -56}, {57, -34}, {52, -10}, {50, 8}, {52, 26}, {56, 50}, {59, 80}}
)

// leg is the part inside the skin in the section at u at a height.
func leg(u, h float64) strip {
	round := 1 - square(u/58)
	if round <= 0 {
		return strip{half: -1}
	}
	return between(skinFront, skinBack, h, math.Pow(round, 0.4))
}

// vessel is a tube that runs up the popliteal fossa.
type vessel struct {
	tissue    tissue
	u, radius float64
	path      curve
}

var vessels = []vessel{
	{artery, -1, 3.4, curve{{26, -80}, {28.5, -30}, {33, 0}, {32, 24}, {24, 56}, {20, 80}}},
	{vein, 3, 4, curve{{30, -80}, {33, -30}, {38, 0}, {38, 24}, {31, 56}, {27, 80}}},
	{nerve, -4, 2.8, curve{{34, -80}, {37, -30}, {43, 0}, {44, 24}, {39, 56}, {36, 80}}},
}

// cord is a ligament or tendon that crosses the picture.
type cord struct {
	tissue       tissue
	centre, half float64 // across, mm of u
	radius       float64
	path         []point
}

var cords = []cord{
	{ligament, 4.5, 5, 3.6, []point{{-4, 17}, {4, 17.5}, {11, 15}, {17, 8}, {22, -2}, {25, -9}}}, // posterior cruciate
	{ligament, -4, 5.5, 3.4, []point{{15, 23}, {8, 16}, {0, 8.5}, {-9, 0.5}}},                    // anterior cruciate
	{tendon, -1, 15, 2.6, []point{{-51, 17}, {-47.5, 4}, {-41, -12}, {-33, -26}, {-28, -36}}},    // patellar tendon
	{tendon, -1, 17, 3.6, []point{{-50, 50}, {-48, 58}, {-44, 70}, {-40, 82}}},                   // quadriceps tendon
	{tendon, 30, 5, 1.6, []point{{36, 10}, {32, 0}, {27, -8}}},                                   // semimembranosus
	{fascia, -1, 19, 0.7, []point{{-53, 54}, {-57.2, 44}, {-58.3, 32}, {-56.5, 20}, {-51, 10}}},  // before the patella
	{ligament, 0, 6, 0.8, []point{{26, -8}, {27.5, 4}, {26, 16}, {20, 29}}},                      // posterior capsule
	{ligament, -20, 12, 0.7, []point{{25, -7}, {30.5, 3}, {31.5, 16}, {29.5, 28}, {25, 36}}},     // … over the condyles
	{ligament, 20, 12, 0.7, []point{{25.5, -8}, {31.5, 3}, {32.5, 16}, {30.5, 28}, {26, 36}}},    // …
}

// reaches reports whether the cord comes near the height anywhere.
func (c *cord) reaches(h float64) bool {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, q := range c.path {
		lo, hi = min(lo, q.h), max(hi, q.h)
	}
	return h > lo-c.radius && h < hi+c.radius
}

// inside reports whether q lies in the cord in the section at u.
func (c *cord) inside(u float64, q point) bool {
	round := 1 - square((u-c.centre)/c.half)
	return round > 0 && band(q, c.radius*math.Sqrt(round), c.path...) < 0
}

// meniscusHeight is how high above the cartilage of the plateau a C-shaped
// meniscus may reach at p: it lies outside an inner ellipse and inside an
// outer one, where it ends round. 0 where there is none.
func meniscusHeight(u, p float64) float64 {
	across := math.Abs(u)
	inner := square((p-2)/12) + square((across-17)/11)
	outer := square((p-1)/25.5) + square((across-19)/18.5)
	if inner < 1 || outer > 1 || across < 7 {
		return 0
	}
	return 7 * math.Sqrt(1-outer*outer)
}
