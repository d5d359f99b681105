package figure

// PValue formats p with three decimals, or as <0.001 (SAMPL guidelines, Lang and Altman 2013). NaN is "–".
func PValue(p float64) string {
	const least, decimals = 0.001, 3
	if p < least {
		return "<0.001"
	}
	return Number(p, decimals)
}
