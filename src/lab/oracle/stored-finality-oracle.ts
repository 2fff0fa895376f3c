// What honest nodes write of an agreement, and what they come back with. The names are those of docs/invariants.md: C7 a
// block is final only together with what proves it, and once; S7 what is stored proves something; S4 no honest member is
// convicted; S9 all that is kept has its bound; C9 the pace of a chain without work.

import type { BlockId } from '../../chain/header.ts'
import type { LogKit } from '../../consensus/kit.ts'
import type { Decision } from '../../consensus/log.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import type { Genesis } from '../../execution/genesis.ts'
import type { PeerId, Write } from '../../replica/effects.ts'
import { KEYS, readCertificatePlace, readChainedHeader, readRecord } from '../../replica/records.ts'
import type { Roster } from '../adversary/roster.ts'
import { EMPTY_DECISIONS, EVIDENCE_RECORDS, VOTE_RECORDS } from '../cluster/finality-keys.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { CertificateOracle } from './certificate-oracle.ts'
import type { NaiveVotes } from './naive-votes.ts'
import type { ProtocolWatch } from './protocol-watch.ts'
import type { ViewOracle } from './view-oracle.ts'
import { Violation } from './violation.ts'
import type { VoteOracle } from './vote-oracle.ts'

/** Records of votes on one disk at most: two checkpoint intervals of slots, and a few besides. */
const VOTE_RECORDS_MAX = 2 * 32 + 8
const EVIDENCE_PER_MEMBER_MAX = 4

/** What the watcher of disks needs of the others. */
export interface StoredFinalityOptions {
  readonly genesis: Genesis
  readonly votes: NaiveVotes
  readonly roster: Roster
  readonly signed: VoteOracle
  readonly certificates: CertificateOracle
  readonly views: ViewOracle
  readonly kit: LogKit
  readonly watch: ProtocolWatch | null
}

/** The disks of one committee's nodes. */
export class StoredFinalityOracle {
  /** The members whom stored evidence convicts. */
  readonly accused = new Set<number>()
  readonly #options: StoredFinalityOptions
  /** The sequence number that decided each height. */
  readonly #sequences = new Map<number, number>()
  readonly #finalHeights = new Map<PeerId, number>()
  readonly #stored = new Set<string>()
  readonly #evidence = new Set<string>()
  /** What was decided, by sequence number. */
  readonly #decided = new Map<number, string>()

  constructor(options: StoredFinalityOptions) {
    this.#options = options
  }

  /** Certificates that honest nodes stored: the same decision may be proved by several. */
  get certificates(): number {
    return this.#stored.size
  }

  /** Different proofs of lies that honest nodes stored. */
  get evidence(): number {
    return this.#evidence.size
  }

  /** Those of them that prove that a view change left out what was committed to. */
  get omissions(): number {
    return [...this.#evidence].filter(proof => proof.startsWith('omission')).length
  }

  /** A node's disk lost what was durable. */
  forget(node: SimNode): void {
    this.#finalHeights.delete(node.id)
  }

  /** Looks at the disk of an honest node that has just started again. */
  afterStart(node: SimNode): void {
    // It may have made another block final in this very step, which is on no disk yet.
    const base = node.disk.durable(KEYS.base)
    const height = base === null ? 0 : readRecord(KEYS.base, base, readChainedHeader).height
    if (height > 0 && !node.disk.isDurable(KEYS.certificate(height)))
      throw new Violation('C7', `${node.id} came back with a final block without its certificate`)
    this.#checkSize(node)
  }

  /** Looks at what an honest node wrote, once it is on its disk. */
  onDurable(node: SimNode, writes: readonly Write[]): void {
    for (const { key, value } of writes) {
      if (value === null) continue
      if (key === KEYS.base) this.#onBase(node, value, writes)
      else if (key.startsWith(VOTE_RECORDS)) this.#onVoteRecord(node, value)
      else if (key.startsWith(EVIDENCE_RECORDS)) this.#onEvidence(node, value)
      else if (key.startsWith(EMPTY_DECISIONS)) this.#onStored(node, this.#decisionIn(value))
    }
  }

  /** A block becomes final only together with what proves it. */
  #onBase(node: SimNode, value: Uint8Array, writes: readonly Write[]): void {
    const { id, height } = readRecord(KEYS.base, value, readChainedHeader)
    if (height === 0) return
    if (height < (this.#finalHeights.get(node.id) ?? 0))
      throw new Violation('C7', `${node.id} makes ${height} final again`)
    this.#finalHeights.set(node.id, height)
    const key = KEYS.certificate(height)
    const written = writes.find(write => write.key === key)?.value ?? null
    if (written === null) throw new Violation('C7', `${node.id} makes ${id} final without its certificate`)
    const place = readRecord(key, written, readCertificatePlace)
    if (place.type !== 'here') throw new Violation('C7', `${node.id} keeps no certificate of ${id}`)
    const decision = this.#decisionIn(place.bytes)
    this.#onStored(node, decision)
    if (decision.value !== id) throw new Violation('S7', `the certificate of ${id} names another block`)
    if (!writes.some(write => write.key === KEYS.decision(decision.sequence)))
      throw new Violation('C7', `${node.id} keeps decision ${decision.sequence} where nobody finds it`)
    const sequence = this.#sequences.get(height) ?? decision.sequence
    if (sequence !== decision.sequence)
      throw new Violation('C7', `height ${height} is decided by ${sequence} and by ${decision.sequence}`)
    this.#sequences.set(height, sequence)
    this.#checkPace(node, id, height)
  }

  #decisionIn(bytes: Uint8Array): Decision {
    return this.#options.kit.codec.readDecision(new ByteReader(bytes))
  }

  #onStored(node: SimNode, decision: Decision): void {
    const { kit, certificates } = this.#options
    if (!kit.anatomy.decision(decision).isDecision)
      throw new Violation(
        'S7',
        `${node.id} stores as a decision what is none: ${kit.describeDecision(decision)}`,
      )
    if (kit.signed !== null) certificates.noteCertificate(kit.signed.certificate(decision), node.id)
    const { sequence, value } = decision
    const known = this.#decided.get(sequence) ?? value
    if (known !== value)
      throw new Violation('C7', `decision ${sequence} is ${known}, and ${value} for ${node.id}`)
    this.#decided.set(sequence, value)
    this.#stored.add(String.fromCharCode(...kit.codec.encodeDecision(decision)))
  }

