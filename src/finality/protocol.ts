// The protocol by which the validators of a network agree: the genesis file chooses it by its message pattern, among those
// of its mode. What a node stored as the certificate of a decision is read by it.

import type { LogKit, SignedKit } from '../consensus/kit.ts'
import type { SomeCertificate } from '../consensus/signed.ts'
import { ByteReader } from '../encoding/bytes.ts'
import { Fields, InvalidField } from '../encoding/fields.ts'
import type { Genesis } from '../execution/genesis.ts'
import { takeProtocol } from './modes/committee-mode.ts'
import { modeOf } from './registry.ts'

/** The protocol of a network; null for one without validators. Throws `InvalidField`. */
export function protocolOf(genesis: Pick<Genesis, 'finality'>): LogKit | null {
  const { hasValidators, protocols } = modeOf(genesis)
  return hasValidators ? takeProtocol(new Fields('finality', genesis.finality), protocols).kit : null
}

/** The signatures in a stored certificate of a network; null where decisions carry none. Throws `MalformedBytes`. */
export function readSignatures(
  genesis: Pick<Genesis, 'finality'>,
  bytes: Uint8Array,
): SomeCertificate | null {
  const protocol = protocolOf(genesis)
  if (protocol === null || protocol.signed === null) return null
  return protocol.signed.certificate(protocol.codec.readDecision(new ByteReader(bytes)))
}

/** What the validators of a network sign. Throws `InvalidField` when they sign nothing. */
export function requireSigned(genesis: Pick<Genesis, 'finality'>): SignedKit {
  const signed = protocolOf(genesis)?.signed ?? null
  if (signed === null) throw new InvalidField('finality', 'nobody signs in this network')
  return signed
}
