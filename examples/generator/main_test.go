package main

func Example() {
	main()
	// Output:
	// -> coroutine started
	// -> coroutine received: 10
	// Send: coro: generator returned done
	// it returned "done"
	// Next: coro: generator is over
}