  /** Without miners an empty block is only a heartbeat; the block before it may be dated ahead. */
  #checkPace(node: SimNode, id: BlockId, height: number): void {
    const { finality, work } = this.#options.genesis
    const { heartbeatSeconds } = finality as { heartbeatSeconds?: number }
    if (work.isProved) return
    const view = node.replica?.view
    const block = view?.blockAt(height)
    const parent = view?.headerAt(height - 1)
    // A node that crashed meanwhile has no view of it; the others store the same block.
    if (parent == null || block?.id !== id || block.transactions.length > 0) return
    const gap = block.header.time - parent.header.time
    if (
      heartbeatSeconds === undefined ||
      heartbeatSeconds === null ||
      gap + work.futureLimitSeconds < heartbeatSeconds
    )
      throw new Violation('C9', `${id} is empty, ${gap} seconds after the block before it`)
  }

  #onVoteRecord(node: SimNode, value: Uint8Array): void {
    const { kit, certificates, views, watch } = this.#options
    const record = kit.codec.decodeRecord(value)
    if (record === null) throw new Violation('S9', `${node.id} writes what it can't read`)
    const { view } = kit.anatomy.record(record)
    if (view !== null) views.onRecord(node, view.lastView)
    for (const certificate of kit.signed?.recordCertificates(record) ?? [])
      certificates.noteCertificate(certificate, node.id)
    watch?.onRecord(node, record)
  }

  #onEvidence(node: SimNode, value: Uint8Array): void {
    const { kit, watch, votes, roster } = this.#options
    if (kit.signed === null) throw new Violation('S7', `${node.id} keeps evidence where nobody signs`)
    const evidence = kit.signed.evidence.read(new ByteReader(value))
    if (watch?.convicts(evidence) === false)
      throw new Violation('S7', `${node.id} keeps evidence that convicts nobody`)
    // A contradiction to what it cannot know is none: what it can know, the other oracles hold it to.
    if (this.#options.signed.isExcused(evidence.member, null)) return
    if (roster.isHonestMember(evidence.member))
      throw new Violation('S4', `${votes.nameOf(evidence.member)} is honest and convicted`)
    this.accused.add(evidence.member)
    const { type, phase, sequence, view } = kit.signed.evidence.lie(evidence)
    this.#evidence.add(`${type} ${phase} ${sequence}/${view} ${evidence.member}`)
  }

  #checkSize(node: SimNode): void {
    const votes = node.disk.keys(VOTE_RECORDS).length
    if (votes > VOTE_RECORDS_MAX) throw new Violation('S9', `${node.id} keeps ${votes} records of votes`)
    const evidence = node.disk.keys(EVIDENCE_RECORDS).length
    if (evidence > EVIDENCE_PER_MEMBER_MAX * this.#options.votes.validators.length)
      throw new Violation('S9', `${node.id} keeps ${evidence} proofs of lies`)
  }
}
