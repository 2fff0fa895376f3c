// Strangers that only take up places, lie about themselves, or send what is no message at all.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { ByteWriter } from '../../src/encoding/bytes.ts'
import { gossipOptions, gossipTopic } from '../../src/node/gossip.ts'
import { RPC_LIMITS } from '../../src/node/gossip-rpc.ts'
import { MESSAGE_LIMITS } from '../../src/replica/messages.ts'
import { field, identifyMessage, withLength } from '../node/identify-message.ts'
import { dialFrom } from '../node/raw-peer.ts'
import { dataFrame, FLAG, frame, TYPE } from '../node/wire-frames.ts'
import type { Attack } from './attack.ts'
import type { Attacker } from './attacker.ts'
import { STRANGERS_ADDRESS, type Stranger, type Target } from './stranger.ts'

const IDENTITIES = 47
const SILENT_SOCKETS = 100
/** Milliseconds for which a stranger that said who it is stays before another comes. */
const STAY_MS = 200
const MESHSUB = '/meshsub/1.2.0'
/** The length of an RPC of gossip that has a megabyte. */
const LONG_RPC = Uint8Array.of(0x80, 0x80, 0x40)

const PORT = multiaddr('/tcp/1').bytes
/** A name as a component of a multiaddr, whatever is in it. */
const dns4 = (name: string): Uint8Array => {
  const bytes = new TextEncoder().encode(name)
  return Uint8Array.of(54, ...withLength(bytes), ...PORT)
}
const LIES: readonly Uint8Array[] = [
  dns4('a/foo'),
  dns4('a/tcp/1'),
  dns4('a\n\u001b[2J'),
  dns4('////'),
  dns4(''),
  dns4('x'.repeat(250)),
  multiaddr('/ip4/127.0.0.1/tcp/1/p2p-circuit').bytes,
  multiaddr('/unix/%2Ftmp%2Fx').bytes,
  Uint8Array.of(255, 255, 255, 255),
  Uint8Array.of(54, 255),
  new Uint8Array(0),
]

/** Who takes up places, and who speaks something else. */
export const connections: readonly Attack[] = [
  {
    name: 'says that it listens where no text can say',
    covers: ['identify'],
    run: attacker =>
      attacker.persist(() => attacker.pause(STAY_MS), {
        identify: network => identifyMessage(network, LIES),
      }),
  },
  {
    name: 'names a thousand addresses of its own',
    covers: ['identify'],
    run: attacker =>
      attacker.persist(() => attacker.pause(STAY_MS), {
        identify: network =>
          identifyMessage(
            network,
            Array.from({ length: 1_000 }, (_, index) => multiaddr(`/ip4/192.0.2.1/tcp/${index + 1}`).bytes),
          ),
      }),
  },
  {
    name: 'comes under 47 names and stays',
    covers: ['places'],
    run: async attacker => {
      const stay = () => attacker.persist(() => saying(attacker))
      await Promise.all(Array.from({ length: IDENTITIES }, stay))
    },
  },
  {
    name: 'opens 100 sockets and says nothing',
    covers: ['places'],
    run: async attacker => {
      await Promise.all(Array.from({ length: SILENT_SOCKETS }, () => silentSocket(attacker)))
    },
  },
  {
    name: 'sends frames of no message, of every size',
    covers: ['frames'],
    run: attacker =>
      attacker.persist(stranger => attacker.flood(stranger, count => frameOf(new Uint8Array(count % 4_096)))),
  },
  {
    name: 'announces the largest message and sends it byte by byte',
    covers: ['frames'],
    run: attacker =>
      attacker.persist(async stranger => {
        await stranger.send(new ByteWriter().u32(MESSAGE_LIMITS.bytesMax).finish())
        await attacker.trickle(stranger, 10, () => new Uint8Array(1))
      }),
  },
  {
    name: 'opens and resets streams of the multiplexer without end',
    covers: ['wire'],
    fate: 'ended',
    run: attacker =>
      attacker.persist(async ({ connection }) => {
        for (let id = 10_001; !attacker.isOver; id += 2) {
          const opened = frame(TYPE.windowUpdate, FLAG.syn, id, 0)
          sendFrames(connection, Buffer.concat([opened, frame(TYPE.windowUpdate, FLAG.rst, id, 0)]))
          attacker.spend({ bytesSent: 2 * opened.length })
          if (id % 64 === 1) await attacker.pause(1)
        }
      }),
  },
  {
    name: 'sends a frame of the multiplexer that says it has four gigabytes',
    covers: ['wire'],
    fate: 'ended',
    run: attacker =>
      attacker.persist(async ({ connection }) => {
        sendFrames(connection, frame(TYPE.data, 0, 1, 0xffffffff))
        await saying(attacker)
      }),
  },
  {
    name: 'sends a thousand frames of a byte at once, again and again, on ten connections',
    covers: ['wire'],
    run: async attacker => {
      const flood = () =>
        attacker.persist(async ({ connection }) => {
          const stream = await connection.newStream(MESHSUB)
          stream.send(LONG_RPC)
          const frames = repeated(900, dataFrame(Number(stream.id), Uint8Array.of(0)))
          while (!attacker.isOver) {
            sendFrames(connection, frames)
            attacker.spend({ bytesSent: frames.length })
            await attacker.pause(2_500)
          }
        })
      await Promise.all(Array.from({ length: 10 }, flood))
    },
  },
  {
    name: 'sends data for a stream that does not exist',
    covers: ['wire'],
    fate: 'ended',
    run: attacker =>
      attacker.persist(async ({ connection }) => {
        const data = repeated(400, dataFrame(999_999, new Uint8Array(15_000)))
        sendFrames(connection, data)
        attacker.spend({ bytesSent: data.length })
        await saying(attacker)
      }),
  },
  {
    name: 'sends an RPC of gossip byte by byte, each among data that nobody reads',
    covers: ['wire', 'gossip'],
    fate: 'ended',
    run: attacker =>
      attacker.persist(async ({ connection }) => {
        const stream = await connection.newStream(MESHSUB)
        stream.send(LONG_RPC)
        const byte = dataFrame(Number(stream.id), Uint8Array.of(0))
        const data = repeated(100, Buffer.concat([byte, dataFrame(999_999, new Uint8Array(65_000))]))
        sendFrames(connection, data)
        attacker.spend({ bytesSent: data.length })
        await saying(attacker)
      }),
  },
  {
    name: 'gossips what is no block',
    covers: ['block', 'gossip'],
    run: attacker => {
      const topic = gossipTopic(attacker.target.genesisId, 'block')
      return attacker.persist(
        async stranger => {
          const { gossip } = (stranger.network as Awaited<ReturnType<typeof gossiping>>).services
          gossip.subscribe(topic)
          for (let count = 0; !attacker.isOver; count++) {
            const data = new Uint8Array(1_024)
            new DataView(data.buffer).setUint32(8, count)
            await gossip.publish(topic, data).catch(() => {})
            attacker.spend({ bytesSent: data.length })
            await attacker.pause(1)
          }
        },
        { network: gossiping },
      )
    },
  },
  {
    name: 'fills RPCs of gossip with signed messages, which nobody looks at',
    covers: ['gossip'],
    fate: 'ended',
    run: attacker =>
      attacker.persist(stranger => gossipRpcs(attacker, stranger, signedMessages(attacker.target))),
  },
  {
    name: 'fills RPCs of gossip with messages that were seen',
    covers: ['gossip'],
    run: attacker =>
      attacker.persist(stranger => gossipRpcs(attacker, stranger, seenMessages(attacker.target))),
  },
  {
    name: 'floods gossip with what it has and wants',
    covers: ['gossip'],
    run: attacker =>
      attacker.persist(stranger => {
        const topic = gossipTopic(attacker.target.genesisId, 'block')
        return gossipRpcs(attacker, stranger, controlMessage(topic))
      }),
  },
]

