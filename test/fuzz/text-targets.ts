// The readers of text: addresses of peers, requests, values in JSON, key files, scenarios, and what a person types.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { parseAddress } from '../../src/chain/address.ts'
import { parseAmount } from '../../src/chain/amount.ts'
import { readCheckpoint } from '../../src/cli/checkpoint-option.ts'
import {
  readAmount,
  readBlockName,
  readCount,
  readShare,
  readTransactionId,
} from '../../src/cli/node-option.ts'
import { readBytes } from '../../src/encoding/fields.ts'
import { parseScenario } from '../../src/lab/scenario/parser.ts'
import { ofRegressionFile } from '../../src/lab/swarm/regression-file.ts'
import { readBook, writeBook } from '../../src/node/address-book-file.ts'
import { FrameReader, frameMessage } from '../../src/node/frames.ts'
import { readManifest } from '../../src/node/manifest.ts'
import {
  parsePeerAddress,
  parsePeerId,
  peerAddressOf,
  printPeerAddress,
  readListenAddress,
  readPeerAddress,
} from '../../src/node/peer-address.ts'
import { crc32c, firstDamage } from '../../src/node/write-ahead-log.ts'
import { parseOrigin } from '../../src/rpc/access.ts'
import { RpcError } from '../../src/rpc/errors.ts'
import { readCall, readParams } from '../../src/rpc/json-rpc.ts'
import * as quantity from '../../src/rpc/quantity.ts'
import { parseRequestText } from '../../src/rpc/request-text.ts'
import { parseKeystoreFile } from '../../src/wallet/keystore-file.ts'
import * as answer from '../../src/wallet/rpc-answer.ts'
import { parseSecretKey } from '../../src/wallet/secret-key.ts'
import { type Target, textTarget } from './target.ts'

