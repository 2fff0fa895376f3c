// Handlers that peers and clients trigger (events of libp2p and of streams, timers set for them, requests) must not end
// the process, as an exception in a listener or timer, or an unhandled rejection, would. Each is wrapped here: what it
// throws is a bug of ours and becomes one log entry with its stack, and the peer that triggered it is dropped where there
// is one.

/** Where faults are logged. A pino logger is one. */
export interface FaultLog {
  error(details: { readonly err: unknown }, text: string): void
}

/**
 * The handler, for an event or a timer to call: it never throws, and a rejection of the promise that it returns is handled.
 * `what` names it in the log; `drop` gets the arguments of the handler, and drops the peer that triggered it.
 */
export function guarded<Given extends readonly unknown[]>(
  log: FaultLog,
  what: string,
  handler: (...given: Given) => unknown,
  drop: (...given: Given) => unknown = () => {},
): (...given: Given) => void {
  const tell = (err: unknown): void => log.error({ err }, `${what} failed`)
  return (...given) => {
    attempt(
      () => handler(...given),
      error => {
        tell(error)
        attempt(() => drop(...given), tell)
      },
    )
  }
}

function attempt(act: () => unknown, onError: (error: unknown) => void): void {
  try {
    const result = act()
    if (result instanceof Promise) result.catch(onError)
  } catch (error) {
    onError(error)
  }
}
