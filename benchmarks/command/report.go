package command

import (
	"io"

	"github.com/spf13/cobra"

	"muster.sh/muster/benchmarks/report"
)

func newReport() *cobra.Command {
	return &cobra.Command{
		Use: "report DIR", Short: "Compare the results in a folder", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return writeReport(args[0], c.OutOrStdout()) },
	}
}

func writeReport(dir string, out io.Writer) error {
	results, err := report.Load(dir)
	if err != nil {
		return err
	}
	r := report.New(results)
	if err := r.Write(dir); err != nil {
		return err
	}
	if err := r.WritePage(dir, results); err != nil {
		return err
	}
	return r.Render(out)
}
