package power_test

import (
	"context"
	"fmt"
	"log"

	"github.com/t2map/t2map/trial/mmrm"
	"github.com/t2map/t2map/trial/power"
)

// A trial of two visits after baseline, whose changes have a standard deviation of 3 ms, is planned to find a
// difference of 3 ms at the last visit. One subject in ten leaves early. The table has the power for two sizes.
func Example() {
	assumed := power.Assumed{Visits: 2, SD: 3, Correlation: 0.6, Dropout: 0.1}
	scenario, err := assumed.Scenario()
	if err != nil {
		log.Fatal(err)
	}
	scenario.Difference = 3 // ms
	scenario.Model = mmrm.Options{Covariance: mmrm.Unstructured, DF: mmrm.KenwardRoger}

	for _, perArm := range []int{12, 24} {
		result, err := power.Simulate(context.Background(), scenario, perArm, power.Draw{Simulations: 400, Seed: 1})
		if err != nil {
			log.Fatal(err)
		}
		p := result.Power()
		fmt.Printf("%d per arm: %.0f %% (95 %% CI %.0f to %.0f %%)\n", perArm, 100*p.Estimate, 100*p.Low, 100*p.High)
	}
	// Output:
	// 12 per arm: 56 % (95 % CI 50 to 60 %)
	// 24 per arm: 89 % (95 % CI 85 to 92 %)
}
