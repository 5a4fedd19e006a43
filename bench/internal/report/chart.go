package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
)

// A Chart consists of panels of horizontal bars, two panels side by side.
type Chart struct {
	Title, Note string
	Panels      []Panel
}

// A Panel shows one shape. Its bars start at 0 and have their own scale; a line
// marks 1 if Line is set.
type Panel struct {
	Title string
	Bars  []Bar
	Line  bool
}

// A Bar is one figure; eddy's bars have their own color.
type Bar struct {
	Label string
	Value float64
	Ours  bool
}

const (
	chartWidth  = 900
	panelWidth  = chartWidth/2 - 20
	labelWidth  = 130
	figureWidth = 50
	barHeight   = 14
	barStep     = 18
	titleHeight = 30
	panelGap    = 22
	chartTop    = 58
)

// SVG draws the chart. It is readable on a light and on a dark page.
func (c Chart) SVG() []byte {
	var body bytes.Buffer
	y := chartTop
	for i := 0; i < len(c.Panels); i += 2 {
		row := c.Panels[i:min(i+2, len(c.Panels))]
		height := 0
		for j, p := range row {
			p.draw(&body, 10+j*(panelWidth+20), y)
			height = max(height, titleHeight+len(p.Bars)*barStep)
		}
		y += height + panelGap
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12">
<style>
text { fill: #222 } .faint { fill: #777 } .bar { fill: #9db4c8 } .ours { fill: #1f6fb2 } .line { stroke: #c33; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .faint { fill: #999 } .bar { fill: #5b6b7a } .ours { fill: #4da3e8 } }
</style>
<text x="10" y="22" font-size="16">%s</text>
<text x="10" y="42" class="faint">%s</text>
`, chartWidth, y, escape(c.Title), escape(c.Note))
	b.Write(body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p Panel) draw(w *bytes.Buffer, x, y int) {
	most := 1e-9
	for _, b := range p.Bars {
		if !math.IsNaN(b.Value) && !math.IsInf(b.Value, 0) {
			most = max(most, b.Value)
		}
	}
	scale := float64(panelWidth-labelWidth-figureWidth) / most
	fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s</text>\n", x, y+14, escape(p.Title))
	left, top := x+labelWidth, y+titleHeight
	for i, b := range p.Bars {
		b.draw(w, x, left, top+i*barStep, scale)
	}
	if p.Line {
		at := float64(left) + scale
		fmt.Fprintf(w, "<line class=\"line\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", at, top-4, at, top+len(p.Bars)*barStep)
	}
}

func (b Bar) draw(w *bytes.Buffer, x, left, y int, scale float64) {
	class, length := "bar", b.Value*scale
	if b.Ours {
		class = "ours"
	}
	if math.IsNaN(length) || math.IsInf(length, 0) {
		length = 0
	}
	fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\">%s</text>", x, y+barHeight-3, escape(b.Label))
	fmt.Fprintf(w, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", class, left, y, length, barHeight)
	fmt.Fprintf(w, "<text x=\"%.1f\" y=\"%d\" class=\"faint\">%s</text>\n", float64(left)+length+5, y+barHeight-3, Figure(b.Value))
}

func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
