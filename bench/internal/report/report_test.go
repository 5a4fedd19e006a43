package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMedian(t *testing.T) {
	for _, x := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		before := append([]float64{}, x.values...)
		if got := Median(x.values); got != x.want {
			t.Errorf("the median of %v is %v", x.values, got)
		}
		for i := range before {
			if before[i] != x.values[i] {
				t.Errorf("Median changed %v to %v", before, x.values)
			}
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("nothing has a median")
	}
}

// On a machine that gets slower from round to round, the ratio of the medians
// would depend on which rounds they come from.
func TestRatioIsTakenWithinRounds(t *testing.T) {
	if got := Ratio([]float64{2, 20, 200}, []float64{1, 10, 100}); got != 2 {
		t.Errorf("the ratio is %v, not 2", got)
	}
	if got := Ratio([]float64{1, 20, 30}, []float64{1, 10, 1}); got != 2 {
		t.Errorf("the median of 1, 2 and 30 is %v", got)
	}
	if got := Ratio([]float64{2, 2, 2}, []float64{0, 1}); got != 2 {
		t.Errorf("with a round that has no ratio, and one that is missing: %v", got)
	}
	if !math.IsNaN(Ratio(nil, []float64{1})) {
		t.Error("nothing has a ratio to something")
	}
}

func TestTable(t *testing.T) {
	table := Table{Head: []string{"server", "µs"}}
	table.Add("eddy", "1.00")
	table.Add("a long name", "12,345")
	var b bytes.Buffer
	table.Print(&b)
	want := `| server      |     µs |
| ----------- | -----: |
| eddy        |   1.00 |
| a long name | 12,345 |
`
	if b.String() != want {
		t.Errorf("the table is\n%s", b.String())
	}
}

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.1234: "0.123", 1.005: "1.00", 12.34: "12.3", 99.99: "100.0", 123.4: "123",
		1234: "1,234", 1234567: "1,234,567", -1234: "-1,234", -123456: "-123,456"} {
		if got := Figure(v); got != want {
			t.Errorf("%v is written %s, not %s", v, got, want)
		}
	}
	if Figure(math.NaN()) != "–" || Times(math.Inf(1)) != "–" || Times(0.5) != "0.50" {
		t.Error("what is no figure is written as one")
	}
}

func TestTargets(t *testing.T) {
	var b bytes.Buffer
	missed := PrintTargets(&b, []Target{
		{What: "low", Got: 1, Bound: 1}, {What: "too high", Got: 1.2, Bound: 1},
		{What: "high", Got: 2, Bound: 2, AtLeast: true}, {What: "too low", Got: 1.9, Bound: 2, AtLeast: true},
		{What: "unknown", Got: math.NaN(), Bound: 1},
	})
	if missed != 2 {
		t.Errorf("%d targets were missed", missed)
	}
	for what, met := range map[string]string{"low": "yes", "too high": "no", "high": "yes", "too low": "no"} {
		if !regexp.MustCompile(`(?m)^\| ` + what + ` +\|.*\| +` + met + ` \|$`).MatchString(b.String()) {
			t.Errorf("%q does not say %q in\n%s", what, met, b.String())
		}
	}
	if bytes.Contains(b.Bytes(), []byte("unknown")) {
		t.Error("the table has a line for what was not measured")
	}
}

// elements reads a chart to its end.
func elements(t *testing.T, svg []byte) (names map[string]int) {
	t.Helper()
	names = map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			names[e.Name.Local]++
		}
	}
}

func TestChart(t *testing.T) {
	c := Chart{Title: "a < b", Note: "here & now", Panels: []Panel{
		{Title: "one", Line: true, Bars: []Bar{{"x", 1, false}, {"eddy", 1.1, true}}},
		{Title: "two", Bars: []Bar{{"none", math.NaN(), false}}},
		{Title: "empty"},
	}}
	svg := c.SVG()
	if !utf8.Valid(svg) || bytes.Contains(svg, []byte("NaN")) {
		t.Errorf("the chart is\n%s", svg)
	}
	names := elements(t, svg)
	if names["rect"] != 3 || names["line"] != 1 || names["svg"] != 1 {
		t.Errorf("the chart has %v", names)
	}
}

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	var out bytes.Buffer
	type results struct {
		*Run
		Value float64
	}
	r := results{Begin(&out, "x", []string{"-a", "1"}, "a machine"), 7}
	r.Skip("without y: a reason\nin all its length")
	if err := r.Save(dir, r, Chart{Title: "x"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "x.json"))
	var back results
	if err != nil || json.Unmarshal(text, &back) != nil || back.Value != 7 || back.Command != "go run ./x -a 1" || back.Machine != "a machine" ||
		len(back.Skipped) != 1 || back.Skipped[0] != "without y: a reason\nin all its length" {
		t.Errorf("x.json is %s, %v", text, err)
	}
	printed := out.String()
	if md, err := os.ReadFile(filepath.Join(dir, "x.md")); err != nil || string(md) != printed {
		t.Errorf("x.md is %q, %v", md, err)
	}
	if !strings.Contains(printed, "\nwithout y: a reason\n") || strings.Contains(printed, "length") {
		t.Errorf("what is skipped is told so:\n%s", printed)
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "x.svg")); err != nil || elements(t, svg)["svg"] != 1 {
		t.Errorf("x.svg is %q, %v", svg, err)
	}
	r.Value = math.NaN()
	if r.Save(dir, r, Chart{}) == nil {
		t.Error("NaN was written as JSON")
	}
}

func TestInterleave(t *testing.T) {
	lines := []Line[int]{{Key: "a"}, {Key: "b"}, {Key: "c"}}
	var order []string
	Interleave(3, lines, func(i int) (int, error) {
		order = append(order, lines[i].Key)
		if i == 1 && len(order) > 3 {
			return 0, errors.New("a reason")
		}
		return len(order), nil
	})
	if got := strings.Join(order, ""); got != "abcabcac" {
		t.Errorf("the order is %s", got)
	}
	b := Find(lines, "b")
	if got := Find(lines, "a").Median(func(v int) float64 { return float64(v) }); got != 4 || len(b.Rounds) != 1 || b.Error != "a reason" {
		t.Errorf("the lines are %+v", lines)
	}
	if got := Measured(append(lines, Line[int]{Key: "d"})); len(got) != 3 {
		t.Errorf("measured are %v", got)
	}
	var out bytes.Buffer
	PrintFailures(&out, lines)
	if out.String() != "\n failed: a reason\n" {
		t.Errorf("it says %q", out.String())
	}
}