const PEER = '12D3KooWHFtsP3nA1QtPuxvzDFDwzQFaragYqexYs9EGopvf6JKQ'
const ADDRESSES = [
  '/ip4/127.0.0.1/tcp/30303',
  `/ip6/2001:db8::1/tcp/1/p2p/${PEER}`,
  '/dns4/node.example.com/tcp/65535',
]
const BOOK = writeBook({
  key: new Uint8Array(32).fill(3),
  anchors: [PEER],
  peers: [
    { id: PEER, addresses: [parsePeerAddress('/ip4/192.0.2.1/tcp/1')!], wasDialled: true, source: '192.0' },
  ],
})
const OLD_BOOK = JSON.stringify([{ id: PEER, addresses: ['/dns4/a.example/tcp/2'], wasDialled: false }])
/** A version edit of LevelDB, and the part of one that names a table. */
const EDITS = [
  Uint8Array.of(1, 1, 97, 2, 3, 9, 0, 3, 4, 4, 0, 7, 0, 5, 200, 1, 1, 97, 1, 98),
  Uint8Array.of(7, 0, 5, 200, 1, 1, 97, 1, 98),
]
/** The record as a log: checksum 4, length 2, type 1, and its bytes. */
const asLog = (record: Uint8Array): Uint8Array => {
  const log = new Uint8Array(7 + record.length)
  const view = new DataView(log.buffer)
  log[6] = 1
  log.set(record, 7)
  const crc = crc32c(log.subarray(6))
  view.setUint32(0, ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0, true)
  view.setUint16(4, record.length, true)
  return log
}
const HASH = `0x${'5a'.repeat(32)}`
const scenario = (name: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', 'scenarios', `${name}.scenario`), 'utf8')
const regression = readFileSync(
  join(import.meta.dirname, '..', 'lab', 'swarm', 'regressions', 'votes-after-amnesia.json'),
  'utf8',
)
const KEY_FILE = JSON.stringify({
  version: 3,
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  address: '008aeeda4d805471df9b2a5b0f38a0c3bcba786b',
  crypto: {
    cipher: 'aes-128-ctr',
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
})
const REQUEST =
  '{"jsonrpc":"2.0","id":18446744073709551617,"method":"eth_getBlockByNumber","params":["0x1b",true]}'

/** An address in its one form: what is printed must be read as it was printed. */
const printed = (address: ReturnType<typeof parsePeerAddress>): null | 'taken' => {
  if (address === null) return null
  const text = printPeerAddress(address)
  const again = parsePeerAddress(text)
  if (again === null || printPeerAddress(again) !== text)
    throw new Error(`${text} is read as another address`)
  return 'taken'
}
/** The JSON in a text; null for none. */
const jsonOf = (text: string): never => {
  try {
    return JSON.parse(text) as never
  } catch {
    return null as never
  }
}

export const TEXT_TARGETS: readonly Target[] = [
  textTarget(['node/peer-address.ts parsePeerAddress'], ADDRESSES, text => printed(parsePeerAddress(text))),
  textTarget(['node/peer-address.ts readPeerAddress'], ADDRESSES, readPeerAddress, ['InvalidAddress']),
  textTarget(['node/peer-address.ts readListenAddress'], ADDRESSES, readListenAddress, ['InvalidAddress']),
  textTarget(['node/peer-address.ts parsePeerId'], [PEER], parsePeerId),
  {
    // As identify brings it: bytes, of which the library refuses those that are no multiaddr.
    covers: ['node/peer-address.ts peerAddressOf'],
    samples: ADDRESSES.map(address => multiaddr(address).bytes),
    take: bytes => {
      let address: ReturnType<typeof multiaddr>
      try {
        address = multiaddr(bytes)
        address.getComponents()
      } catch {
        return null
      }
      return printed(peerAddressOf(address))
    },
  },
  {
    covers: ['node/frames.ts FrameReader'],
    samples: [frameMessage(Uint8Array.of(1, 2, 3)), frameMessage(new Uint8Array(5_000))],
    take: bytes => {
      const reader = new FrameReader()
      const [half, frames] = [bytes.length >> 1, [] as Uint8Array[]]
      for (const chunk of [bytes.subarray(0, half), bytes.subarray(half)]) {
        reader.push(chunk)
        for (let next = reader.next(); next !== null; next = reader.next()) {
          if (next === 'message-too-large') return null
          frames.push(next)
        }
      }
      const all = Buffer.concat([
        ...frames.map(frameMessage),
        bytes.subarray(bytes.length - reader.bufferedBytes),
      ])
      return new Uint8Array(all)
    },
  },
  {
    covers: ['node/write-ahead-log.ts firstDamage'],
    samples: [new Uint8Array(64), Uint8Array.of(1, 2, 3, 4, 5, 0, 1, 9, 9, 9, 9, 9)],
    take: bytes => (firstDamage(bytes) === null ? 'taken' : null),
  },
  {
    covers: ['rpc/request-text.ts parseRequestText'],
    samples: [REQUEST, `[${REQUEST},${REQUEST}]`, '{"a":{"b":[1,2,{"c":null}]}}'].map(text =>
      new TextEncoder().encode(text),
    ),
    refusals: ['RpcError'],
    take: bytes => {
      JSON.stringify(parseRequestText(bytes, { depthMax: 32, membersMax: 1_000 }))
      return 'taken'
    },
  },
  textTarget(
    ['rpc/json-rpc.ts readCall', 'rpc/json-rpc.ts readParams'],
    [REQUEST, '{"id":"a","method":"m","params":{"a":1}}', '{"method":"m","params":[null,{}]}'],
    text => {
      const call = readCall(jsonOf(text))
      return call instanceof RpcError ? null : readParams(call)
    },
    ['RpcError'],
  ),
  textTarget(['node/address-book-file.ts readBook'], [BOOK, OLD_BOOK], readBook, ['SyntaxError', 'Error']),
  {
    covers: ['node/manifest.ts readManifest'],
    samples: EDITS,
    take: bytes => {
      readManifest(bytes)
      return readManifest(asLog(bytes.subarray(0, 2 ** 15 - 7))) === null ? null : 'taken'
    },
  },
  textTarget(['rpc/quantity.ts parseQuantity'], ['0x0', '0x1f', `0x${'f'.repeat(64)}`], text => {
    const value = quantity.parseQuantity(text)
    if (value !== null && `0x${value.toString(16)}` !== text.toLowerCase())
      throw new Error(`${text} has another form`)
    return value
  }),
  textTarget(['rpc/quantity.ts parseData'], ['0x', '0x00ff', HASH], text => quantity.parseData(text)),
  textTarget(['rpc/quantity.ts parseHash'], [HASH], text => quantity.parseHash(text)),
  textTarget(
    ['rpc/quantity.ts parseQuantity', 'rpc/quantity.ts parseData'],
    ['"0x1"', '[1]', '{"a":1}'],
    text => {
      quantity.parseQuantity(jsonOf(text))
      quantity.parseHash(jsonOf(text))
      return quantity.parseData(jsonOf(text))
    },
  ),
  textTarget(['rpc/access.ts parseOrigin'], ['https://wallet.example', 'http://localhost:8080'], parseOrigin),
  textTarget(['wallet/rpc-answer.ts parseQuantity'], ['0x0', '0x1f'], answer.parseQuantity),
  textTarget(['wallet/rpc-answer.ts parseHash'], [HASH], answer.parseHash),
  textTarget(
    ['wallet/rpc-answer.ts readObject', 'wallet/rpc-answer.ts readAnswer'],
    ['{"height":"0x1","id":"0x00","list":["0x1"]}', `{"height":"0x1f","id":"${HASH}","list":[]}`],
    text =>
      answer.readObject('method', jsonOf(text), fields => [
        answer.quantityField(fields, 'height'),
        answer.hashField(fields, 'id'),
        answer.listField(fields, 'list', answer.parseQuantity),
      ]),
    ['InvalidAnswer'],
  ),
  textTarget(['encoding/fields.ts readBytes'], [HASH, '0x0a'], text => readBytes(text, 32)),
  textTarget(['chain/address.ts parseAddress'], [`0x${'ab'.repeat(20)}`], parseAddress),
  textTarget(['chain/amount.ts parseAmount'], ['1.5', '10gwei', '100wei'], parseAmount),
  textTarget(['wallet/secret-key.ts parseSecretKey'], [HASH, '1'.repeat(64)], parseSecretKey),
  textTarget(
    ['wallet/keystore-file.ts parseKeystoreFile'],
    [KEY_FILE],
    text => parseKeystoreFile(text, 'file'),
    ['InvalidKeystore'],
  ),
  textTarget(
    ['lab/scenario/parser.ts parseScenario', 'lab/scenario/parse-expectation.ts parseExpectation'],
    [scenario('halves-pbft'), scenario('late-joiner'), scenario('equivocating-validator')],
    parseScenario,
    ['InvalidScenario'],
  ),
  textTarget(['lab/swarm/regression-file.ts ofRegressionFile'], [regression], text =>
    ofRegressionFile(jsonOf(text)),
  ),
  textTarget(['cli/checkpoint-option.ts readCheckpoint'], [`12:${HASH}`], readCheckpoint, ['CommandError']),
  textTarget(['cli/node-option.ts readAmount'], ['1.5', '10gwei'], text => readAmount('--value', text), [
    'CommandError',
  ]),
  textTarget(
    ['cli/node-option.ts readCount'],
    ['12', '0'],
    text => readCount('--blocks', text, { min: 1, max: 100 }),
    ['CommandError'],
  ),
  textTarget(['cli/node-option.ts readShare'], ['0.1', '10%'], text => readShare('--loss', text), [
    'CommandError',
  ]),
  textTarget(['cli/node-option.ts readTransactionId'], [HASH], readTransactionId, ['CommandError']),
  textTarget(['cli/node-option.ts readBlockName'], ['12', '0x1f', 'latest', HASH], readBlockName, [
    'CommandError',
  ]),
]
