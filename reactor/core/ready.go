package core

// A Job is what can stand in the ready queue: a job, which needs a worker to
// run on, as a task to be started or a callback to be called does; or a *worker,
// whose task is to be resumed. Code that has one asks for the *Worker alone: to ask
// for another interface than it is takes a search, and a stack.
type Job interface{ Exec(w *Worker) }

// Exec is never called: a worker is resumed, not executed.
func (w *Worker) Exec(*Worker) { panic("reactor: a worker executed as a job") }

// readyQueue is the FIFO of all that can run: a ring that doubles when full.
//
// Invariants: len(buf) is zero or a power of two; the n entries from head on,
// modulo len(buf), are the queue; all others are nil, so that nothing which
// ran is kept alive.
type readyQueue struct {
	buf  []Job
	head int
	n    int
}

func (q *readyQueue) push(r Job) {
	if q.n == len(q.buf) {
		q.grow()
	}
	q.buf[(q.head+q.n)&(len(q.buf)-1)] = r
	q.n++
}

// pushFront puts r before all others.
func (q *readyQueue) pushFront(r Job) {
	if q.n == len(q.buf) {
		q.grow()
	}
	q.head = (q.head - 1) & (len(q.buf) - 1)
	q.buf[q.head] = r
	q.n++
}

func (q *readyQueue) pop() Job {
	r := q.buf[q.head]
	q.buf[q.head] = nil
	q.head = (q.head + 1) & (len(q.buf) - 1)
	q.n--
	return r
}

// at returns the i-th in the queue.
func (q *readyQueue) at(i int) Job { return q.buf[(q.head+i)&(len(q.buf)-1)] }

func (q *readyQueue) grow() {
	buf := make([]Job, max(64, 2*len(q.buf)))
	for i := range q.n {
		buf[i] = q.buf[(q.head+i)&(len(q.buf)-1)]
	}
	q.buf, q.head = buf, 0
}

func (q *readyQueue) check() string {
	if len(q.buf)&(len(q.buf)-1) != 0 {
		return "ready queue: length is no power of two"
	}
	for i := range q.buf {
		used := (i-q.head)&(len(q.buf)-1) < q.n
		if used != (q.buf[i] != nil) {
			return "ready queue: entries and count disagree"
		}
	}
	return ""
}
