// What strangers set off (events of libp2p and of streams, timers that act on what they said, requests) must not end the
// process: an exception in a listener or a timer, or a promise that nobody awaits, would. Each such handler is wrapped
// here, so that what it throws becomes one line in the log, with its stack, for it is a mistake of ours; and the peer that
// set it off is dropped where there is somebody to drop.

/** Where faults are told. A pino logger is one. */
export interface FaultLog {
  error(details: { readonly err: unknown }, text: string): void
}

/**
 * The handler, for an event or a timer to call: it never throws, and a promise that it returns is looked after. `what`
 * names it in the log; `drop` gets what the handler got and ends its business with whoever sent that.
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
