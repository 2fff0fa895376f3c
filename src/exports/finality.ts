/**
 * `quorate/finality`: what a wallet or a light client needs to know that a block stays. A finality proof is checked with
 * nothing but the genesis file; where work alone decides there is a probability of reversal instead of a proof.
 *
 * Proofs are JSON, as `quorate_getFinalityProof` answers. Signatures are 65 bytes: r 32, s 32, the parity of y 1 (ECDSA over
 * secp256k1). What another party wrote and is refused comes back as `{ refused: reason }`.
 *
 * @packageDocumentation
 */

export { type FinalityProof, readFinalityProof } from '../finality/finality-proof.ts'
export type { Identity } from '../finality/identity.ts'
export { confirmationsBelow, exactReversal, nakamotoReversal } from '../finality/reversal.ts'
export {
  type RecoverSigner,
  referenceRecover,
  type SignDigest,
  type SigningDomain,
  statementDigest,
} from '../finality/signing.ts'
export { type Validator, ValidatorSet, validatorsOf } from '../finality/validators.ts'
export { type Refused, type VerifiedProof, verifyFinalityProof } from '../finality/verify-proof.ts'
