package core

// A Job is an entry of the ready queue: a job that needs a worker to run on,
// such as a task to start or a callback to call, or a *Worker, whose task is to
// be resumed. Type-switch on *Worker only: assertions to other interfaces are
// slow and take stack.
type Job interface{ Exec(w *Worker) }

// Exec is never called: a worker is resumed, not executed.
func (w *Worker) Exec(*Worker) { panic("reactor: a worker executed as a job") }

// readyQueue is the FIFO of everything that can run: a ring that doubles when
// full.
//
// Invariants: len(buf) is zero or a power of two; the n entries from head on,
// modulo len(buf), are the queue; all others are nil, so that jobs that ran are
// not kept alive.
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

// at returns the i-th entry of the queue.
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
