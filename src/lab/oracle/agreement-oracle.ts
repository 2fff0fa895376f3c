// What must always hold of an agreement among validators, whichever of them lie, checked over every message that is sent,
// whether it arrives or not, and over what the disks hold, by any protocol of the catalogue. Each rule has its file, by
// the names of docs/invariants.md: vote-oracle.ts (S4), certificate-oracle.ts (S7, C7, P1, P4), view-oracle.ts (S6, L3),
// stored-finality-oracle.ts (C7, S9, C9); what only one protocol's messages tell is its watcher's
// (protocol-watches.ts). This file calls them.

import type { LogKit, LogTypes } from '../../consensus/kit.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { describeFinalityProof } from '../../finality/finality-proof.ts'
import { protocolOf, readSignatures } from '../../finality/protocol.ts'
import { ValidatorSet } from '../../finality/validators.ts'
import { verifyFinalityProof } from '../../finality/verify-proof.ts'
import type { Effect, Input, PeerId, Write } from '../../replica/effects.ts'
import type { Roster } from '../adversary/roster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Content, Tag } from '../network/costs.ts'
import { CertificateOracle } from './certificate-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import type { NaiveVotes } from './naive-votes.ts'
import type { ProtocolWatch } from './protocol-watch.ts'
import { watchOf } from './protocol-watches.ts'
import { StoredFinalityOracle } from './stored-finality-oracle.ts'
import { ViewOracle } from './view-oracle.ts'
import { Violation } from './violation.ts'
import { VoteOracle } from './vote-oracle.ts'

/** The watcher of one committee. */
export class AgreementOracle {
  readonly #votes: NaiveVotes
  readonly #genesis: Genesis
  readonly #roster: Roster
  readonly #kit: LogKit
  readonly #signed: VoteOracle
  readonly #certificates: CertificateOracle
  readonly #views: ViewOracle
  readonly #stored: StoredFinalityOracle
  /** Null for a protocol that has none. */
  readonly #watch: ProtocolWatch | null
  readonly #looked = new WeakSet<Content>()

  constructor(genesis: Genesis, chain: NaiveChain, votes: NaiveVotes, roster: Roster) {
    this.#genesis = genesis
    this.#votes = votes
    this.#roster = roster
    const kit = protocolOf(genesis)!
    const signed = new VoteOracle(votes, roster)
    const certificates = new CertificateOracle(votes, signed)
    const views = new ViewOracle(roster)
    const options = { genesis, chain, votes, roster, signed, certificates, views }
    const watch = watchOf(kit.name, options)
    this.#kit = kit
    this.#signed = signed
    this.#certificates = certificates
    this.#views = views
    this.#watch = watch
    this.#stored = new StoredFinalityOracle({ ...options, kit, watch })
  }

  /** Certificates that honest nodes stored: the same decision may be proved by several. */
  get certificates(): number {
    return this.#stored.certificates
  }

  /** Views that honest members asked for, and those in which something that was prepared was proposed again. */
  get viewChanges(): { readonly asked: number; readonly reproposing: number } {
    return this.#watch?.viewChanges ?? { asked: 0, reproposing: 0 }
  }

  /** Different proofs of lies that honest nodes stored. */
  get evidence(): number {
    return this.#stored.evidence
  }

  /** Those of them that prove that a view change left out what was committed to. */
  get omissions(): number {
    return this.#stored.omissions
  }

