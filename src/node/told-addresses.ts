// Which of the addresses that a peer reports of itself are noted.
//
// A peer reports all addresses of its interfaces, and a stranger can report any. A peer out on the network can't be
// reached at our loopback interface or in our local network: what is there is another host, which we must not dial on its
// word. Addresses at the host from which it connected come first, since the book places a peer by its first address.

import { type Place, placeOf, type Reach } from '../defence/network-group.ts'
import type { PeerAddress } from './peer-address.ts'

const REACHES: readonly Reach[] = ['loopback', 'private', 'public']

/** The addresses at which a peer of this place may be dialled, the best first. */
export function addressesToldOf(source: Place, told: readonly PeerAddress[]): PeerAddress[] {
  const places = told.map(address => ({ address, place: placeOf(address) }))
  const reachable = places.filter(
    ({ place }) => REACHES.indexOf(place.reach) >= REACHES.indexOf(source.reach),
  )
  const rank = (place: Place): number =>
    place.address === source.address ? 0 : place.group === source.group ? 1 : 2
  return reachable.sort((a, b) => rank(a.place) - rank(b.place)).map(({ address }) => address)
}