/** Does what honest nodes do, and no more, for as long as it is let. */
async function saying(attacker: Attacker): Promise<void> {
  while (!attacker.isOver) await attacker.pause(1_000)
}

/** Puts bytes among the frames of a connection, which libp2p hides. */
function sendFrames(connection: Connection, bytes: Uint8Array): void {
  const { muxer } = connection as unknown as { readonly muxer: { send(bytes: Uint8Array): void } }
  muxer.send(bytes)
}

function repeated(count: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => bytes))
}

async function silentSocket(attacker: Attacker): Promise<void> {
  const { host, port } = placeOf(attacker.target)
  while (!attacker.isOver) {
    const socket: Socket = connect({ port, host, localAddress: STRANGERS_ADDRESS })
    socket.on('error', () => {})
    socket.resume()
    attacker.spend({ connections: 1 })
    const end = () => socket.destroy()
    attacker.signal.addEventListener('abort', end, { once: true })
    await once(socket, 'close').catch(() => {})
    attacker.signal.removeEventListener('abort', end)
    await attacker.pause(100)
  }
}

function placeOf({ address }: Target): { readonly host: string; readonly port: number } {
  const [, , host, , port] = address.split('/')
  return { host: host!, port: Number(port) }
}

function frameOf(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([new ByteWriter().u32(bytes.length).finish(), bytes])
}

/** libp2p with gossip as a node has it. */
function gossiping(target: Target) {
  return createLibp2p({
    addresses: { listen: [] },
    transports: [tcp({ dialOpts: dialFrom(STRANGERS_ADDRESS) })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    services: { identify: identify(), gossip: gossipsub(gossipOptions(target)) },
  })
}

/** Sends an RPC again and again, as fast as the node takes it. */
async function gossipRpcs(attacker: Attacker, { connection }: Stranger, content: Uint8Array): Promise<void> {
  const stream = await connection.newStream(MESHSUB)
  const rpc = withLength(content)
  while (!attacker.isOver) {
    if (stream.writeBufferLength === 0) {
      stream.send(rpc)
      attacker.spend({ bytesSent: rpc.length })
    }
    await attacker.pause(1)
  }
}

/** Messages that gossipsub decodes and drops. */
function signedMessages({ genesisId }: Target): Uint8Array {
  const topic = field(4, new TextEncoder().encode(gossipTopic(genesisId, 'block')))
  const message = field(2, Buffer.concat([field(3, new Uint8Array(8)), topic]))
  return repeated(512, message)
}

/** As many messages as an RPC may have, of which each is the same. */
function seenMessages({ genesisId }: Target): Uint8Array {
  const topic = field(4, new TextEncoder().encode(gossipTopic(genesisId, 'block')))
  return repeated(RPC_LIMITS.maxMessages, field(2, Buffer.concat([field(2, new Uint8Array(300)), topic])))
}

/** What gossipsub says for itself: many ids that it has, and many that it wants. */
function controlMessage(topic: string): Uint8Array {
  const text = new TextEncoder().encode(topic)
  const ids = Array.from({ length: 1_000 }, (_, index) => {
    const id = new Uint8Array(32).fill(7)
    new DataView(id.buffer).setUint32(0, Math.floor(Math.random() * 2 ** 32) ^ index)
    return id
  })
  const have = Buffer.concat([field(1, text), ...ids.map(id => field(2, id))])
  const want = Buffer.concat(ids.map(id => field(1, id)))
  return field(3, Buffer.concat([field(1, have), field(2, want), field(3, field(1, text))]))
}
