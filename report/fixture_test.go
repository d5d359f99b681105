package report

import (
	"math"
	"time"

	"github.com/t2map/t2map/number"
	"github.com/t2map/t2map/samples/sampletest"
	"github.com/t2map/t2map/segment"
	"github.com/t2map/t2map/volume"
)

// rings makes a study of sampletest.Rings.
func rings(n, slices int) Study {
	echo, maps, labels := sampletest.Rings(n, slices)
	return Study{
		Echo: echo, Maps: maps, WriteMaps: true,
		Regions: segment.Regions{Labels: labels, Names: []string{"medial", "lateral", "patellofemoral"}},
		Result:  sampleResult(echo.Geometry),
	}
}

// noTexture is that of a row in which none was measured.
var noTexture = segment.Texture{Contrast: number.Float(math.NaN()), Entropy: number.Float(math.NaN()),
	Homogeneity: number.Float(math.NaN())}

// sampleResult returns a result with figures that cover the cases of tables:
// a full compartment, one whose voxels are all excluded, one without voxels.
func sampleResult(g volume.Geometry) Result {
	nan := number.Float(math.NaN())
	return Result{
		Version: "1.2.3", Subject: "S01", Visit: "month03", Study: "5f0c1a9e77d2b3c4", Series: "a1b2c3d4", Side: "left",
		Protocol: Protocol{Name: "oai", Method: "nlls", SkippedEchoes: 1, T2RangeMS: [2]float64{0, 100},
			Scheme: "compartments", Labels: []segment.Label{{Value: 1, Name: "medial"}, {Value: 2, Name: "lateral"}},
			Maps: "mask"},
		TE: []float64{10, 20, 30, 40.5}, Size: g.Size, Spacing: g.Spacing(),
		Scanner: &Scanner{Manufacturer: "SIEMENS", Model: "Prisma", FieldT: 2.89362, Serial: "0123456789ab",
			Software: "=E11"},
		Acquisition: &Acquisition{TRMS: 2700, FlipDegrees: nan, PixelBandwidthHz: 250.4,
			PixelSpacingMM: [2]float64{0.3125, 0.3}, Sequence: "se"},
		Compartments: []segment.Summary{
			{
				Compartment: "medial", Region: segment.All, Layer: segment.All, Voxels: 120, Used: 100,
				Excluded: segment.Excluded{LowSignal: 6, NotDecaying: 5, NotConverged: 1, OutOfRange: 4, PoorFit: 1, AtBound: 1,
					Saturated: 2},
				MeanT2: 38.214999, SEMeanT2: 0.12345, SDT2: 9.1, MedianT2: 37, Q1T2: 31.005, Q3T2: 44.25, MeanR2: 0.98765,
				VolumeMM3: 41.26, MeanFraction: 0.9125, PlateMeanT2: 37.5,
				Texture: segment.Texture{Pairs: 400, Contrast: 2.5, Entropy: 4.25, Homogeneity: 0.625},
			},
			{
				Compartment: "lateral", Region: segment.All, Layer: segment.All, Voxels: 3,
				Excluded: segment.Excluded{LowSignal: 3},
				MeanT2:   nan, SEMeanT2: nan, SDT2: nan, MedianT2: nan, Q1T2: nan, Q3T2: nan, MeanR2: nan, VolumeMM3: 1.03125,
				MeanFraction: 0.5, PlateMeanT2: nan, Texture: noTexture, Note: "no voxel with a sound T2",
			},
			{
				Compartment: "patellofemoral", Region: segment.All, Layer: segment.All, MeanT2: nan, SEMeanT2: nan, SDT2: nan,
				MedianT2: nan, Q1T2: nan, Q3T2: nan, MeanR2: nan, MeanFraction: nan, PlateMeanT2: nan, Texture: noTexture,
				Note: "no voxels in the mask",
			},
		},
		Regions: []segment.Summary{
			{
				Compartment: "medial", Region: segment.All, Layer: "deep", Voxels: 60, Used: 59,
				Excluded: segment.Excluded{LowSignal: 1},
				MeanT2:   34.5, SEMeanT2: 0.2, SDT2: 8, MedianT2: 34, Q1T2: 29, Q3T2: 39, MeanR2: 0.98, VolumeMM3: 20.63,
				MeanFraction: 0.95, PlateMeanT2: nan, Texture: noTexture,
			},
			{
				Compartment: "medial", Region: "medial-tibial", Layer: segment.All, Voxels: 1, Used: 1,
				MeanT2: 40, SEMeanT2: nan, SDT2: nan, MedianT2: 40, Q1T2: 40, Q3T2: 40, MeanR2: 0.9, VolumeMM3: 0.34,
				MeanFraction: 0.75, PlateMeanT2: nan, Texture: noTexture, Note: "one voxel with a sound T2, no SD",
			},
		},
		Decays: []Decay{
			{Compartment: "medial", Voxels: 100, Signal: []number.Float{700, 592, 456, 346}, T2: 38.1, S0: 1000,
				SNRFirst: 29.6, SNRLast: 17.3},
			{Compartment: "lateral", Signal: []number.Float{nan, nan, nan, nan}, T2: nan, S0: nan, SNRFirst: nan, SNRLast: nan},
			{Compartment: "patellofemoral", Signal: []number.Float{nan, nan, nan, nan}, T2: nan, S0: nan, SNRFirst: nan,
				SNRLast: nan},
		},
		Noise: Noise{Source: "residuals", Sigma: []number.Float{20, 19.5, nan}},
		Mask: Mask{Path: "S01/seg.dcm", Kind: "SEG", Segments: []segment.Reading{
			{Number: 1, Label: "Medial", Meaning: "medial", Source: "label", Voxels: 120},
			{Number: 2, Label: "LTC", Meaning: "lateral", Source: "code", Voxels: 3}},
			Read: &SignedRead{Reader: "A1", Revision: 2, Time: time.Date(2025, 3, 4, 15, 6, 7, 89e6, time.UTC),
				Adjudicated: true, SHA256: "cd"}},
		LossyImages: true, Warnings: []string{"images were compressed with loss"},
		Notes:  []string{"2 files passed over: not DICOM"},
		Inputs: []File{{Path: "IM_0001.dcm", SHA256: "00"}},
	}
}
