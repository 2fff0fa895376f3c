// The readers of files. Each input is written to a file first: what its owner, or an accident, has made of it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPairFromSeed, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import pino from 'pino'
import { readGenesis, readJson, readText } from '../../src/cli/files.ts'
import { readValidatorKey } from '../../src/cli/validator-key.ts'
import { readFileOrNull, readRegularFile, readSmallFile } from '../../src/files/read-file.ts'
import { AddressBook } from '../../src/node/address-book.ts'
import { loadIdentity } from '../../src/node/identity.ts'
import { readPassword } from '../../src/wallet/password.ts'
import { TestValidators } from '../finality/test-validators.ts'
import type { Outcome, Target } from './target.ts'

const PEER = '12D3KooWHFtsP3nA1QtPuxvzDFDwzQFaragYqexYs9EGopvf6JKQ'
const identity = Buffer.from(
  privateKeyToProtobuf(await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(5))),
).toString('base64')
const peers = JSON.stringify([
  { id: PEER, addresses: ['/ip4/127.0.0.1/tcp/1', '/dns4/a.example/tcp/2'], wasDialled: true },
])
const validator = new TestValidators(1)
const key = JSON.stringify({
  address: validator.validators.validators[0]!.address,
  secretKey: `0x${Buffer.from(validator.keys[0]!).toString('hex')}`,
})
const log = pino({ level: 'silent' })

/** The targets; their files lie in this folder. */
export function fileTargets(folder: string): readonly Target[] {
  let count = 0
  const target = (
    covers: readonly string[],
    samples: readonly string[],
    read: (path: string) => unknown,
    refusals: readonly string[] = [],
  ): Target => ({
    covers,
    samples: samples.map(sample => new TextEncoder().encode(sample)),
    refusals,
    isSlow: true,
    take: async (bytes): Promise<Outcome> => {
      count = (count + 1) % 16
      const path = join(folder, `${covers[0]!.replaceAll(/[^a-zA-Z]/g, '-')}-${count}`)
      await writeFile(path, bytes, { mode: 0o600 })
      return (await read(path)) === null ? null : 'taken'
    },
  })
  return [
    target(['node/identity.ts loadIdentity'], [identity, `${identity}\n`], loadIdentity, [
      'IdentityUnusable',
    ]),
    target(['node/address-book.ts AddressBook'], [peers, '[]'], async path =>
      (await AddressBook.load(path, log)).peers(),
    ),
    target(['files/read-file.ts readFileOrNull'], [peers], path => readFileOrNull(path, 100_000)),
    target(['cli/validator-key.ts readValidatorKey'], [key], readValidatorKey, ['CommandError']),
    target(
      ['wallet/password.ts readPassword'],
      ['secret\n', 'secret\r\n', ''],
      file =>
        readPassword(
          { label: 'ada', isNew: true, file },
          { environment: {}, terminal: null, warn: () => {} },
        ),
      ['PasswordRefused', 'PasswordUnavailable'],
    ),
    target(
      ['files/read-file.ts readSmallFile', 'files/read-file.ts readAnyFile'],
      [key],
      path => readSmallFile(path, 200),
      ['FileTooLarge'],
    ),
    target(['files/read-file.ts readRegularFile'], [key], path => readRegularFile(path, 200), [
      'FileTooLarge',
    ]),
    target(
      ['cli/files.ts readGenesis', 'cli/files.ts readJson'],
      [JSON.stringify(validator.file)],
      path => {
        readJson(path)
        return readGenesis(path)
      },
      ['CommandError'],
    ),
    target(['cli/files.ts readText'], ['text'], path => readText(path), ['CommandError']),
  ]
}
