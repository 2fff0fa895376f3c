// What can go wrong with a call, as clients see it: a JSON-RPC code and a text.
//
// Clients recognise a refused transaction by geth's wording (go-ethereum, core/txpool/errors.go and
// core/error.go), so the text uses it; our own name of the reason is in `data`. An error never contains internals: no stack
// and no path.

import type { Json } from '../encoding/fields.ts'
import type { Rejection } from '../replica/verdict.ts'

/** The codes: JSON-RPC 2.0 section 5.1, EIP-1474, and -39001 of Ethereum's execution APIs. */
export const CODES = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  refused: -32000,
  cookieNeeded: -32001,
  answerTooLarge: -32003,
  limitExceeded: -32005,
  unknownBlock: -39001,
} as const

/** A call that has no result. */
export class RpcError extends Error {
  override name = 'RpcError'
  readonly code: number
  /** More for programs; null for nothing. */
  readonly data: Json

  constructor(code: number, message: string, data: Json = null) {
    super(message)
    this.code = code
    this.data = data
  }
}

type TransactionRejection = Extract<Rejection, `tx-${string}`>

const TEXTS: { readonly [reason in TransactionRejection]: string } = {
  'tx-too-large': 'oversized data',
  'tx-type-unknown': 'transaction type not supported',
  'tx-malformed': 'malformed transaction',
  'tx-nonce-too-large': 'nonce has max value',
  'tx-fee-overflow': 'max fee per gas higher than 2^256-1 divided by the gas limit',
  'tx-tip-above-fee': 'max priority fee per gas higher than max fee per gas',
  'tx-unprotected': 'only replay-protected (EIP-155) transactions allowed over RPC',
  'tx-signature-out-of-range': 'invalid sender',
  'tx-signature-high-s': 'invalid sender',
  'tx-signature-invalid': 'invalid sender',
  'tx-wrong-chain': 'invalid chain id for signer',
  'tx-gas-below-intrinsic': 'intrinsic gas too low',
  'tx-gas-above-block': 'exceeds block gas limit',
  'tx-bytes-above-block': 'oversized data: no block can hold it',
  'tx-creates-contract': 'contract creation is not supported: this chain carries transfers only',
  'tx-nonce-too-low': 'nonce too low',
  'tx-nonce-too-high': 'nonce too high',
  'tx-insufficient-funds': 'insufficient funds for gas * price + value',
  'tx-fee-below-base': 'max fee per gas less than block base fee',
  'tx-already-known': 'already known',
  'tx-underpriced': 'transaction underpriced',
  'tx-replacement-underpriced': 'replacement transaction underpriced',
  'tx-sender-queue-full': 'txpool is full: too much of this sender is waiting',
  'tx-pool-full': 'txpool is full',
}

/** The error for a refused transaction. */
export function rejectionError(reason: Rejection): RpcError {
  const text = (TEXTS as { readonly [reason: string]: string })[reason] ?? 'transaction refused'
  return new RpcError(CODES.refused, text, { reason })
}

/** The error for a block that is not there. */
export function unknownBlock(): RpcError {
  return new RpcError(CODES.unknownBlock, 'Unknown block')
}
