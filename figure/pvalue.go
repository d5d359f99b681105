package figure

// PValue prints a p to three decimals, or <0.001: what journals ask for (SAMPL guidelines, Lang and
// Altman 2013); "–" where there is none.
func PValue(p float64) string {
	const least, decimals = 0.001, 3
	if p < least {
		return "<0.001"
	}
	return Number(p, decimals)
}
