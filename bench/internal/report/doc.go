// Package report writes what was measured: tables in Markdown, results as JSON,
// a chart as SVG, and how the figures compare with the targets. It knows nothing
// of how they were taken.
package report
