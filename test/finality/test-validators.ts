// Validators whose keys are known, the genesis file that names them, and what they sign: for tests of proofs.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/chain/hash.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { Statement } from '../../src/consensus/pbft/messages.ts'
import type { Certificate, Vote } from '../../src/consensus/pbft/votes.ts'
import type { Signing } from '../../src/consensus/signed.ts'
import { type Hex, toReversedHex } from '../../src/encoding/bytes.ts'
import { Fields } from '../../src/encoding/fields.ts'
import { type Genesis, parseGenesis } from '../../src/execution/genesis.ts'
import { createSigning, type RecoverSigner, type SignDigest } from '../../src/finality/signing.ts'
import { readValidators, type ValidatorSet } from '../../src/finality/validators.ts'
import { chooseBackend } from '../../src/signatures/choose-backend.ts'
import { signerRecovery } from '../../src/signatures/signer-recovery.ts'

const NAMES = ['ada', 'ben', 'cem', 'dua', 'eva', 'fay', 'gus']

const simulated: Record<string, unknown> = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'genesis', 'simulated.json'), 'utf8'),
)

/** A secret key that depends on nothing but the text. */
export const keyOf = (text: string): Uint8Array => sha256(new TextEncoder().encode(`key ${text}`))

const backend = await chooseBackend()

/** As the reference recovers, by the fastest back end: that they agree is a claim of test/signatures/backends.test.ts. */
export const recoverSigner: RecoverSigner = signerRecovery(backend)

/** As the reference signs, by the fastest back end. */
export const sign: SignDigest = backend.sign

/** An id that depends on nothing but the text. */
export const idOf = (text: string): Hex => toReversedHex(sha256(new TextEncoder().encode(`id ${text}`)))

/** The first `size` of ada, ben, cem and so on, in a network of their own. */
export class TestValidators {
  readonly keys: readonly Uint8Array[]
  /** The genesis file as JSON. */
  readonly file: Record<string, unknown>
  readonly genesis: Genesis
  readonly validators: ValidatorSet

  /** `changes` are fields of the genesis file; `salt` makes other keys. */
  constructor(size: number, changes: Record<string, unknown> = {}, salt = '') {
    const names = NAMES.slice(0, size)
    this.keys = names.map(name => keyOf(`${name}${salt}`))
    const validators = names.map((name, index) => ({ name, address: addressOfSecretKey(this.keys[index]!) }))
    this.file = { ...simulated, finality: { mode: 'pbft', pattern: 'all-to-all', validators }, ...changes }
    this.genesis = parseGenesis(this.file)
    this.validators = readValidators(new Fields('finality', this.genesis.finality))
  }

  /** Signs as the member at this place, or as a stranger with this key; null only checks. */
  signing(signer: number | Uint8Array | null, recover = recoverSigner): Signing<Statement> {
    return createSigning<Statement>(PBFT.signed!, {
      genesisId: this.genesis.block.id,
      chainId: this.genesis.blocks.chainId,
      validators: this.validators,
      secretKey: typeof signer === 'number' ? this.keys[signer]! : signer,
      recover,
      sign,
    })
  }

  /** A vote with the signatures of these members. */
  certify(vote: Vote, members: readonly number[]): Certificate {
    const signatures = members.map(member => ({ member, signature: this.signing(member).sign(vote) }))
    return { ...vote, signatures }
  }
}
