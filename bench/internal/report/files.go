package report

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Write writes name.json, with v, and name.md and name.svg into a folder, which
// it makes. What is nil is not written.
func Write(dir, name string, v any, markdown, svg []byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	for ending, content := range map[string][]byte{".json": append(text, '\n'), ".md": markdown, ".svg": svg} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name+ending), content, 0o666); err != nil {
			return err
		}
	}
	return nil
}
