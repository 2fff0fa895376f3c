// How much one client may ask: every number that keeps a slow, greedy or
// broken sender from harming the node.

/** The limits of a server. */
export interface RpcLimits {
  /** Bytes of a request at most. */
  readonly bodyBytesMax: number
  /** Calls in a batch at most. */
  readonly batchMax: number
  /** Lists and objects within each other at most. */
  readonly depthMax: number
  /** Members of objects in a request at most, and items of lists: a megabyte of names costs a second to parse. */
  readonly membersMax: number
  /** Characters in an answer at most; in a batch all calls together. */
  readonly answerCharactersMax: number
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
  /**
   * Milliseconds that the rest of a refused request is read and dropped, so that its sender sees the answer.
   */
  readonly lingerMs: number
  readonly connectionsMax: number
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
  depthMax: 32,
  membersMax: 20_000,
  answerCharactersMax: 25_000_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveMs: 30_000,
  idleMs: 60_000,
  deadlineCheckMs: 1_000,
  lingerMs: 1_000,
  connectionsMax: 512,
  callsPerSecond: 50_000,
  callsBurst: 100_000,
  closeGraceMs: 2_000,
}
