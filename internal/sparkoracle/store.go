package sparkoracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Read reads stored answers.
func Read[A any](path string) (answers A, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return answers, err
	}
	if err := json.Unmarshal(text, &answers); err != nil {
		return answers, fmt.Errorf("decode %s: %w", path, err)
	}
	return answers, nil
}

// WriteList writes a list as JSON, one element a line so that changes show well.
func WriteList[T any](out *bytes.Buffer, list []T) error {
	out.WriteByte('[')
	for i, item := range list {
		text, err := json.Marshal(item)
		if err != nil {
			return fmt.Errorf("encode answers: %w", err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(text)
	}
	out.WriteString("\n]")
	return nil
}
