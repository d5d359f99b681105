package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
)

// A job does not wait for a mask after its context has ended.
func TestMadeOnceWaits(t *testing.T) {
	j := Job{Input: NewInput(dicomio.Train{})}
	<-j.Input.made.turn // another job has it made
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := j.readMask(ended, protocol.Protocol{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended job that waits: %v", err)
	}
}
