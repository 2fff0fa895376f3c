// A peer's answer to libp2p's identify protocol, built here so that it may be false.
// Written with nothing of libp2p but the key, which would refuse to send such things.

import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'

/** The fields of libp2p's protobuf that are used here. */
const FIELDS = { publicKey: 1, listenAddress: 2 } as const

/** An identify message of this peer that names these addresses, which are not looked at. */
export function identifyMessage(
  network: Pick<Libp2p, 'peerId'>,
  addresses: readonly Uint8Array[],
): Uint8Array {
  const key = peerIdFromString(network.peerId.toString()).publicKey
  if (key === undefined) throw new Error('this peer id holds no key')
  return new Uint8Array(
    Buffer.concat([
      field(FIELDS.publicKey, publicKeyToProtobuf(key)),
      ...addresses.map(address => field(FIELDS.listenAddress, address)),
    ]),
  )
}

/** Bytes after their length. */
export function withLength(bytes: Uint8Array): Uint8Array {
  const length = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80)
    if (rest < 0x80) break
  }
  return Uint8Array.from([...length, ...bytes])
}

/** One field of a protobuf message. */
export function field(number: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([(number << 3) | 2, ...withLength(bytes)])
}
