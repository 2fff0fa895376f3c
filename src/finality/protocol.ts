// The protocol by which the validators of a network agree: the genesis file chooses it by its message pattern. What a
// node stored as the certificate of a decision is read by it.

import { PATTERNS } from '../consensus/catalogue.ts'
import type { LogKit, SignedKit } from '../consensus/kit.ts'
import type { SomeCertificate } from '../consensus/signed.ts'
import { ByteReader } from '../encoding/bytes.ts'
import { Fields, InvalidField } from '../encoding/fields.ts'
import type { Genesis } from '../execution/genesis.ts'

/** The protocol of a network; null for one without validators. Throws `InvalidField`. */
export function protocolOf(genesis: Pick<Genesis, 'finality'>): LogKit | null {
  const settings = new Fields('finality', genesis.finality)
  return settings.has('pattern') ? takeProtocol(settings).kit : null
}

/** Takes `pattern` from the settings of a genesis file's finality. Throws `InvalidField`. */
export function takeProtocol(settings: Fields): { readonly pattern: string; readonly kit: LogKit } {
  const names = [...PATTERNS.keys()]
  const pattern = settings.parse(
    'pattern',
    `one of ${names.join(', ')}`,
    value => names.find(name => name === value) ?? null,
  )
  return { pattern, kit: PATTERNS.get(pattern)! }
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
