package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/t2map/t2map/dicomio"
	"github.com/t2map/t2map/protocol"
)

// Nobody waits for a mask beyond its own end.
func TestMadeOnceWaits(t *testing.T) {
	j := Job{Input: NewInput(dicomio.Train{})}
	<-j.Input.made.turn // another job has it made
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := j.readMask(ended, protocol.Protocol{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended job that waits: %v", err)
	}
}
