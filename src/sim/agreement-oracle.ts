// What must always hold of an agreement among validators, whoever lies, checked over every message that is ever sent,
// whether it arrives or not, and over what the disks hold.
//
// The names are those of the oracle's list: S4 nobody honest contradicts himself, S5 durable before visible, S6
// nothing goes back, S7 every certificate proves something, S9 everything has its bound, P1 and P2 what PBFT
// promises, C7 no two certificates for one decision or height, C9 the blocks of a chain without work.

import { ByteReader } from '../chain/bytes.ts'
import type { Genesis } from '../chain/genesis.ts'
import type { BlockId } from '../chain/header.ts'
import { encodeCertificate, readCertificate } from '../finality/certificates.ts'
import { readEvidence } from '../finality/evidence.ts'
import { describeFinalityProof } from '../finality/finality-proof.ts'
import { ValidatorSet } from '../finality/validators.ts'
import { verifyFinalityProof } from '../finality/verify-proof.ts'
import { decodePbftRecord } from '../finality/wire.ts'
import type { Effect, PeerId, Write } from '../replica/effects.ts'
import { KEYS, readCertificatePlace, readChainedHeader, readRecord } from '../replica/records.ts'
import type { Content, Tag } from './costs.ts'
import type { Certificate, NaiveVotes, Statement, Vote } from './naive-votes.ts'
import type { SimNode } from './sim-node.ts'
import { Violation } from './violation.ts'

type Protocol = Extract<Content, { type: 'protocol' }>['message']
type ViewChange = Extract<Protocol, { type: 'view-change' }>
type NewView = Extract<Protocol, { type: 'new-view' }>
type VoteRecord = NonNullable<ReturnType<typeof decodePbftRecord>>

/** What a run tells of its nodes. */
export interface Cast {
  /** The member whose key a node has; null for one who only follows. */
  memberOf(node: SimNode): number | null
  /** Whether a node, or a member, is held to the rules. */
  isHonest(node: SimNode): boolean
  isHonestMember(member: number): boolean
  /** Whether a node's disk lost its votes. */
  hasForgotten(node: SimNode): boolean
  /** Whether such a node may vote nevertheless: a fault that is planted on purpose. */
  readonly mayForgetVotes: boolean
}

interface Known {
  /** The highest view that anything it said was of: nobody may find it below that again. */
  view: number
  baseHeight: number
}

const VOTES = `${KEYS.finality}vote/`
const EVIDENCE = `${KEYS.finality}evidence/`
const EMPTY = `${KEYS.finality}empty/`
/** Records of votes on one disk at most: two checkpoint intervals of slots, and a few besides. */
const VOTE_RECORDS_MAX = 2 * 32 + 8
const EVIDENCE_PER_MEMBER_MAX = 4

/** The watcher of one committee. */
export class AgreementOracle {
  readonly #votes: NaiveVotes
  readonly #genesis: Genesis
  readonly #cast: Cast
  /** For each phase, sequence number, view and member the value of the first vote that was seen. */
  readonly #voted = new Map<string, string>()
  /** The highest view in which an honest member committed each sequence number. */
  readonly #commits = new Map<number, Map<number, number>>()
  readonly #viewChanges = new Map<string, ViewChange>()
  readonly #prepared = new Map<string, Certificate>()
  readonly #checkpoints = new Map<number, string>()
  readonly #decided = new Map<number, Certificate>()
  readonly #sequences = new Map<number, number>()
  readonly #looked = new WeakSet<Content>()
  readonly #stored = new Set<string>()
  readonly #accused = new Set<number>()
  readonly #known = new Map<PeerId, Known>()
  readonly #changedViews = new Set<number>()
  readonly #reproposing = new Set<number>()
  readonly #evidence = new Set<string>()

  constructor(genesis: Genesis, votes: NaiveVotes, cast: Cast) {
    this.#genesis = genesis
    this.#votes = votes
    this.#cast = cast
  }

  /** Certificates that honest nodes stored: the same decision may be proved by several. */
  get certificates(): number {
    return this.#stored.size
  }

