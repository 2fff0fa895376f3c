// A second opinion on votes and certificates, step by step as in finality/verify-proof.ts and with none of the code by
// which replicas come to agree. What was judged once is remembered for the whole run: signatures are dear.

import type { SignedKit } from '../../consensus/kit.ts'
import type { SomeCertificate, SomeVote } from '../../consensus/signed.ts'
import { toHex } from '../../encoding/bytes.ts'
import { Fields } from '../../encoding/fields.ts'
import type { Genesis } from '../../execution/genesis.ts'
import { protocolOf } from '../../finality/protocol.ts'
import { type RecoverSigner, type SigningDomain, statementDigest } from '../../finality/signing.ts'
import { readValidators, type Validator } from '../../finality/validators.ts'

/** Judges what the validators of one network sign. */
export class NaiveVotes {
  readonly validators: readonly Validator[]
  readonly #domain: SigningDomain
  readonly #recover: RecoverSigner
  /** Null where nothing is signed: then nobody signed anything. */
  readonly #signed: SignedKit | null
  readonly #known = new Map<string, boolean>()
  readonly #judged = new Map<string, string | null>()

  constructor(genesis: Genesis, recover: RecoverSigner) {
    const set = readValidators(new Fields('finality', genesis.finality))
    this.validators = set.validators
    this.#domain = {
      chainId: genesis.blocks.chainId,
      genesisId: genesis.block.id,
      validatorSetId: set.id,
    }
    this.#recover = recover
    this.#signed = protocolOf(genesis)?.signed ?? null
  }

  /** The phase by whose certificates the protocol decides. */
  get decidingPhase(): string | null {
    return this.#signed?.decidingPhase ?? null
  }

  /** The phase in which members attest their states; null where none does. */
  get statePhase(): string | null {
    return this.#signed?.statePhase ?? null
  }

  /** What people call a member. */
  nameOf(member: number): string {
    return this.validators[member]?.name ?? `#${member}`
  }

  /** Whether this member signed a statement with this signature. */
  isSigned(statement: unknown, member: number, signature: Uint8Array): boolean {
    const validator = this.validators[member]
    if (validator === undefined || this.#signed === null) return false
    const digest = statementDigest(this.#domain, this.#signed.encodeStatement(statement))
    const key = `${member} ${toHex(digest)} ${toHex(signature)}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const isSigned = this.#recover(digest, signature) === validator.address
    this.#known.set(key, isSigned)
    return isSigned
  }

  /** Why a certificate proves nothing, or null when it does. */
  reasonAgainst(certificate: SomeCertificate): string | null {
    const key = textOf(certificate)
    const known = this.#judged.get(key)
    if (known !== undefined) return known
    const reason = this.#judge(certificate)
    this.#judged.set(key, reason)
    return reason
  }

  /** Whether a member cast this vote. */
  isCast({ phase, sequence, view, value }: SomeVote, member: number, signature: Uint8Array): boolean {
    const vote = this.#signed?.voteStatement({ phase, sequence, view, value })
    return this.isSigned(vote, member, signature)
  }

  #judge({ phase, sequence, view, value, signatures }: SomeCertificate): string | null {
    const signed = new Set<number>()
    for (const { member, signature } of signatures) {
      if (signed.has(member)) return `member ${member} is counted twice`
      if (!this.isCast({ phase, sequence, view, value }, member, signature))
        return `member ${member} did not sign it`
      signed.add(member)
    }
    const n = this.validators.length
    const needed = n - Math.floor((n - 1) / 3)
    return signed.size >= needed ? null : `${signed.size} of the ${needed} signatures that it takes`
  }
}

/** What tells one certificate from every other. */
function textOf({ phase, sequence, view, value, signatures }: SomeCertificate): string {
  const signers = signatures.map(({ member, signature }) => `${member} ${toHex(signature)}`)
  return [`${phase} ${sequence}/${view} ${value}`, ...signers].join(', ')
}
