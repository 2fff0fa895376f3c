// A node: a replica whose effects are performed for real, on a disk, a network and threads that mine.
//
// Everything that happens comes to one place, `#step`, one thing after the other; what the replica wants done is
// performed by one loop (performer.ts). Messages are decoded at the edge, and the senders of their transactions
// recovered off the event loop, before the replica sees them. After a fault (the disk fails, the replica throws)
// nothing is done any more: the node closes, and its owner is told.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Address } from '../chain/address.ts'
import type { Genesis } from '../chain/genesis.ts'
import { type BlockId, encodeHeader } from '../chain/header.ts'
import { createFinality } from '../finality/registry.ts'
import { Miner } from '../mining/miner.ts'
import type { Effect, Input, PeerId, SubmitResult, TimerName } from '../replica/effects.ts'
import { decodeMessage, type Message } from '../replica/messages.ts'
import { KEYS } from '../replica/records.ts'
import { Replica } from '../replica/replica.ts'
import { verdictOn } from '../replica/verdict.ts'
import { chooseBackend } from '../signatures/choose-backend.ts'
import { RecoveryPool } from '../signatures/recovery-pool.ts'
import { SenderCache } from '../signatures/sender-cache.ts'
import { AddressBook } from './address-book.ts'
import { Database } from './database.ts'
import type { GossipType, GossipVerdict } from './gossip.ts'
import { Host, type PeerInfo } from './host.ts'
import { loadIdentity } from './identity.ts'
import { Listeners } from './listeners.ts'
import { type OutwardEffect, Performer } from './performer.ts'
import { SenderWarming } from './sender-warming.ts'
import { Submissions } from './submissions.ts'
import { Timers } from './timers.ts'
