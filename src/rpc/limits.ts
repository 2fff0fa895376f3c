// The limits of clients: every number that keeps a slow, greedy or broken client from harming the node, in one place.
//
// What a single call may cost is in price.ts.

import type { TurnLimits } from './client-scheduler.ts'
import type { HeldLimits } from './held-bytes.ts'

/** The limits of a server. */
export interface RpcLimits extends TurnLimits, HeldLimits {
  /** Bytes of a request at most. */
  readonly bodyBytesMax: number
  /** Calls in a batch at most. */
  readonly batchMax: number
  /** Milliseconds of the event loop that the calls of one request may take: the rest of a batch is refused then. */
  readonly requestMsMax: number
  /** Lists and objects within each other at most. */
  readonly depthMax: number
  /** Members of objects in a request at most, and items of lists: a megabyte of names costs a second to parse. */
  readonly membersMax: number
  /** Characters in an answer at most; in a batch all calls together. */
  readonly answerCharactersMax: number
  /** Headers of a request that are read; a browser sends twenty. */
  readonly headersMax: number
  /** Milliseconds until a request's headers must be there. */
  readonly headersTimeoutMs: number
  /** Milliseconds until a whole request must be there. */
  readonly requestTimeoutMs: number
  /** Milliseconds that a connection may wait for its next request. */
  readonly keepAliveMs: number
  /** Milliseconds without a byte in either direction after which a connection is cut. */
  readonly idleMs: number
  /** Milliseconds between looks at those deadlines. */
  readonly deadlineCheckMs: number
  /** Milliseconds after which the connection of a request that was refused before it was read is cut. */
  readonly lingerMs: number
  readonly connectionsMax: number
  /** Of them, those of one address; this machine has no limit of its own. */
  readonly connectionsPerAddressMax: number
  /** Calls per second and address in the long run, and at once after a pause: room for clients' batches. */
  readonly callsPerSecond: number
  readonly callsBurst: number
  /** Milliseconds that a closing server waits for the answers that are under way. */
  readonly closeGraceMs: number
}

/** The limits of a node. */
export const RPC_LIMITS: RpcLimits = {
  bodyBytesMax: 1_000_000,
  batchMax: 1_000,
  requestMsMax: 1_000,
  depthMax: 32,
  membersMax: 20_000,
  answerCharactersMax: 25_000_000,
  headersMax: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 30_000,
  idleMs: 60_000,
  deadlineCheckMs: 1_000,
  lingerMs: 1_000,
  connectionsMax: 512,
  connectionsPerAddressMax: 128,
  callsPerSecond: 50_000,
  callsBurst: 100_000,
  closeGraceMs: 2_000,
  // More than the longest answer; a program on this machine may ask for a few of them at once.
  addressBytesMax: 40_000_000,
  strangersBytesMax: 80_000_000,
  localBytesMax: 120_000_000,
  // A turn is short beside the 100 ms in which a node should answer its peers.
  turnMs: 10,
  // Shorter than the usual timeouts of clients: an answer after those is useless.
  waitMaxMs: 5_000,
  waitingMax: 1_024,
  // A second of work is some ten thousand balances.
  addressCredit: { share: 0.15, burstMs: 1_000 },
  strangersCredit: { share: 0.3, burstMs: 1_000 },
  // A test suite or an indexer beside the node is never held up by this, unless it asks for minutes of work at once.
  localCredit: { share: 0.6, burstMs: 10_000 },
}
