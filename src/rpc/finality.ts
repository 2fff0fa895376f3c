// What the validators have decided, and what is known of them: the proof that a block is final, the evidence that one
// of them is Byzantine, and the state of their agreement. Proofs and evidence are the very files that `quorate finality
// verify` and `quorate evidence verify` check, so numbers in all three are plain numbers, not quantities.

import type { Json } from '../encoding/fields.ts'
import type { AgreementReport } from '../finality/contract.ts'
import { describeFinalityProof, PROOF_HEADERS_MAX } from '../finality/finality-proof.ts'
import { readSignatures } from '../finality/protocol.ts'
import { modeOf } from '../finality/registry.ts'
import { type ValidatorSet, validatorsOf } from '../finality/validators.ts'
import type { Replica } from '../replica/replica.ts'
import type { RpcBackend } from './backend.ts'
import { finalHeight, isFinal, requireBlock } from './block-choice.ts'
import { CODES, RpcError } from './errors.ts'
import { BLOCK, optional, type Params } from './parameters.ts'

/** `quorate_getFinalityProof`: that a block (the last final one unless given) is final, for any holder of the genesis file. */
export function getFinalityProof({ replica }: RpcBackend, params: Params): Json {
  const { genesis, view } = replica
  const validators = requireValidators(replica)
  const found = requireBlock(replica, optional(params, 0, BLOCK, { tag: 'finalized' }))
  if (found.height === 0) throw new RpcError(CODES.refused, 'the genesis block needs no proof')
  if (!isFinal(replica, found)) throw new RpcError(CODES.refused, `block ${found.height} is not final`)
  const decided = view.certificateAt(found.height)
  if (decided === null) throw new RpcError(CODES.refused, `there is no certificate for block ${found.height}`)
  const count = decided.height - found.height + 1
  if (count > PROOF_HEADERS_MAX)
    throw new RpcError(CODES.refused, `the proof would have ${count} headers, more than ${PROOF_HEADERS_MAX}`)
  const headers = Array.from({ length: count }, (_, index) => view.headerAt(found.height + index)!.header)
  const certificate = readSignatures(genesis, decided.bytes)
  if (certificate === null) throw new RpcError(CODES.refused, 'the validators of this network sign nothing')
  return describeFinalityProof({
    genesisId: genesis.block.id,
    chainId: genesis.blocks.chainId,
    validators,
    height: found.height,
    headers,
    certificate,
  }) as unknown as Json
}

/** `quorate_getEvidence`: proofs that validators lied, as far as this node has seen them lie. */
export function getEvidence(backend: RpcBackend): Json {
  return requireReport(backend).evidence as unknown as Json
}

/** `quorate_finalityReport`: the state of the agreement, and what each validator last reported of itself. */
export function finalityReport(backend: RpcBackend): Json {
  const { replica } = backend
  const report = requireReport(backend)
  const head = replica.tree.head.chained.height
  const final = finalHeight(replica) ?? 0
  return {
    mode: modeOf(replica.genesis).name,
    isMined: replica.genesis.work.isProved,
    ...report,
    head,
    final,
    lag: head - final,
    futureLimitMs: replica.genesis.work.futureLimitSeconds * 1000,
    lastCertificate: describeLast(replica, final),
  } as unknown as Json
}

function describeLast(replica: Replica, final: number): Json {
  const decided = replica.view.certificateAt(final)
  if (decided === null) return null
  const certificate = readSignatures(replica.genesis, decided.bytes)
  if (certificate === null) return null
  const { sequence, view, value, signatures } = certificate
  const { validators } = requireValidators(replica)
  const signers = signatures.map(({ member }) => validators[member]!.name)
  return { sequence, view, height: decided.height, id: value, signers }
}

function requireReport(backend: RpcBackend): AgreementReport {
  const report = backend.finalityReport()
  if (report === null) throw withoutValidators(backend.replica)
  return report
}

function requireValidators(replica: Replica): ValidatorSet {
  const validators = validatorsOf(replica.genesis)
  if (validators === null) throw withoutValidators(replica)
  return validators
}

function withoutValidators({ genesis }: Replica): RpcError {
  return new RpcError(
    CODES.refused,
    `this network has no validators: its finality is ${modeOf(genesis).name}`,
  )
}