  /** Views that honest members asked for, and those in which something that was prepared was proposed again. */
  get viewChanges(): { readonly asked: number; readonly reproposing: number } {
    return { asked: this.#changedViews.size, reproposing: this.#reproposing.size }
  }

  /** Different proofs of lies that honest nodes stored. */
  get evidence(): number {
    return this.#evidence.size
  }

  /** The members whom stored evidence or two certificates convict, by name. */
  get accused(): string[] {
    return [...this.#accused].sort((a, b) => a - b).map(member => this.#name(member))
  }

  /** The highest view of any honest node. */
  get view(): number {
    return Math.max(0, ...[...this.#known.values()].map(({ view }) => view))
  }

  /** Looks at an honest node after it took something in. */
  afterStep(node: SimNode): void {
    const { tree, finality } = node.replica!
    if (!finality.followsWork && tree.head !== tree.base)
      throw new Violation(
        'C8',
        `${node.id} follows ${tree.head.chained.id}, which no certificate makes final`,
      )
  }

  /** Looks at an honest node that has just started again. */
  afterStart(node: SimNode): void {
    const { finality } = node.replica!
    const known = this.#knownOf(node)
    const report = finality.report(0)
    if (report === null) return
    if (this.#cast.hasForgotten(node)) {
      if (report.self !== null && !this.#cast.mayForgetVotes)
        throw new Violation('S4', `${node.id} votes again, although the record of its votes is lost`)
    } else if (report.view < known.view) {
      throw new Violation('S6', `${node.id} came back in view ${report.view}, and it was in ${known.view}`)
    }
    // It may have made another block final in this very step, which is on no disk yet.
    const base = node.disk.durable(KEYS.base)
    const height = base === null ? 0 : readRecord(KEYS.base, base, readChainedHeader).height
    if (height > 0 && node.disk.durable(KEYS.certificate(height)) === null)
      throw new Violation('C7', `${node.id} came back with a final block without its certificate`)
    this.#checkSize(node)
  }

  /** Looks at an effect of any node, honest or not, just before it is performed. */
  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    const isHonest = this.#cast.isHonest(node)
    if (tag?.content?.type === 'protocol') this.#onMessage(node, tag.content, isHonest)
    if (!isHonest) return
    if (effect.type === 'persist') this.#onWrites(node, effect.writes)
    if (effect.type === 'alarm' && effect.text.startsWith('finality has stopped'))
      throw new Violation('C7', `${node.id}: ${effect.text}`)
  }

  /** Has the last certificate of a node checked as a stranger would do it, from the genesis file alone. */
  verifyLast(node: SimNode, genesisFile: unknown): void {
    const { tree, view } = node.replica!
    const { height, header } = tree.base.chained
    const place = view.certificateAt(height)
    if (place === null) return
    const proof = describeFinalityProof({
      genesisId: this.#genesis.block.id,
      chainId: this.#genesis.blocks.chainId,
      validators: new ValidatorSet(this.#votes.validators),
      height,
      headers: [header],
      certificate: readCertificate(new ByteReader(place.bytes)),
    })
    const result = verifyFinalityProof(genesisFile, JSON.parse(JSON.stringify(proof)))
    if ('refused' in result) throw new Violation('S7', `the proof of ${node.id}: ${result.refused}`)
  }

  // ---- messages

  #onMessage(node: SimNode, content: Extract<Content, { type: 'protocol' }>, isHonest: boolean): void {
    const { message } = content
    // Only what its own disk holds depends on when it is said.
    if (isHonest) this.#checkOwn(node, message)
    if (this.#looked.has(content)) return
    this.#looked.add(content)
    switch (message.type) {
      case 'pre-prepare':
        return this.#noteProposal(message, message.signature)
      case 'prepare': {
        const vote: Vote = { ...message, phase: 'prepare' }
        this.#noteProposal(message, message.proposal)
        return this.#noteVote(vote, message.from, message.signature)
      }
      case 'commit':
        return this.#noteVote({ ...message, phase: 'commit' }, message.from, message.signature)
      case 'checkpoint':
        return this.#noteVote({ ...message, phase: 'checkpoint', view: 0 }, message.from, message.signature)
      case 'proof':
        return this.#noteCertificate(message.certificate, isHonest ? node.id : null)
      case 'view-change':
        return this.#noteViewChange(message, isHonest ? node.id : null)
      case 'new-view':
        return this.#noteNewView(message, isHonest ? node.id : null)
      case 'status':
        return
    }
  }

  /** A proposal is its proposer's PREPARE: of the primary, or of the one whose turn it is. */
  #noteProposal({ sequence, view, value }: Omit<Vote, 'phase'>, signature: Uint8Array): void {
    const n = this.#votes.validators.length
    const vote: Vote = { phase: 'prepare', sequence, view, value }
    for (const member of new Set([view % n, (view + sequence) % n])) this.#noteVote(vote, member, signature)
  }

  #noteVote({ phase, sequence, view, value }: Vote, member: number, signature: Uint8Array): void {
    const key = `${phase} ${sequence}/${view} ${member}`
    const known = this.#voted.get(key)
    if (known === value) return
    if (!this.#votes.isSigned({ phase, sequence, view, value }, member, signature)) return
    if (known === undefined) {
      this.#voted.set(key, value)
      if (phase === 'commit' && this.#cast.isHonestMember(member)) this.#noteCommit(member, sequence, view)
    } else if (this.#cast.isHonestMember(member))
      throw new Violation('S4', `${this.#name(member)} signed ${key} for ${known} and for ${value}`)
  }

  /** Who commits is prepared, and must say so whenever it leaves a later view. */
  #noteCommit(member: number, sequence: number, view: number): void {
    const commits = this.#commits.get(member) ?? new Map<number, number>()
    this.#commits.set(member, commits.set(sequence, Math.max(view, commits.get(sequence) ?? 0)))
  }

  #checkClaims({ view, from, prepared }: ViewChange, low: number): void {
    for (const [sequence, committed] of this.#commits.get(from) ?? []) {
      if (sequence <= low || committed >= view) continue
      if (!prepared.some(claim => claim.sequence === sequence && claim.view >= committed))
        throw new Violation(
          'P2',
          `${this.#name(from)} committed ${sequence}/${committed} and leaves for view ${view} without saying so`,
        )
    }
  }

  #noteCertificate(certificate: Certificate, honest: PeerId | null): void {
    const reason = this.#votes.reasonAgainst(certificate)
    const { phase, sequence, view, value } = certificate
    if (reason !== null) {
      if (honest === null) return
      throw new Violation('S7', `${honest} shows a ${phase} certificate for ${sequence}/${view}: ${reason}`)
    }
    for (const { member, signature } of certificate.signatures) this.#noteVote(certificate, member, signature)
    switch (phase) {
      case 'prepare': {
        const place = `${sequence}/${view}`
        const other = this.#prepared.get(place)
        if (other === undefined) this.#prepared.set(place, certificate)
        else if (other.value !== value) this.#onConflict('P1', other, certificate)
        return
      }
      case 'checkpoint': {
        const other = this.#checkpoints.get(sequence) ?? value
        if (other !== value) throw new Violation('P4', `checkpoint ${sequence} is ${other} and ${value}`)
        this.#checkpoints.set(sequence, value)
        return
      }
      case 'commit': {
        const other = this.#decided.get(sequence)
        if (other === undefined) this.#decided.set(sequence, certificate)
        else if (other.value !== value) this.#onConflict('C7', other, certificate)
      }
    }
  }

  /** Whoever signed both of two certificates that exclude each other lied: f + 1 members did so at least. */
  #onConflict(rule: 'P1' | 'C7', first: Certificate, second: Certificate): never {
    const inFirst = new Set(first.signatures.map(({ member }) => member))
    const both = second.signatures.map(({ member }) => member).filter(member => inFirst.has(member))
    // Votes of different views do not convict anybody by themselves.
    if (first.view === second.view) for (const member of both) this.#accused.add(member)
    const names = both.map(member => this.#name(member)).join(', ')
    const [one, other] = [first, second].map(({ value, view }) => `${value} in view ${view}`)
    throw new Violation(
      rule,
      `two ${first.phase} certificates for decision ${first.sequence}: ${one} and ${other}, both signed by ${names}`,
    )
  }

  #noteViewChange(message: ViewChange, honest: PeerId | null): void {
    const { view, from, stable, prepared } = message
    const claims = prepared.map(({ sequence, view, value }) => ({ sequence, view, value }))
    const low = stable?.sequence ?? 0
    const statement: Statement = { phase: 'view-change', view, sequence: low, prepared: claims }
    if (!this.#votes.isSigned(statement, from, message.signature)) {
      if (honest === null) return
      throw new Violation('S7', `${honest} shows a view change that member ${from} did not sign`)
    }
    for (const certificate of [...(stable === null ? [] : [stable]), ...prepared])
      this.#noteCertificate(certificate, honest)
    if (!this.#cast.isHonestMember(from)) return
    this.#changedViews.add(view)
    this.#checkClaims(message, low)
    const known = this.#viewChanges.get(`${view} ${from}`)
    if (known === undefined) {
      this.#viewChanges.set(`${view} ${from}`, message)
      return
    }
    // What was prepared may be forgotten only when it is settled.
    const settled = Math.max(low, known.stable?.sequence ?? 0)
    const text = (change: ViewChange): string =>
      change.prepared
        .filter(({ sequence }) => sequence > settled)
        .map(({ sequence, view, value }) => `${sequence}/${view} ${value}`)
        .join(', ')
    if (text(known) !== text(message))
      throw new Violation(
        'S4',
        `${this.#name(from)} asks for view ${view} with ${text(known)} and with ${text(message)}`,
      )
  }

  #noteNewView(message: NewView, honest: PeerId | null): void {
    const { view, viewChanges, proposals } = message
    const primary = view % this.#votes.validators.length
    for (const change of viewChanges) this.#noteViewChange(change, honest)
    for (const { sequence, value, signature } of proposals)
      this.#noteVote({ phase: 'prepare', sequence, view, value }, primary, signature)
    if (honest === null) return
    this.#checkProposals(message, honest)
    if (proposals.some(({ value }) => value !== '')) this.#reproposing.add(view)
    const low = Math.max(0, ...viewChanges.map(({ stable }) => stable?.sequence ?? 0))
    for (const certificate of this.#decided.values()) {
      if (certificate.view >= view || certificate.sequence <= low) continue
      const again = proposals.find(({ sequence }) => sequence === certificate.sequence)
      if (again?.value !== certificate.value)
        throw new Violation('P2', `view ${view} begins without what decision ${certificate.sequence} was`)
    }
  }

  /** What n − f distinct members claim to have prepared, in the highest view, is proposed again, and nothing else. */
  #checkProposals({ view, viewChanges, proposals }: NewView, honest: PeerId): void {
    const n = this.#votes.validators.length
    const senders = new Set(viewChanges.filter(change => change.view === view).map(({ from }) => from))
    if (senders.size < n - Math.floor((n - 1) / 3))
      throw new Violation('S7', `${honest} begins view ${view} with ${senders.size} view changes`)
    const low = Math.max(0, ...viewChanges.map(({ stable }) => stable?.sequence ?? 0))
    for (const claim of viewChanges.flatMap(({ prepared }) => prepared)) {
      if (claim.sequence <= low) continue
      const claims = viewChanges.flatMap(({ prepared }) =>
        prepared.filter(({ sequence }) => sequence === claim.sequence),
      )
      const highest = Math.max(...claims.map(one => one.view))
      const again = proposals.find(({ sequence }) => sequence === claim.sequence)
      if (claim.view === highest && again?.value !== claim.value)
        throw new Violation(
          'P2',
          `${honest} begins view ${view} without what was prepared last for ${claim.sequence}`,
        )
    }
    for (const { sequence, value } of proposals) {
      const isClaimed = viewChanges.some(({ prepared }) =>
        prepared.some(claim => claim.sequence === sequence && claim.value === value),
      )
      if (value !== '' && !isClaimed)
        throw new Violation('P2', `${honest} begins view ${view} with what nobody prepared for ${sequence}`)
    }
  }

  // ---- what a node may say: its disk must know it first

  #checkOwn(node: SimNode, message: Protocol): void {
    const self = this.#cast.memberOf(node)
    if (self === null) return
    const n = this.#votes.validators.length
    switch (message.type) {
      case 'pre-prepare': {
        const vote: Vote = { ...message, phase: 'prepare' }
        if (this.#votes.isSigned(statementOf(vote), self, message.signature)) this.#checkVote(node, vote)
        return
      }
      case 'prepare':
        if (message.from === self) this.#checkVote(node, { ...message, phase: 'prepare' })
        return
      case 'commit':
        if (message.from === self) this.#checkVote(node, { ...message, phase: 'commit' })
        return
      case 'checkpoint':
        if (message.from === self) this.#checkExecuted(node, message.sequence)
        return
      case 'view-change':
        if (message.from === self) this.#checkView(node, message.view, false)
        return
      case 'new-view':
        // Who lost its votes hands on what it began itself before, as everybody does.
        if (message.view % n === self && !this.#cast.hasForgotten(node))
          this.#checkView(node, message.view, true)
        return
      case 'status':
        return this.#checkFollowed(node)
      case 'proof':
        return
    }
  }

  /** The record of a slot must cover the vote; what is below the last stable checkpoint is settled. */
  #checkVote(node: SimNode, { phase, sequence, view, value }: Vote): void {
    const record = this.#record(node, `slot/${sequence.toString().padStart(15, '0')}`)
    const stable = this.#record(node, 'stable')
    if (stable?.type === 'stable' && stable.certificate.sequence >= sequence) return
    const what = `${node.id} sends its ${phase} for ${sequence}/${view}`
    if (record?.type !== 'slot') throw new Violation('S5', `${what} before anything of it is on disk`)
    const isCovered =
      phase === 'prepare'
        ? record.view === view && record.value === value
        : record.prepared?.view === view && record.prepared.value === value
    // A later view's record stands for an earlier vote only where the vote came first.
    if (!isCovered && record.view <= view) throw new Violation('S5', `${what}, and its disk holds another`)
    this.#sawView(node, view)
  }

  /** A view change needs the record that the old view was left, a new view the one that it was entered. */
  #checkView(node: SimNode, view: number, isEntered: boolean): void {
    const record = this.#record(node, 'view')
    const isCovered =
      record?.type === 'view' &&
      (record.view > view || (record.view === view && (record.isActive || !isEntered)))
    if (!isCovered) throw new Violation('S5', `${node.id} speaks of view ${view} before it is on disk`)
    this.#sawView(node, view)
  }