  /** The members whom stored evidence or two certificates convict, by name. */
  get accused(): string[] {
    const members = new Set([...this.#stored.accused, ...this.#certificates.accused])
    return [...members].sort((a, b) => a - b).map(member => this.#votes.nameOf(member))
  }

  /** The highest view of any honest node. */
  get view(): number {
    return this.#views.highest
  }

  /** A node lost its disk, or that was put back. */
  forget(node: SimNode): void {
    this.#stored.forget(node)
    this.loseVotes(node)
  }

  /** A member's votes are lost, or were put back to an earlier day. */
  loseVotes(node: SimNode): void {
    const member = this.#roster.memberOf(node)
    if (member === null) return
    this.#views.rollBack(node)
    this.#watch?.rollBack(node, member)
  }

  /** Looks at an honest node after a step. */
  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void {
    this.#watch?.afterStep(node, input, effects)
    const { tree, finality } = node.replica!
    if (!finality.followsWork && tree.head !== tree.base)
      throw new Violation(
        'C8',
        `${node.id} follows ${tree.head.chained.id}, which no certificate makes final`,
      )
  }

  /** Looks at an honest node that has just started again. */
  afterStart(node: SimNode): void {
    this.#watch?.afterStart(node)
    const report = node.replica!.finality.report(0)
    if (report === null) return
    if (!this.#roster.hasForgotten(node)) this.#views.afterStart(node, report.view)
    // A member that asks for its votes does not give any yet; one that never voted has lost none.
    else if (report.self !== null && report.muted === null && !this.#roster.mayForgetVotes)
      throw new Violation('S4', `${node.id} votes again, although the record of its votes is lost`)
    this.#stored.afterStart(node)
  }

  /** Looks at an effect of any node, honest or not, just before it is performed. */
  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    const isHonest = this.#roster.isHonest(node)
    if (tag?.content?.type === 'protocol') this.#onMessage(node, tag.content, isHonest)
    if (!isHonest) return
    if (effect.type !== 'alarm' || !effect.text.startsWith('finality has stopped')) return
    this.#checkNamed(node, effect.text)
    throw new Violation('C7', `${node.id}: ${effect.text}`)
  }

  /** Looks at what an honest node wrote, once it is on its disk: what a crash takes back was never said. */
  onDurable(node: SimNode, writes: readonly Write[]): void {
    this.#stored.onDurable(node, writes)
  }

  /** Has the last certificate of a node checked as a stranger would do it, from the genesis file alone. */
  verifyLast(node: SimNode, genesisFile: unknown): void {
    const { tree, view } = node.replica!
    const { height, header } = tree.base.chained
    const place = view.certificateAt(height)
    if (place === null) return
    const certificate = readSignatures(this.#genesis, place.bytes)
    if (certificate === null) return
    const proof = describeFinalityProof({
      genesisId: this.#genesis.block.id,
      chainId: this.#genesis.blocks.chainId,
      validators: new ValidatorSet(this.#votes.validators),
      height,
      headers: [header],
      certificate,
    })
    const result = verifyFinalityProof(genesisFile, JSON.parse(JSON.stringify(proof)))
    if ('refused' in result) throw new Violation('S7', `the proof of ${node.id}: ${result.refused}`)
  }

  /** A member that is named as a liar is one. */
  #checkNamed(node: SimNode, text: string): void {
    const words = new Set(text.split(/[\s,:;]+/))
    this.#votes.validators.forEach(({ name }, member) => {
      if (words.has(name) && this.#roster.isHonestMember(member))
        throw new Violation('S4', `${name} is honest and named by ${node.id}: ${text}`)
    })
  }

  #onMessage(node: SimNode, content: Extract<Content, { type: 'protocol' }>, isHonest: boolean): void {
    const { message } = content
    // Only what its own disk holds depends on when it is said.
    if (isHonest) this.#watch?.beforeMessage(node, message)
    if (this.#looked.has(content)) return
    this.#looked.add(content)
    const honest = isHonest ? node.id : null
    const member = this.#roster.memberOf(node)
    this.#onSigned(message, honest, member)
    this.#watch?.onMessage(message, { node, honest, member })
  }

  /** Looks at the votes and the certificate that a message shows. */
  #onSigned(message: LogTypes['message'], honest: PeerId | null, teller: number | null): void {
    const { anatomy, signed } = this.#kit
    if (signed === null) return
    for (const { vote, member, signature } of signed.votes(message))
      this.#signed.noteVote(vote, member, signature, teller)
    if (anatomy.message(message).role !== 'certificate') return
    for (const certificate of signed.certificates(message))
      this.#certificates.noteCertificate(certificate, honest)
  }
}
