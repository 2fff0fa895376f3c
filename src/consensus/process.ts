// The contract of a message-passing protocol: a state machine. Inputs in, effects out, in the order in which they must be
// done; it never waits, sends, reads a clock or draws a random number. A family of protocols adds commands and outputs of
// its own: log.ts has those of a total order.
//
// The caller gives a process `start` first and once, and performs the effects in their order. A `persist` stands
// before all that depends on it: it must be durable before anything after it is done.

/** The index of a member: 0 to n − 1. */
export type MemberIndex = number

/** The name of a peer, as the transport knows it: where a message came from. A peer need not be a member. */
export type PeerId = string

/** An input of a process; a family adds what `start` says (`Start`), and commands of its own. */
export type Input<Message, Record, Command, Start = unknown> =
  /** The first input: the records that were persisted, by key. */
  | ({ readonly type: 'start'; readonly records: ReadonlyMap<string, Record> } & Start)
  | { readonly type: 'message'; readonly from: PeerId; readonly message: Message }
  /** A timer fired. Its name is the process's own. */
  | { readonly type: 'timeout'; readonly name: string }
  | Command

/** An effect of a process; a family adds outputs of its own. */
export type Effect<Message, Record, Output> =
  /** Durable before anything after it is done; null removes. */
  | { readonly type: 'persist'; readonly key: string; readonly record: Record | null }
  | { readonly type: 'send'; readonly to: MemberIndex; readonly message: Message }
  /** To the source of a message, member or not. */
  | { readonly type: 'reply'; readonly to: PeerId; readonly message: Message }
  /** To all members but the process itself, and to those that follow. */
  | { readonly type: 'broadcast'; readonly message: Message }
  /** Replaces a timer of the same name. */
  | { readonly type: 'set-timer'; readonly name: string; readonly delayMs: number }
  /** A timer that was cleared never fires. */
  | { readonly type: 'clear-timer'; readonly name: string }
  /** A message was refused for what no correct peer can send. */
  | { readonly type: 'refuse'; readonly from: PeerId; readonly reason: string }
  | Output

/** A value that JSON can hold, in its one form: the keys of objects in order. */
export type Snapshot =
  | string
  | number
  | boolean
  | null
  | readonly Snapshot[]
  | { readonly [key: string]: Snapshot }

/** A protocol that speaks in messages. */
export interface Process<Message, Record, Command, Output, Start = unknown> {
  step(input: Input<Message, Record, Command, Start>): Effect<Message, Record, Output>[]
  /** All that decides what it does next; two processes with equal snapshots do the same from here on. */
  readonly snapshot: Snapshot
}
