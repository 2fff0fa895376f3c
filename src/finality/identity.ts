// What a node is among the validators: its key, if it has one, and the name by which its peers know it. The keys, and the
// code that signs with them, are given.

import type { PeerId } from './contract.ts'
import type { RecoverSigner, SignDigest } from './signing.ts'

/** What this node is among the validators. */
export interface Identity {
  /** The peer id under which others know this node. */
  readonly peer: PeerId
  /** 32 bytes, or null for a node that only follows. */
  readonly secretKey: Uint8Array | null
  readonly recover: RecoverSigner
  readonly sign: SignDigest
  /** A number from 0 to 2^32 − 1 that no other life of this validator has. */
  readonly life: number
  /** Vote although no record of earlier votes is left: safe only where there were none. */
  readonly mayForgetVotes: boolean
}
