// The compiler accepts a function without a body, such as goroutineLabels, in a
// package that has a file of assembly.
