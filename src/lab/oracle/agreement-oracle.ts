// What must always hold of an agreement among validators, whoever lies, checked over every message that is ever sent,
// whether it arrives or not, and over what the disks hold. Each rule has its file, by the names of the oracle's list:
// vote-oracle.ts (S4), certificate-oracle.ts (S7, C7, P1, P4), view-oracle.ts (S6, L3), view-change-oracle.ts (P2),
// durability-oracle.ts (S5), stored-finality-oracle.ts (C7, S9, C9), candidate-oracle.ts (H1). This one hands each thing
// to those it concerns.

import type { Genesis } from '../../chain/genesis.ts'
import { readCertificate } from '../../consensus/pbft/certificate-record.ts'
import { ByteReader } from '../../encoding/bytes.ts'
import { describeFinalityProof } from '../../finality/finality-proof.ts'
import { ValidatorSet } from '../../finality/validators.ts'
import { verifyFinalityProof } from '../../finality/verify-proof.ts'
import type { Effect, Input, Write } from '../../replica/effects.ts'
import type { Cast } from '../adversary/cast.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Content, Tag } from '../network/costs.ts'
import { CandidateOracle } from './candidate-oracle.ts'
import { CertificateOracle } from './certificate-oracle.ts'
import { DurabilityOracle } from './durability-oracle.ts'
import type { NaiveChain } from './naive-chain.ts'
import type { NaiveVotes } from './naive-votes.ts'
import { RecalledVotes } from './recalled-votes.ts'
import { StoredFinalityOracle } from './stored-finality-oracle.ts'
import { ViewChangeOracle } from './view-change-oracle.ts'
import { ViewOracle } from './view-oracle.ts'
import { Violation } from './violation.ts'
import { VoteOracle } from './vote-oracle.ts'

/** The watcher of one committee. */
export class AgreementOracle {
  readonly #votes: NaiveVotes
  readonly #genesis: Genesis
  readonly #cast: Cast
  readonly #signed: VoteOracle
  readonly #certificates: CertificateOracle
  readonly #views: ViewOracle
  readonly #viewChanges: ViewChangeOracle
  readonly #durability: DurabilityOracle
  readonly #stored: StoredFinalityOracle
  readonly #recalled: RecalledVotes
  /** Null where nothing is mined. */
  readonly #candidates: CandidateOracle | null
  readonly #looked = new WeakSet<Content>()

  constructor(genesis: Genesis, chain: NaiveChain, votes: NaiveVotes, cast: Cast) {
    this.#genesis = genesis
    this.#votes = votes
    this.#cast = cast
    const signed = new VoteOracle(votes, cast)
    const certificates = new CertificateOracle(votes, signed)
    const views = new ViewOracle(cast)
    const viewChanges = new ViewChangeOracle(votes, cast, signed, certificates)
    this.#signed = signed
    this.#certificates = certificates
    this.#views = views
    this.#viewChanges = viewChanges
    this.#durability = new DurabilityOracle(votes, cast, signed, views)
    this.#stored = new StoredFinalityOracle({
      genesis,
      votes,
      cast,
      signed,
      certificates,
      views,
      viewChanges,
    })
    this.#recalled = new RecalledVotes(cast, signed, viewChanges)
    this.#candidates = genesis.finality.mode === 'hybrid' ? new CandidateOracle(genesis, chain, cast) : null
  }

  /** Certificates that honest nodes stored: the same decision may be proved by several. */
  get certificates(): number {
    return this.#stored.certificates
  }

  /** Views that honest members asked for, and those in which something that was prepared was proposed again. */
  get viewChanges(): { readonly asked: number; readonly reproposing: number } {
    return this.#viewChanges.counts
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
    const member = this.#cast.memberOf(node)
    if (member === null) return
    this.#views.rollBack(node)
    this.#recalled.rollBack(node, member)
  }

  /** Looks at an honest node after it took something in. */
  afterStep(node: SimNode, input: Input, effects: readonly Effect[]): void {
    this.#recalled.afterStep(node, input)
    this.#candidates?.afterStep(node, effects)
    const { tree, finality } = node.replica!
    if (!finality.followsWork && tree.head !== tree.base)
      throw new Violation(
        'C8',
        `${node.id} follows ${tree.head.chained.id}, which no certificate makes final`,
      )
  }

  /** Looks at an honest node that has just started again. */
  afterStart(node: SimNode): void {
    this.#recalled.afterStart(node)
    const report = node.replica!.finality.report(0)
    if (report === null) return
    if (!this.#cast.hasForgotten(node)) this.#views.afterStart(node, report.view)
    // A member that asks for its votes does not give any yet; one that never voted has lost none.
    else if (report.self !== null && report.muted === null && !this.#cast.mayForgetVotes)
      throw new Violation('S4', `${node.id} votes again, although the record of its votes is lost`)
    this.#stored.afterStart(node)
    this.#candidates?.afterStart(node)
  }

  /** Looks at an effect of any node, honest or not, just before it is performed. */
  beforeEffect(node: SimNode, effect: Effect, tag: Tag | null): void {
    const isHonest = this.#cast.isHonest(node)
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

  /** Whoever is named as a liar is one. */
  #checkNamed(node: SimNode, text: string): void {
    const words = new Set(text.split(/[\s,:;]+/))
    this.#votes.validators.forEach(({ name }, member) => {
      if (words.has(name) && this.#cast.isHonestMember(member))
        throw new Violation('S4', `${name} is honest and named by ${node.id}: ${text}`)
    })
  }

  #onMessage(node: SimNode, content: Extract<Content, { type: 'protocol' }>, isHonest: boolean): void {
    const { message } = content
    // Only what its own disk holds depends on when it is said.
    if (isHonest) this.#durability.beforeMessage(node, message)
    if (this.#looked.has(content)) return
    this.#looked.add(content)
    const honest = isHonest ? node.id : null
    const teller = this.#cast.memberOf(node)
    const signed = this.#signed
    switch (message.type) {
      case 'pre-prepare':
        return signed.noteVote({ ...message, phase: 'prepare' }, message.from, message.signature, teller)
      case 'prepare':
        signed.noteVote({ ...message, phase: 'prepare' }, message.proposer, message.proposal, teller)
        return signed.noteVote({ ...message, phase: 'prepare' }, message.from, message.signature, teller)
      case 'commit':
        return signed.noteVote({ ...message, phase: 'commit' }, message.from, message.signature, teller)
      case 'checkpoint':
        return signed.noteVote(
          { ...message, phase: 'checkpoint', view: 0 },
          message.from,
          message.signature,
          teller,
        )
      case 'proof':
        return this.#certificates.noteCertificate(message.certificate, honest)
      case 'view-change':
        return this.#viewChanges.noteViewChange(message, honest, teller)
      case 'new-view':
        this.#candidates?.noteNewView(message)
        return this.#viewChanges.noteNewView(message, honest)
      case 'status':
      case 'complaint':
      case 'answer':
        return
      case 'query':
        return this.#recalled.onQuery(node, message.challenge)
    }
  }
}
