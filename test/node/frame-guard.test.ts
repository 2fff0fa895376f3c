import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  FrameGuard,
  OPEN_STREAMS_MAX,
  PINGS,
  RPC_TIMEOUT_MS,
  RPCS,
  SMALL_FRAMES,
  STRAY_BYTES,
  STREAMS,
  WINDOW_UPDATES,
} from '../../src/node/frame-guard.ts'
import { LINES_MAX } from '../../src/node/protocol-lines.ts'
import { field, withLength } from './identify-message.ts'
import { dataFrame, FLAG, frame, line, TYPE } from './wire-frames.ts'

const FRAME_BYTES_MAX = 1_024 * 1_024
const RPC_BYTES_MAX = 4 * 1_024 * 1_024
const SPOKEN = ['/spoken/1', '/small/1', '/meshsub/1.2.0']
const HELLO = line('/multistream/1.0.0')

/** A guard at time 0. */
function newGuard(isMultiplexed = true): FrameGuard {
  const isSpoken = (protocol: string) => SPOKEN.includes(protocol)
  const isLink = (protocol: string) => protocol === '/spoken/1'
  return new FrameGuard(
    { isMultiplexed, frameBytesMax: FRAME_BYTES_MAX, rpcBytesMax: RPC_BYTES_MAX, isSpoken, isLink },
    0,
  )
}

const many = (count: number, make: (index: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)))
const opened = (id: number): Buffer => frame(TYPE.windowUpdate, FLAG.syn, id, 0)
const link = (id: number): Buffer =>
  Buffer.concat([opened(id), dataFrame(id, Buffer.concat([HELLO, line('/spoken/1')]))])
const gossip = (...rpcs: readonly Uint8Array[]): Buffer =>
  Buffer.concat([
    opened(1),
    dataFrame(1, Buffer.concat([HELLO, line('/meshsub/1.2.0')])),
    dataFrame(1, Buffer.concat(rpcs)),
  ])
const rpc = Uint8Array.of(2, 0x1a, 0)
const ping = frame(TYPE.ping, FLAG.syn, 0, 7)
const update = frame(TYPE.windowUpdate, 0, 1, 1)

/** What honest nodes send. */
const honest: Readonly<Record<string, Buffer>> = {
  'the largest frame': dataFrame(1, new Uint8Array(FRAME_BYTES_MAX)),
  'a stream that is opened, asked for what we do not speak, and reset': Buffer.concat([
    opened(1),
    dataFrame(1, Buffer.concat([HELLO, line('/other/1')])),
    frame(TYPE.windowUpdate, FLAG.rst, 1, 0),
  ]),
  'a stream whose content is like lines, once its protocol is agreed on': Buffer.concat([
    opened(1),
    dataFrame(1, Buffer.concat([HELLO, line('/spoken/1'), many(100, () => line('a'))])),
    dataFrame(
      1,
      many(100, () => line('a')),
    ),
  ]),
  'RPCs of gossip': gossip(rpc, withLength(field(2, field(2, new Uint8Array(128)))), rpc),
  'as many pings as may come at once': many(PINGS.burst, () => ping),
}

