// Strangers that claim a chain with more work than anybody's, and show none of it.

import { frameMessage } from '../../src/node/frames.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import type { Message, Status } from '../../src/replica/messages.ts'
import type { Attack } from './attack.ts'
import type { Attacker } from './attacker.ts'
import type { Stranger } from './stranger.ts'

/** Strangers that claim at once. */
const NAMES = 2
/** Milliseconds between two bytes of an answer that comes drop by drop. */
const DROP_MS = 500

const CLAIM: Partial<Status> = { headId: `0x${'ab'.repeat(32)}`, height: 1_000_000, work: 2n ** 200n }

/** Work that does not exist. */
export const claims: readonly Attack[] = [
  {
    name: 'claims more work than anybody and is silent',
    covers: ['status'],
    isAgainstJoiners: true,
    run: attacker => claim(attacker, async () => {}),
  },
  {
    name: 'claims more work than anybody and has no headers',
    covers: ['status', 'headers'],
    isAgainstJoiners: true,
    run: attacker =>
      claim(attacker, (stranger, message) =>
        message.type === 'get-headers'
          ? stranger.say({ type: 'headers', requestId: message.requestId, headers: [] })
          : Promise.resolve(),
      ),
  },
  {
    name: 'claims more work than anybody and answers drop by drop',
    covers: ['status', 'headers'],
    isAgainstJoiners: true,
    run: attacker =>
      claim(attacker, async (stranger, message) => {
        if (message.type !== 'get-headers') return
        const headers = Array.from({ length: 100 }, (_, nonce) => ({
          version: 1,
          previous: attacker.target.genesisId,
          merkleRoot: `0x${'00'.repeat(32)}` as const,
          time: 0,
          bits: 0,
          nonce,
        }))
        const { requestId } = message
        const answer = frameMessage(encodeMessage({ type: 'headers', requestId, headers }))
        for (const byte of answer) {
          if (attacker.isOver) return
          await stranger.send(Uint8Array.of(byte))
          await attacker.pause(DROP_MS)
        }
      }),
  },
  {
    name: 'claims more work than anybody and shows headers without work',
    covers: ['status', 'headers'],
    isAgainstJoiners: true,
    run: attacker =>
      claim(attacker, (stranger, message) => {
        if (message.type !== 'get-headers') return Promise.resolve()
        const header = {
          version: 1,
          previous: attacker.target.genesisId,
          merkleRoot: `0x${'11'.repeat(32)}` as const,
          time: Math.floor(Date.now() / 1_000),
          bits: 0x207fffff,
          nonce: 0,
        }
        const headers = Array.from({ length: 2_000 }, () => header)
        return stranger.say({ type: 'headers', requestId: message.requestId, headers })
      }),
  },
]

/** Claims under two names at once, and answers what it is asked in this way. */
async function claim(
  attacker: Attacker,
  answer: (stranger: Stranger, message: Message) => Promise<void>,
): Promise<void> {
  const once = () =>
    attacker.persist(
      async stranger => {
        stranger.onMessage = message => void answer(stranger, message).catch(() => {})
        // Said again as often as honest nodes do, so that it is not taken for silence.
        while (!attacker.isOver) {
          await attacker.pause(5_000)
          await stranger.greet(CLAIM)
        }
      },
      { claim: CLAIM },
    )
  await Promise.all(Array.from({ length: NAMES }, once))
}
