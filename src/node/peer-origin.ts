// How a peer came to be connected, for the part of the replica that remembers failures: by whom the connection was opened,
// and what other identities of the same owner would share. Keys are free and addresses are not (network-group.ts). On this
// machine everybody has the same address, so there each peer stands for itself.

import type { PeerOrigin } from '../replica/claims.ts'
import type { PeerInfo } from './host-options.ts'
import { placeOf } from './network-group.ts'
import { parsePeerAddress } from './peer-address.ts'

/** Where a connected peer comes from. */
export function originOf({ id, address, direction }: PeerInfo): PeerOrigin {
  const parsed = parsePeerAddress(address)
  const place = parsed === null ? null : placeOf(parsed)
  const isShared = place === null || place.reach === 'loopback'
  return { isOutbound: direction === 'outbound', group: isShared ? id : place.address }
}
