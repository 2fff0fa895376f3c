// A gate that the threads pass, one signature at a time, on their way into the native code, and that is shut before a
// thread is terminated. A thread that is terminated while it calls an addon can't be stopped there: the call fails,
// node-addon-api throws an error that can not be caught, and the whole process aborts (seen with secp256k1 5.0.2 in one
// of a hundred terminations). Exiting the process terminates its threads too.
//
// Each side writes its own cell before it reads the other's, so never are both sure to be first (Dekker 1965).

/** The gate's memory: 8 bytes, shared by a thread and the one that ends it. */
export type GateCells = Int32Array<SharedArrayBuffer>

const IS_SHUT = 0
const IS_INSIDE = 1

// Far longer than a signature takes; a thread that is still inside then hangs, and is ended all the same.
const LEAVE_TIMEOUT_MS = 1000

/** One thread's gate, of which both sides have an instance over the same cells. */
export class Gate {
  readonly cells: GateCells

  constructor(cells: GateCells = new Int32Array(new SharedArrayBuffer(8))) {
    this.cells = cells
  }

  /** Whether the thread may do what must not be ended half-way. If so it must `leave` afterwards. */
  enter(): boolean {
    Atomics.store(this.cells, IS_INSIDE, 1)
    if (Atomics.load(this.cells, IS_SHUT) === 0) return true
    this.leave()
    return false
  }

  /** The thread is out again. */
  leave(): void {
    Atomics.store(this.cells, IS_INSIDE, 0)
    Atomics.notify(this.cells, IS_INSIDE)
  }

  /** Lets the thread in no more and waits, blocking, until it is out: as long as one signature takes. */
  shut(): void {
    Atomics.store(this.cells, IS_SHUT, 1)
    Atomics.wait(this.cells, IS_INSIDE, 1, LEAVE_TIMEOUT_MS)
  }
}
