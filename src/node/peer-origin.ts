// The origin of a connected peer, for the part of the replica that remembers failures: which side opened the connection,
// and what other identities of the same owner would share. Keys are free and addresses are not (network-group.ts). All
// nodes of this machine share an address, so each of them counts alone.

import { placeOf } from '../defence/network-group.ts'
import type { PeerOrigin } from '../replica/claims.ts'
import type { PeerInfo } from './host-options.ts'
import { parsePeerAddress } from './peer-address.ts'

/** The origin of a connected peer. */
export function originOf({ id, address, direction }: PeerInfo): PeerOrigin {
  const parsed = parsePeerAddress(address)
  const place = parsed === null ? null : placeOf(parsed)
  const isShared = place === null || place.reach === 'loopback'
  return { isOutbound: direction === 'outbound', group: isShared ? id : place.address }
}
