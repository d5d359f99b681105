package trial

import "testing"

// A title within a sentence begins as the results name the compartment.
func TestTitleInText(t *testing.T) {
	for _, c := range []struct {
		endpoint Endpoint
		want     string
	}{
		{Endpoint{Name: "medial", Title: "Medial T2", Compartment: true}, "medial T2"},
		{Endpoint{Name: "medial-tibial", Title: "Medial-tibial median T2", Compartment: true}, "medial-tibial median T2"},
		{Endpoint{Name: "MT", Title: "MT T2", Compartment: true}, "MT T2"},
		{Endpoint{Name: "WOMAC", Title: "WOMAC"}, "WOMAC"},
		{Endpoint{Name: "médial", Title: "endpoint 1", Compartment: true}, "endpoint 1"},
	} {
		if got := c.endpoint.TitleInText(); got != c.want {
			t.Errorf("%s: %q, want %q", c.endpoint.Title, got, c.want)
		}
	}
}
