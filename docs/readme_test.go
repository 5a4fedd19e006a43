package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
)

// A translation has the structure of the page that it translates: as many
// headings of each level, the same programs and commands, links to the same
// pages, and tables with as many rows.
func TestTranslationsHaveTheSameStructure(t *testing.T) {
	own := structure(t, "../README.md")
	translated := structure(t, "../README.zh-CN.md")
	testkit.SameLines(t, translated, own)
}

var commandOrLink = regexp.MustCompile("`[^`]+`|\\]\\([^)]+\\)")

// structure returns what must not differ in a translation, part by part: the
// level of a heading, a block, a table's row with its commands and links, and the
// commands and links of a paragraph, in any order.
func structure(t *testing.T, page string) (parts []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	fenced := false
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			slices.Sort(paragraph)
			parts = append(parts, strings.Join(slices.Compact(paragraph), " "))
			paragraph = nil
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			parts = append(parts, line)
		case fenced, strings.HasPrefix(line, "    "):
			parts = append(parts, line)
		case line == "":
			end()
		case strings.HasPrefix(line, "#"):
			parts = append(parts, line[:strings.IndexByte(line, ' ')])
		case strings.HasPrefix(line, "|"):
			parts = append(parts, "| "+strings.Join(commandOrLink.FindAllString(line, -1), " "))
		default:
			if strings.HasPrefix(line, "- ") {
				end()
				paragraph = append(paragraph, "-")
			}
			for _, part := range commandOrLink.FindAllString(line, -1) {
				if !strings.HasPrefix(part, "](README") { // from one language to another
					paragraph = append(paragraph, part)
				}
			}
		}
	}
	end()
	return parts
}
