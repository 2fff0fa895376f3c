// Strangers that ask: each request is small, and its answer is work and bytes for the node.

import fc from 'fast-check'
import { blockId } from '../../src/chain/header.ts'
import { NO_VALUE } from '../../src/consensus/log.ts'
import type { PbftMessage } from '../../src/consensus/pbft/messages.ts'
import { frameMessage } from '../../src/node/frames.ts'
import { encodeMessage } from '../../src/replica/message-codec.ts'
import { MESSAGE_LIMITS, type Message } from '../../src/replica/messages.ts'
import { message as anyFinalityMessage } from '../consensus/pbft/arbitraries.ts'
import { type Content, encodeEnvelope } from '../finality/pbft-envelope.ts'
import type { Attack } from './attack.ts'
import type { Stranger } from './stranger.ts'

/** Samples of the finality layer's messages; so many that every kind is among them. */
const SAMPLES = 400
const SEED = 11
/** Members whose names strangers take. */
const MEMBERS = 4

const frame = (message: Message): Uint8Array => frameMessage(encodeMessage(message))

const finality = (content: Content): Uint8Array =>
  frame({ type: 'finality', body: encodeEnvelope({ clockMs: Date.now(), content }), block: null })

/** Messages of the finality layer by kind, well-formed and signed by nobody. */
export const FINALITY_SAMPLES: ReadonlyMap<PbftMessage['type'], readonly PbftMessage[]> = Map.groupBy(
  fc.sample(anyFinalityMessage, { seed: SEED, numRuns: SAMPLES }).map(message => withMember(message)),
  ({ type }) => type,
)

const getHeaders = (requestId: number, locator: readonly `0x${string}`[]): Uint8Array =>
  frame({ type: 'get-headers', requestId, locator })

const status: PbftMessage = {
  type: 'status',
  from: null,
  view: 0,
  isActive: true,
  votes: true,
  decided: 0,
  value: NO_VALUE,
  timeoutMs: 1_000,
}

/** Who asks for headers, blocks, transactions and what the finality layer knows. */
export const requests: readonly Attack[] = [
  {
    name: 'asks for transactions without end',
    covers: ['get-transactions'],
    fate: 'kept',
    run: attacker => {
      const ids = Array.from({ length: MESSAGE_LIMITS.transactionsMax }, () => attacker.target.genesisId)
      return attacker.persist(stranger =>
        attacker.flood(stranger, requestId => frame({ type: 'get-transactions', requestId, ids })),
      )
    },
  },
  {
    name: 'asks for all headers without end',
    covers: ['get-headers'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(stranger =>
        attacker.flood(stranger, id => getHeaders(id, [attacker.target.genesisId])),
      ),
  },
  {
    name: 'asks for all headers in a trickle of 1.2 kB a second',
    covers: ['get-headers'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(stranger =>
        attacker.trickle(stranger, 28, id => getHeaders(id, [attacker.target.genesisId])),
      ),
  },
  {
    name: 'asks for headers after blocks that nobody knows',
    covers: ['get-headers'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(stranger =>
        attacker.flood(stranger, id =>
          getHeaders(
            id,
            Array.from({ length: MESSAGE_LIMITS.locatorIdsMax }, (_, index) => unknownId(id * 64 + index)),
          ),
        ),
      ),
  },
  {
    name: 'asks for all blocks without end',
    covers: ['get-blocks'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(async stranger => {
        const ids = await idsAfterGenesis(stranger, attacker.target.genesisId)
        const request = (requestId: number) =>
          frame({ type: 'get-blocks', requestId, ids: ids.slice(0, MESSAGE_LIMITS.blocksMax) })
        await attacker.flood(stranger, request)
      }),
  },
  {
    name: 'says without end what chain it follows',
    covers: ['status'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(stranger => {
        const { genesisId, chainId } = attacker.target
        const said = { genesisId, chainId, headId: genesisId, height: 0, work: 0n }
        return attacker.flood(stranger, () => frame({ type: 'status', status: said }))
      }),
  },
  {
    name: 'asks the finality layer without end what it lacks',
    covers: ['finality', 'finality/status'],
    fate: 'kept',
    run: attacker =>
      attacker.persist(stranger =>
        attacker.flood(stranger, () => finality({ type: 'protocol', message: status })),
      ),
  },
  {
    name: 'says whatever there is to say to the finality layer, signed by nobody',
    covers: ['finality', ...[...FINALITY_SAMPLES.keys()].map(type => `finality/${type}`)],
    run: attacker =>
      attacker.persist(stranger => {
        const samples = [...FINALITY_SAMPLES.values()]
        return attacker.flood(stranger, count => {
          const kind = samples[count % samples.length]!
          const message = kind[Math.floor(count / samples.length) % kind.length]!
          return finality({ type: 'protocol', message })
        })
      }),
  },
  {
    name: "passes itself off as a validator with signatures that are nobody's",
    covers: ['finality', 'finality/hello'],
    run: attacker =>
      attacker.persist(stranger =>
        attacker.flood(stranger, count => {
          const signature = new Uint8Array(65).fill(1)
          new DataView(signature.buffer).setUint32(36, count)
          return finality({ type: 'hello', member: count % MEMBERS, signature })
        }),
      ),
  },
]

function withMember(message: PbftMessage): PbftMessage {
  return 'from' in message && message.from !== null ? { ...message, from: message.from % MEMBERS } : message
}

function unknownId(seed: number): `0x${string}` {
  return `0x${seed.toString(16).padStart(64, 'f')}`
}

/** The ids of the first blocks of the node's chain, which it is asked for once. */
async function idsAfterGenesis(stranger: Stranger, genesisId: `0x${string}`): Promise<`0x${string}`[]> {
  const answered = new Promise<`0x${string}`[]>(resolve => {
    stranger.onMessage = message => {
      if (message.type === 'headers') resolve(message.headers.map(blockId))
    }
  })
  await stranger.send(getHeaders(0, [genesisId]))
  return answered
}
