package batch

import (
	"errors"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/register"
	"github.com/t2map/t2map/report"
	"github.com/t2map/t2map/segment/anatomy"
)

// reasonOf returns the code of a failure, from the types of the errors in its chain. Errors that may occur at any
// stage decide first, then the place where the failure occurred, then the topic of an error about the images.
func reasonOf(err error) report.Reason {
	var placed *pipeline.ReasonError
	var file *dicomio.FileError
	var train *dicomio.TrainError
	switch {
	case errors.As(err, new(*pipeline.PanicError)):
		return report.ReasonPanic
	case outfile.Full(err):
		return report.ReasonDisk
	case errors.As(err, new(*pipeline.MemoryError)):
		return report.ReasonMemory
	case errors.As(err, new(*anatomy.SideError)), errors.As(err, new(*register.MirrorError)), withoutSide(err):
		return report.ReasonSide
	case errors.As(err, &placed):
		return placed.Reason
	case errors.As(err, &train):
		return imageReason(train.Topic, train)
	case errors.As(err, &file):
		return imageReason(file.Topic, file)
	case errors.As(err, new(*pipeline.SettingError)):
		return report.ReasonSetting
	}
	return report.ReasonOther
}

// withoutSide reports whether a mask cannot be divided because the side of the knee is not known.
func withoutSide(err error) bool {
	var fault *anatomy.Error
	return errors.As(err, &fault) && fault.Problem == anatomy.NoSide
}

// topicReasons are the codes of errors about images.
var topicReasons = map[dicomio.Topic]report.Reason{
	dicomio.TopicFile: report.ReasonDamaged, dicomio.TopicEchoes: report.ReasonEchoTimes,
	dicomio.TopicGeometry: report.ReasonGeometry, dicomio.TopicSide: report.ReasonSide,
	dicomio.TopicQuantity: report.ReasonNoSeries, dicomio.TopicMissing: report.ReasonMissingImages,
	dicomio.TopicDuplicates: report.ReasonDuplicates, dicomio.TopicAcquisition: report.ReasonAcquisition,
	dicomio.TopicAttributes: report.ReasonAttributes,
}

// imageReason returns the code of an error about images. A file that is neither invalid nor unsupported could not be
// read by the system.
func imageReason(topic dicomio.Topic, err error) report.Reason {
	switch {
	case errors.Is(err, dicomio.ErrUnsupported):
		return report.ReasonUnsupported
	case !errors.Is(err, dicomio.ErrInvalid):
		return report.ReasonUnreadable
	}
	return topicReasons[topic]
}
