// Why a peer can't be reached, in words for the operator who gave its address. The system's error codes say most of it;
// of what libp2p throws, names and beginnings of messages are matched.

/** What the codes of Node's sockets and of its name lookup mean here. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the other side broke the connection off'],
  ['EHOSTUNREACH', 'no route to that host'],
  ['ENETUNREACH', 'no route to that network'],
  ['ETIMEDOUT', 'no answer'],
  ['ENOTFOUND', 'no host has that name'],
  ['EAI_AGAIN', 'the name could not be looked up'],
])

/** What libp2p's texts mean here, by what they contain. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/does not match expected remote identity key/, 'the peer there has another id'],
  [/dial self/i, 'it is this node itself'],
  [/timed? ?out|timeout|aborted/i, 'no answer'],
  [
    /Unexpected EOF|stream closed/i,
    'what listens there ends the connection: it may be full, or no node of quorate',
  ],
  [/connection gater|denied/i, 'the peer is denied for a while'],
]

/** The reason of a failed dial in a few words. */
export function explainDialFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Of several addresses each has its own error; a person gives one.
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
  const { code = '', message: text }: NodeJS.ErrnoException = first
  return CODES.get(code) ?? TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? text.replaceAll(/\s+/g, ' ')
}
