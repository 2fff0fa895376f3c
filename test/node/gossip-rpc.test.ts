import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RPC } from '@libp2p/gossipsub/message'
import fc from 'fast-check'
import { type RpcFault, type RpcPart, RpcReader } from '../../src/node/gossip-rpc.ts'
import { field, withLength } from './identify-message.ts'

const BYTES_MAX = 100_000

/** What a reader finds in a stream of RPCs. */
function read(pieces: readonly Uint8Array[]): { fault: RpcFault | null; parts: Record<RpcPart, number> } {
  const reader = new RpcReader(BYTES_MAX)
  const parts = { rpc: 0, message: 0, control: 0, field: 0 }
  for (const piece of pieces) {
    const fault = reader.push(piece, part => {
      parts[part] += 1
      return null
    })
    if (fault !== null) return { fault, parts }
  }
  assert.equal(reader.isInside, false)
  return { fault: null, parts }
}

const id = new Uint8Array(32).fill(9)
const full = RPC.encode({
  subscriptions: [{ subscribe: true, topic: 'blocks' }],
  messages: [
    { topic: 'blocks', data: new Uint8Array(300) },
    { topic: 'blocks', data: new Uint8Array(0) },
  ],
  control: {
    ihave: [{ topicID: 'blocks', messageIDs: [id, id] }],
    iwant: [{ messageIDs: [id] }],
    graft: [{ topicID: 'blocks' }],
    prune: [{ topicID: 'blocks', peers: [{ peerID: id, signedPeerRecord: id }], backoff: 60 }],
    idontwant: [{ messageIDs: [id] }],
  },
})

test('what gossipsub sends is read, and all of it is told, however it is cut', () => {
  const bytes = Buffer.concat([withLength(full), withLength(full)])
  const parts = {
    rpc: 2,
    message: 4,
    control: 2 * (1 + 5 + 1),
    field: 2 * (2 + 4 + 1 + 3 + 1 + 1 + 2 + 2 + 1),
  }
  assert.deepEqual(read([bytes]), { fault: null, parts })
  for (let cut = 1; cut < bytes.length; cut++)
    assert.deepEqual(read([bytes.subarray(0, cut), bytes.subarray(cut)]), { fault: null, parts })
})

const message = (...fields: readonly Uint8Array[]): Uint8Array =>
  withLength(field(2, Buffer.concat([field(4, Buffer.from('blocks')), ...fields])))

/** What is refused, and why. */
const refused: Readonly<Record<string, readonly [Uint8Array, RpcFault]>> = {
  'a message that names its maker': [message(field(1, id)), 'rpc-signed'],
  'a message with a sequence number': [message(field(3, new Uint8Array(8))), 'rpc-signed'],
  'a message with a signature': [message(field(5, id)), 'rpc-signed'],
  'a message with a key': [message(field(6, id)), 'rpc-signed'],
  'an RPC that is too large': [Uint8Array.of(0xa1, 0x8d, 0x06), 'rpc-too-large'],
  'an RPC of no bytes': [Uint8Array.of(0), 'rpc-empty'],
  'a length without end': [Uint8Array.of(0x80, 0x80, 0x80, 0x80), 'rpc-malformed'],
  'a message that says it is a number': [withLength(Uint8Array.of((2 << 3) | 0, 1, 0)), 'rpc-malformed'],
  'a subscription that says it is bytes where it is a number': [
    withLength(field(1, Uint8Array.of((1 << 3) | 2, 0))),
    'rpc-malformed',
  ],
  'a group': [withLength(Uint8Array.of((9 << 3) | 3, (9 << 3) | 4)), 'rpc-malformed'],
  'a field that is longer than what holds it': [
    withLength(field(2, Uint8Array.of((2 << 3) | 2, 1))),
    'rpc-malformed',
  ],
  'a field that ends with what holds it': [
    withLength(Uint8Array.of((2 << 3) | 2, 1, (2 << 3) | 2, 0)),
    'rpc-malformed',
  ],
  'a tag of more than 32 bits': [withLength(Uint8Array.of(0x92, 0x80, 0x80, 0x80, 0x10, 0)), 'rpc-malformed'],
}

for (const [name, [bytes, fault]] of Object.entries(refused))
  test(`${name}: refused`, () => assert.equal(read([bytes]).fault, fault))

test('fields that are not known are told of and skipped', () => {
  const { fault, parts } = read([withLength(Buffer.concat([field(9, id), Uint8Array.of(0x50, 0xff, 0x01)]))])
  assert.equal(fault, null)
  assert.equal(parts.field, 2)
})

test('whatever gossipsub can decode is refused, or no less was found in it', () => {
  const changes = fc.array(fc.tuple(fc.nat(full.length - 1), fc.nat(255)), { maxLength: 4 })
  const bytes = fc.oneof(
    changes.map(list => {
      const changed = Uint8Array.from(full)
      for (const [at, byte] of list) changed[at] = byte
      return changed
    }),
    fc.uint8Array({ minLength: 1, maxLength: 24 }),
  )
  fc.assert(
    fc.property(bytes, rpc => {
      const decoded = attempt(() => RPC.decode(rpc))
      if (decoded === null) return
      const { control } = decoded
      const controls = Object.values(control ?? {}).reduce((sum, list) => sum + list.length, 0)
      const isSigned = decoded.messages.some(
        ({ from, seqno, signature, key }) => from ?? seqno ?? signature ?? key,
      )
      const reader = new RpcReader(BYTES_MAX)
      const parts = { rpc: 0, message: 0, control: 0, field: 0 }
      const fault = reader.push(withLength(rpc), part => {
        parts[part] += 1
        return null
      })
      if (fault !== null) return
      assert.equal(isSigned, false)
      assert.ok(parts.message >= decoded.messages.length)
      assert.ok(parts.control >= controls + decoded.subscriptions.length)
    }),
    { numRuns: 20_000, seed: 12 },
  )
})

function attempt<T>(act: () => T): T | null {
  try {
    return act()
  } catch {
    return null
  }
}
