// Package report writes the results of measurements: tables in Markdown,
// figures as JSON, a chart as SVG, and a comparison with the targets.
package report
