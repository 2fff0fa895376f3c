// A second opinion on votes and certificates, step by step as in finality/verify-proof.ts and with none of the code by
// which replicas come to agree. What was judged once is remembered for the whole run: signatures are dear.

import type { Genesis } from '../../chain/genesis.ts'
import { encodeCertificate, type readCertificate } from '../../consensus/pbft/certificate-record.ts'
import type { readEvidence } from '../../consensus/pbft/evidence-record.ts'
import { encodeStatement } from '../../consensus/pbft/statements.ts'
import { type Hex, toHex } from '../../encoding/bytes.ts'
import { Fields } from '../../encoding/fields.ts'
import { type RecoverSigner, type SigningDomain, statementDigest } from '../../finality/signing.ts'
import { readValidators, type Validator } from '../../finality/validators.ts'

/** What validators sign. */
export type Statement = Parameters<typeof encodeStatement>[0]
/** Signatures of many under one statement. */
export type Certificate = ReturnType<typeof readCertificate>
/** Proof of a lie. */
export type Evidence = ReturnType<typeof readEvidence>
/** A statement of the phases in which certificates are made. */
export type Vote = Pick<Certificate, 'phase' | 'sequence' | 'view' | 'value'>

/** Judges what the validators of one network sign. */
export class NaiveVotes {
  readonly validators: readonly Validator[]
  readonly #domain: SigningDomain
  readonly #recover: RecoverSigner
  readonly #signed = new Map<string, boolean>()
  readonly #judged = new Map<Hex, string | null>()

  constructor(genesis: Genesis, recover: RecoverSigner) {
    const set = readValidators(new Fields('finality', genesis.finality))
    this.validators = set.validators
    this.#domain = {
      chainId: genesis.blocks.chainId,
      genesisId: genesis.block.id,
      validatorSetId: set.id,
    }
    this.#recover = recover
  }

  /** What people call a member. */
  nameOf(member: number): string {
    return this.validators[member]?.name ?? `#${member}`
  }

  /** Whether this member signed a statement with this signature. */
  isSigned(statement: Statement, member: number, signature: Uint8Array): boolean {
    const validator = this.validators[member]
    if (validator === undefined) return false
    const digest = statementDigest(this.#domain, encodeStatement(statement))
    const key = `${member} ${toHex(digest)} ${toHex(signature)}`
    const known = this.#signed.get(key)
    if (known !== undefined) return known
    const isSigned = this.#recover(digest, signature) === validator.address
    this.#signed.set(key, isSigned)
    return isSigned
  }

  /** Why a certificate proves nothing, or null when it does. */
  reasonAgainst(certificate: Certificate): string | null {
    const key = toHex(encodeCertificate(certificate))
    const known = this.#judged.get(key)
    if (known !== undefined) return known
    const reason = this.#judge(certificate)
    this.#judged.set(key, reason)
    return reason
  }

  /** Whether two statements and their signatures convict a member. */
  convicts(evidence: Evidence): boolean {
    return evidence.type === 'omission' ? this.#isOmission(evidence) : this.#isContradiction(evidence)
  }

  /** A commit, and what its member said that it knew when it later left its view: the same value, or a later view's. */
  #isOmission({ member, vote, departure }: Extract<Evidence, { type: 'omission' }>): boolean {
    const { signature, ...left } = departure
    if (vote.phase !== 'commit' || !(left.view > vote.view) || !(left.sequence < vote.sequence)) return false
    const told = left.prepared.filter(({ sequence, view }) => sequence === vote.sequence && view >= vote.view)
    if (told.some(({ view, value }) => view !== vote.view || value === vote.value)) return false
    const statement: Statement = { phase: 'view-change', ...left }
    return this.isSigned(vote, member, vote.signature) && this.isSigned(statement, member, signature)
  }

  #isContradiction({ member, first, second }: Extract<Evidence, { type: 'contradiction' }>): boolean {
    const isPair =
      first.phase === second.phase && first.sequence === second.sequence && first.view === second.view
    if (!isPair || first.value === second.value) return false
    return this.isSigned(first, member, first.signature) && this.isSigned(second, member, second.signature)
  }

  #judge({ phase, sequence, view, value, signatures }: Certificate): string | null {
    const signed = new Set<number>()
    for (const { member, signature } of signatures) {
      if (signed.has(member)) return `member ${member} is counted twice`
      if (!this.isSigned({ phase, sequence, view, value }, member, signature))
        return `member ${member} did not sign it`
      signed.add(member)
    }
    const n = this.validators.length
    const needed = n - Math.floor((n - 1) / 3)
    return signed.size >= needed ? null : `${signed.size} of the ${needed} signatures that it takes`
  }
}
