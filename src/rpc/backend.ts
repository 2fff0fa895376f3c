// What the RPC needs of a node: the replica to read from, and the few calls that take time or change something. src/node
// satisfies it; tests use a replica and a Map.

import type { Address } from '../chain/address.ts'
import type { Transaction } from '../chain/transaction.ts'
import type { AgreementReport } from '../finality/contract.ts'
import type { SubmitResult } from '../replica/effects.ts'
import type { CorruptStore } from '../replica/records.ts'
import type { Replica } from '../replica/replica.ts'

/** One connection to another node. */
export interface RpcPeer {
  readonly id: string
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

/** What a node has done since it was started. */
export interface RpcCounters {
  /** Messages and bytes sent, by kind. */
  readonly sent: ReadonlyMap<string, { readonly messages: number; readonly bytes: number }>
  readonly signaturesChecked: number
  readonly hashes: number
  readonly reorganisations: number
  readonly deepestReorganisation: number
}

/** A node as its RPC sees it. The replica must have been started. */
export interface RpcBackend {
  /** Such as `0.1.0`. */
  readonly version: string
  /** Read only: an answer is read from it within one turn of the event loop, so that none mixes two states. */
  readonly replica: Replica
  /** Submits the bytes of a signed transaction (EIP-2718); resolves when the outcome is durable. */
  submit(raw: Uint8Array): Promise<SubmitResult>
  /** Recovers the senders of these transactions in threads, so that the replica finds them in the cache. */
  recoverSenders(transactions: readonly Transaction[]): Promise<void>
  /** Mines for this account, without end (null) or for so many blocks; a null beneficiary stops. */
  setMining(beneficiary: Address | null, blocks: number | null): void
  /** Hashes per second. */
  hashrate(): number
  peers(): readonly RpcPeer[]
  /** The state of the validators' agreement; null in a network without validators. */
  finalityReport(): AgreementReport | null
  counters(): RpcCounters
  /** Stops the node: what it has on disk is damaged. */
  fail(damage: CorruptStore): void
  /** Heights of the head and of the header it is fetching toward; null when it is not behind. */
  syncProgress(): { readonly height: number; readonly target: number } | null
}
