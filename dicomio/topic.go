package dicomio

import "github.com/suyashkumar/dicom/pkg/tag"

// Topic is the subject of a FileError or TrainError, which decides what a site can do about it. It does not depend on
// the wording.
type Topic string

// The topics.
const (
	// TopicFile: the file or its pixels are damaged, or cannot be read.
	TopicFile Topic = ""
	// TopicEchoes: the echo times, or the repetition times of the echoes.
	TopicEchoes Topic = "echoes"
	// TopicGeometry: the positions, directions, spacing, matrix or frame of reference of the images.
	TopicGeometry Topic = "geometry"
	// TopicSide: which knee is shown.
	TopicSide Topic = "side"
	// TopicQuantity: the series does not measure T2.
	TopicQuantity Topic = "quantity"
	// TopicMissing: images are missing.
	TopicMissing Topic = "missing"
	// TopicDuplicates: several images have one place and one echo time.
	TopicDuplicates Topic = "duplicates"
	// TopicAcquisition: the acquisition is not the one that the protocol expects.
	TopicAcquisition Topic = "acquisition"
	// TopicAttributes: other attributes are missing, invalid or contradictory.
	TopicAttributes Topic = "attributes"
)

// topics holds the topics of attributes; the others are TopicAttributes.
var topics = map[tag.Tag]Topic{
	tag.PixelData: TopicFile, tag.TransferSyntaxUID: TopicFile,
	tag.EchoTime: TopicEchoes, tag.EffectiveEchoTime: TopicEchoes, tag.RepetitionTime: TopicEchoes,
	tag.ImagePositionPatient: TopicGeometry, tag.ImageOrientationPatient: TopicGeometry,
	tag.PixelSpacing: TopicGeometry, tag.SliceThickness: TopicGeometry, tag.SpacingBetweenSlices: TopicGeometry,
	tag.Rows: TopicGeometry, tag.Columns: TopicGeometry, tag.FrameOfReferenceUID: TopicGeometry,
	tag.PlanePositionSequence: TopicGeometry, tag.PlaneOrientationSequence: TopicGeometry,
	tag.PixelMeasuresSequence: TopicGeometry,
}

// topicOf returns the topic of an error about an attribute.
func topicOf(t tag.Tag) Topic {
	if topic, ok := topics[t]; ok {
		return topic
	}
	return TopicAttributes
}