/** What is refused, and why. Nothing of it but its last byte breaks a bound. */
const hostile: Readonly<Record<string, readonly [Buffer, string]>> = {
  'a frame header of four gigabytes': [frame(TYPE.data, 0, 1, 0xffffffff), 'frame-too-large'],
  'a frame that is a byte too large': [frame(TYPE.data, 0, 1, FRAME_BYTES_MAX + 1), 'frame-too-large'],
  'a frame of another version': [Buffer.from([1, ...new Uint8Array(11)]), 'frame-malformed'],
  'a frame of no type': [frame(4, 0, 0, 0), 'frame-malformed'],
  'a reset that carries data': [
    Buffer.concat([opened(1), frame(TYPE.data, FLAG.rst, 1, 1)]),
    'frame-malformed',
  ],
  'streams that are opened and reset without end': [
    many(2 * STREAMS.burst + 1, index =>
      index % 2 === 0 ? opened(index + 1) : frame(TYPE.windowUpdate, FLAG.rst, index, 0),
    ),
    'too-many-streams',
  ],
  'streams that data opens': [
    many(STREAMS.burst + 1, index => frame(TYPE.data, FLAG.syn, 2 * index + 1, 0)),
    'too-many-streams',
  ],
  'pings without end': [many(PINGS.burst + 1, () => ping), 'too-many-pings'],
  'farewells without end': [many(PINGS.burst + 1, () => frame(TYPE.goAway, 0, 0, 0)), 'too-many-pings'],
  'window updates without end': [many(WINDOW_UPDATES.burst + 1, () => update), 'too-many-window-updates'],
  'empty data frames without end': [
    many(SMALL_FRAMES.burst + 1, () => dataFrame(1, new Uint8Array(0))),
    'too-many-small-frames',
  ],
  'lines that name no protocol': [
    Buffer.concat([
      opened(1),
      frame(TYPE.data, 0, 1, HELLO.length + 3 * (LINES_MAX - 1)),
      HELLO,
      many(LINES_MAX - 1, () => line('a')),
    ]),
    'too-many-lines',
  ],
  'lines in a frame each': [
    Buffer.concat([opened(1), many(LINES_MAX, () => dataFrame(1, line('ls')))]),
    'too-many-lines',
  ],
  'an empty line': [Buffer.concat([opened(1), frame(TYPE.data, 0, 1, 2), Buffer.of(0)]), 'line-malformed'],
  'a line without a newline': [
    Buffer.concat([opened(1), frame(TYPE.data, 0, 1, 3), Buffer.of(2, 97, 97)]),
    'line-malformed',
  ],
  'a line whose length has no end': [
    Buffer.concat([opened(1), frame(TYPE.data, 0, 1, 9), Buffer.of(0x80, 0x80)]),
    'line-malformed',
  ],
  'empty RPCs of gossip': [gossip(rpc, Uint8Array.of(0)), 'rpc-empty'],
  'empty RPCs whose length takes two bytes': [gossip(rpc, Uint8Array.of(0x80, 0)), 'rpc-empty'],
  'RPCs that are larger than blocks need': [
    gossip(rpc, Uint8Array.of(0x81, 0x80, 0x80, 0x02)),
    'rpc-too-large',
  ],
  'messages of gossip that are signed': [
    gossip(withLength(field(2, field(5, new Uint8Array(64)))).subarray(0, 4)),
    'rpc-signed',
  ],
  'RPCs whose length has no end': [gossip(Uint8Array.of(0x80, 0x80, 0x80, 0x80)), 'rpc-malformed'],
}

for (const [name, bytes] of Object.entries(honest)) {
  test(`${name}: nothing is broken, however it is cut`, () => {
    assert.equal(newGuard().push(bytes, 0), null)
    if (bytes.length > 10_000) return
    for (let cut = 1; cut < bytes.length; cut++) {
      const guard = newGuard()
      assert.equal(guard.push(bytes.subarray(0, cut), 0), null)
      assert.equal(guard.push(bytes.subarray(cut), 0), null)
    }
  })
}

for (const [name, [bytes, fault]] of Object.entries(hostile)) {
  test(`${name}: refused, however it is cut, and not before`, () => {
    assert.equal(newGuard().push(bytes, 0), fault)
    const isBrokenByLastByte = newGuard().push(bytes.subarray(0, -1), 0) === null
    assert.ok(isBrokenByLastByte)
    const step = Math.max(1, Math.floor(bytes.length / 300))
    for (let cut = 1; cut < bytes.length; cut += step) {
      const guard = newGuard()
      assert.equal(guard.push(bytes.subarray(0, cut), 0), null)
      assert.equal(guard.push(bytes.subarray(cut), 0), fault)
    }
  })
}

test('RPCs of gossip that come without end are refused, those of an hour are not', () => {
  const guard = newGuard()
  assert.equal(guard.push(gossip(), 0), null)
  assert.equal(
    guard.push(
      dataFrame(
        1,
        many(RPCS.burst, () => rpc),
      ),
      0,
    ),
    null,
  )
  assert.equal(guard.push(dataFrame(1, rpc), 0), 'too-many-rpcs')
  const patient = newGuard()
  assert.equal(patient.push(gossip(), 0), null)
  for (let count = 0; count < 3_600; count++)
    assert.equal(
      patient.push(
        dataFrame(
          1,
          many(10, () => rpc),
        ),
        count * 1_000,
      ),
      null,
    )
})

