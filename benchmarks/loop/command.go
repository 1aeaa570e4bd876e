package loop

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2"
)

// Command is the command of muster-bench that measures, in a process of its own.
const Command = "loop-process"

// Run is that command: it reads an Order, and writes Figures. The scheduler logs
// as muster-scheduler does by default, on the standard error.
func Run(ctx context.Context, in io.Reader, out io.Writer) error {
	var o Order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("read what is to be measured: %w", err)
	}
	if err := logsapi.ValidateAndApply(logsapi.NewLoggingConfiguration(), nil); err != nil {
		return fmt.Errorf("set up the log: %w", err)
	}
	f, err := Measure(klog.NewContext(ctx, klog.Background()), o)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(f); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
