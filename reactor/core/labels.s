// The compiler accepts a function without a body, such as GoroutineLabels, in a
// package that has a file of assembly.
