// Every attack there is, by what it attacks.

import type { Attack } from './attack.ts'
import { claims } from './claims.ts'
import { clients } from './clients.ts'
import { connections } from './connections.ts'
import { handshakes } from './handshakes.ts'
import { pushes } from './pushes.ts'
import { requests } from './requests.ts'

/** The attacks of peers. */
export const PEER_ATTACKS: readonly Attack[] = [
  ...requests,
  ...claims,
  ...pushes,
  ...connections,
  ...handshakes,
]

/** The attacks of clients of the RPC. */
export const CLIENT_ATTACKS: readonly Attack[] = clients

/** All attacks. */
export const ATTACKS: readonly Attack[] = [...PEER_ATTACKS, ...CLIENT_ATTACKS]