test('an RPC of gossip that has begun has a deadline until it is whole', () => {
  const guard = newGuard()
  assert.equal(guard.push(gossip(), 0), null)
  assert.equal(guard.rpcDeadlineMs(), null)
  const bytes = withLength(field(2, field(2, new Uint8Array(300))))
  const push = (piece: Uint8Array, nowMs: number) =>
    assert.equal(guard.push(dataFrame(1, piece), nowMs), null)
  push(bytes.subarray(0, 2), 1_000)
  push(bytes.subarray(2, 200), 2_000)
  assert.equal(guard.rpcDeadlineMs(), 1_000 + RPC_TIMEOUT_MS)
  push(Buffer.concat([bytes.subarray(200), bytes.subarray(0, 9)]), 3_000)
  assert.equal(guard.rpcDeadlineMs(), 3_000 + RPC_TIMEOUT_MS)
  push(bytes.subarray(9), 4_000)
  assert.equal(guard.rpcDeadlineMs(), null)
})

test('an RPC of gossip is priced by what is in it', () => {
  const priceOf = (entries: Uint8Array): number => {
    const guard = newGuard()
    assert.equal(guard.push(gossip(withLength(entries)), 0), null)
    return guard.takePrice()
  }
  const block = field(2, Buffer.concat([field(2, new Uint8Array(300)), field(4, Buffer.from('blocks'))]))
  const one = priceOf(block)
  assert.ok(one < 1, `${one} ms for an honest RPC and the stream it comes on`)
  assert.ok(priceOf(many(32, () => block)) > one + 31 * 0.1)
  const ids = field(
    3,
    field(
      2,
      many(1_000, () => field(1, new Uint8Array(32))),
    ),
  )
  assert.ok(priceOf(ids) > one + 1)
  const large = priceOf(field(2, field(2, new Uint8Array(1_024 * 1_024 - 200))))
  assert.ok(large > 20 && large < 30, `${large} ms for a block of a megabyte`)
})

test('window updates that answer what we sent are free, those that answer single bytes are not', () => {
  const guard = newGuard()
  for (let count = 0; count < 10 * WINDOW_UPDATES.burst; count++) {
    guard.onSent(new Uint8Array(0), 200)
    assert.equal(guard.push(update, 0), null)
  }
  const refused = newGuard()
  let count = 0
  for (; count < 10 * WINDOW_UPDATES.burst && refused.push(update, 0) === null; count++)
    refused.onSent(new Uint8Array(0), 13)
  assert.ok(count < 2 * WINDOW_UPDATES.burst)
})

test('data frames of a bulk transfer are free, and so are the pieces in which they come', () => {
  const guard = newGuard()
  assert.equal(guard.push(link(1), 0), null)
  guard.takePrice()
  const large = dataFrame(1, new Uint8Array(FRAME_BYTES_MAX))
  for (let count = 0; count < 300; count++)
    for (let at = 0; at < large.length; at += 65_519)
      assert.equal(guard.push(large.subarray(at, at + 65_519), 0), null)
  assert.ok(guard.takePrice() < 20)
})

/** Streams without a reader, and how each becomes one. */
const UNREAD: Readonly<Record<string, (guard: FrameGuard) => void>> = {
  'that was never opened': () => {},
  'that the peer has reset': guard => {
    guard.push(link(1), 0)
    guard.push(frame(TYPE.windowUpdate, FLAG.rst, 1, 0), 0)
  },
  'that we have reset': guard => {
    guard.push(link(1), 0)
    guard.onSent(frame(TYPE.windowUpdate, FLAG.rst, 1, 0), 12)
  },
  'that both ends have closed': guard => {
    guard.push(link(1), 0)
    guard.onSent(frame(TYPE.windowUpdate, FLAG.fin, 1, 0), 12)
    guard.push(frame(TYPE.windowUpdate, FLAG.fin, 1, 0), 0)
  },
  'that we have left': guard => {
    guard.push(link(1), 0)
    guard.onSent(frame(TYPE.data, FLAG.fin, 1, 0), 12)
  },
  'that the peer has ended': guard => {
    guard.push(link(1), 0)
    guard.push(frame(TYPE.data, FLAG.fin, 1, 0), 0)
  },
  'of ours that carries gossip': guard => {
    guard.onSent(frame(TYPE.windowUpdate, FLAG.syn, 1, 0), 12)
    guard.push(dataFrame(1, Buffer.concat([HELLO, line('/meshsub/1.2.0')])), 0)
  },
  'of a protocol whose messages are small': guard => {
    guard.push(Buffer.concat([opened(1), dataFrame(1, Buffer.concat([HELLO, line('/small/1')]))]), 0)
  },
}