  #checkExecuted(node: SimNode, sequence: number): void {
    const isDurable =
      node.disk.isDurable(KEYS.decision(sequence)) || node.disk.isDurable(`${EMPTY}${sequence}`)
    if (!isDurable) throw new Violation('S5', `${node.id} attests decision ${sequence} before it is on disk`)
  }

  /** Whoever has applied a decision follows its block: a certificate overrides work. */
  #checkFollowed(node: SimNode): void {
    const sequence = node.replica?.finality.report(0)?.sequence ?? 0
    const isKept =
      node.disk.get(KEYS.decision(sequence)) !== null || node.disk.get(`${EMPTY}${sequence}`) !== null
    if (sequence > 0 && !isKept)
      throw new Violation(
        'C7',
        `${node.id} goes on from decision ${sequence}, whose block is not final there`,
      )
  }

  #sawView(node: SimNode, view: number): void {
    const known = this.#knownOf(node)
    known.view = Math.max(known.view, view)
  }

  #record(node: SimNode, key: string): VoteRecord | null {
    const bytes = node.disk.durable(VOTES + key)
    return bytes === null ? null : decodePbftRecord(bytes)
  }

  // ---- what a node writes

  #onWrites(node: SimNode, writes: readonly Write[]): void {
    for (const { key, value } of writes) {
      if (value === null) continue
      if (key === KEYS.base) this.#onBase(node, value, writes)
      else if (key.startsWith(VOTES)) this.#onVoteRecord(node, decodePbftRecord(value))
      else if (key.startsWith(EVIDENCE)) this.#onEvidence(node, value)
      else if (key.startsWith(EMPTY)) this.#onStored(node, readCertificate(new ByteReader(value)))
    }
  }

  /** A block becomes final only together with what proves it. */
  #onBase(node: SimNode, value: Uint8Array, writes: readonly Write[]): void {
    const { id, height } = readRecord(KEYS.base, value, readChainedHeader)
    if (height === 0) return
    const known = this.#knownOf(node)
    if (height < known.baseHeight) throw new Violation('C7', `${node.id} makes ${height} final again`)
    known.baseHeight = height
    const key = KEYS.certificate(height)
    const written = writes.find(write => write.key === key)?.value ?? null
    if (written === null) throw new Violation('C7', `${node.id} makes ${id} final without its certificate`)
    const place = readRecord(key, written, readCertificatePlace)
    if (place.type !== 'here') throw new Violation('C7', `${node.id} keeps no certificate of ${id}`)
    const certificate = readCertificate(new ByteReader(place.bytes))
    this.#onStored(node, certificate)
    if (certificate.value !== id) throw new Violation('S7', `the certificate of ${id} names another block`)
    if (!writes.some(write => write.key === KEYS.decision(certificate.sequence)))
      throw new Violation('C7', `${node.id} keeps decision ${certificate.sequence} where nobody finds it`)
    const sequence = this.#sequences.get(height) ?? certificate.sequence
    if (sequence !== certificate.sequence)
      throw new Violation('C7', `height ${height} is decided by ${sequence} and by ${certificate.sequence}`)
    this.#sequences.set(height, sequence)
    this.#checkPace(node, id, height)
  }

  #onStored(node: SimNode, certificate: Certificate): void {
    if (certificate.phase !== 'commit')
      throw new Violation('S7', `${node.id} stores a ${certificate.phase} certificate as a decision`)
    this.#noteCertificate(certificate, node.id)
    this.#stored.add(String.fromCharCode(...encodeCertificate(certificate)))
  }

  /** Without miners an empty block is only a heartbeat. */
  #checkPace(node: SimNode, id: BlockId, height: number): void {
    const { mode, heartbeatSeconds } = this.#genesis.finality as { mode: string; heartbeatSeconds?: number }
    if (mode !== 'pbft') return
    const { view } = node.replica!
    const block = view.blockAt(height)
    const parent = view.headerAt(height - 1)
    if (block?.id !== id || parent === null || block.transactions.length > 0) return
    const gap = block.header.time - parent.header.time
    if (heartbeatSeconds === undefined || heartbeatSeconds === null || gap < heartbeatSeconds)
      throw new Violation('C9', `${id} is empty, ${gap} seconds after the block before it`)
  }

  #onVoteRecord(node: SimNode, record: VoteRecord | null): void {
    if (record === null) throw new Violation('S9', `${node.id} writes what it can't read`)
    switch (record.type) {
      case 'view':
        if (record.view < this.#knownOf(node).view && !this.#cast.hasForgotten(node))
          throw new Violation('S6', `${node.id} goes back to view ${record.view}`)
        return
      case 'slot':
        if (record.prepared !== null) this.#noteCertificate(record.prepared, node.id)
        return
      case 'stable':
        return this.#noteCertificate(record.certificate, node.id)
      case 'new-view':
        return this.#noteNewView(record.message, node.id)
    }
  }

  #onEvidence(node: SimNode, value: Uint8Array): void {
    const evidence = readEvidence(new ByteReader(value))
    if (!this.#votes.convicts(evidence))
      throw new Violation('S7', `${node.id} keeps evidence that convicts nobody`)
    if (this.#cast.isHonestMember(evidence.member))
      throw new Violation('S4', `${this.#name(evidence.member)} is honest and convicted`)
    this.#accused.add(evidence.member)
    const { phase, sequence, view } = evidence.first
    this.#evidence.add(`${phase} ${sequence}/${view} ${evidence.member}`)
  }

  #checkSize(node: SimNode): void {
    const votes = [...node.disk.entries(VOTES)].length
    if (votes > VOTE_RECORDS_MAX) throw new Violation('S9', `${node.id} keeps ${votes} records of votes`)
    const evidence = [...node.disk.entries(EVIDENCE)].length
    if (evidence > EVIDENCE_PER_MEMBER_MAX * this.#votes.validators.length)
      throw new Violation('S9', `${node.id} keeps ${evidence} proofs of lies`)
  }

  #name(member: number): string {
    return this.#votes.validators[member]?.name ?? `#${member}`
  }

  #knownOf(node: SimNode): Known {
    const known = this.#known.get(node.id) ?? { view: 0, baseHeight: 0 }
    this.#known.set(node.id, known)
    return known
  }
}

function statementOf({ phase, sequence, view, value }: Vote): Statement {
  return { phase, sequence, view, value }
}
