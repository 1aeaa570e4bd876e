package sparkdist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// FlightsCSV is the name of the flights' file in [Dist.DataDir] and, below
// [DataPath], in the image.
const FlightsCSV = "flights.csv"

// unpackFlights takes the flights out of their source package. They lie in it as
// a zip file, which Spark cannot read; gzip would be one piece that no two
// executors can share. So they are kept plain.
func unpackFlights(ctx context.Context, sdist, dir string) error {
	found := false
	err := walkArchive(ctx, sdist, func(int64) {}, func(h *tar.Header, r io.Reader) error {
		if path.Base(h.Name) != FlightsCSV+".zip" {
			return nil
		}
		found = true
		packed, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return unzipOne(packed, FlightsCSV, filepath.Join(dir, FlightsCSV))
	})
	if err == nil && !found {
		err = errors.New("no flights.csv.zip in the source package")
	}
	return err
}

// unzipOne writes the file of that name in a zip archive to dest.
func unzipOne(packed []byte, name, dest string) error {
	zr, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return err
	}
	f, err := zr.Open(name)
	if err != nil {
		return fmt.Errorf("open %s in the zip file: %w", name, err)
	}
	defer f.Close()
	return writeFile(dest, f, os.FileMode(0o644))
}