for (const [what, open] of Object.entries(UNREAD)) {
  test(`data on a stream ${what} has a price, and ends the connection when it is more than some windows`, () => {
    const guard = newGuard()
    open(guard)
    guard.takePrice()
    const piece = dataFrame(1, new Uint8Array(64 * 1024))
    let bytes = 0
    for (; bytes < 2 * STRAY_BYTES.burst && guard.push(piece, 0) === null; bytes += 64 * 1024);
    assert.ok(bytes > 0.9 * STRAY_BYTES.burst && bytes <= STRAY_BYTES.burst, `${bytes} bytes`)
    assert.ok(guard.takePrice() > 30)
  })
}

test('data on a link that we opened is read', () => {
  const guard = newGuard()
  guard.onSent(frame(TYPE.windowUpdate, FLAG.syn, 2, 0), 12)
  assert.equal(guard.push(dataFrame(2, Buffer.concat([HELLO, line('/spoken/1')])), 0), null)
  const large = dataFrame(2, new Uint8Array(FRAME_BYTES_MAX))
  for (let count = 0; count < 20; count++) assert.equal(guard.push(large, 0), null)
})

test('pieces of a byte, and of none, are not free', () => {
  const guard = newGuard()
  assert.equal(guard.push(frame(TYPE.data, 0, 1, FRAME_BYTES_MAX), 0), null)
  const pushes = (piece: Uint8Array): number => {
    let count = 0
    while (count < 2 * SMALL_FRAMES.burst && guard.push(piece, 0) === null) count++
    return count
  }
  assert.ok(pushes(Uint8Array.of(1)) <= 1.01 * SMALL_FRAMES.burst)
  assert.equal(pushes(new Uint8Array(0)), 0)
})

test('streams that are opened slowly and never ended are refused when they are too many', () => {
  const guard = newGuard()
  for (let count = 0; count < OPEN_STREAMS_MAX; count++)
    assert.equal(guard.push(opened(2 * count + 1), count * 1_000), null)
  assert.equal(guard.push(opened(9_999), 1e9), 'too-many-streams')
})

test('streams that are closed are forgotten', () => {
  const guard = newGuard()
  for (let count = 0; count < 4 * OPEN_STREAMS_MAX; count++) {
    const id = 2 * count + 1
    assert.equal(guard.push(link(id), count * 1_000), null)
    if (count % 2 === 0) guard.onSent(frame(TYPE.windowUpdate, FLAG.rst, id, 0), 12)
    else guard.push(frame(TYPE.windowUpdate, FLAG.rst, id, 0), count * 1_000)
  }
})

test('a stream that is opened again while it is open is still counted', () => {
  const guard = newGuard()
  const again = Buffer.concat([opened(1), dataFrame(1, line('a'))])
  for (let count = 1; count < LINES_MAX; count++) assert.equal(guard.push(again, 0), null)
  assert.equal(guard.push(again, 0), 'too-many-lines')
})

test('before the multiplexer is agreed on there are few lines, and then frames', () => {
  const agreed = Buffer.concat([HELLO, line('/yamux/1.0.0'), many(2, () => ping)])
  for (let cut = 0; cut < agreed.length; cut++) {
    const guard = newGuard(false)
    assert.equal(guard.push(agreed.subarray(0, cut), 0), null)
    assert.equal(guard.push(agreed.subarray(cut), 0), null)
  }
  const refused = newGuard(false)
  assert.equal(
    refused.push(
      many(LINES_MAX, () => line('/spoken/1')),
      0,
    ),
    'too-many-lines',
  )
})
