// Package trial analyses the results of a trial: values by arm and visit, changes from baseline, the mixed
// model with its differences from the reference arm, supporting tests, the change of each subject against
// the repeatability of the measurement, and flags of everything that casts doubt on a value.
//
// It reads tables (compartments.csv, studies.csv, a design, other endpoints), not images. Only this package
// joins arms to results: images are mapped without knowledge of the arms.
//
// Values and changes are in the unit of the endpoint, ms for T2; visits are in months; a name says percent
// where it applies. A number that does not exist is NaN with a reason, never 0.
package trial
