// The command line about validators, proofs and evidence: each command once as a user runs it, then in this process.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { checksumAddress } from '../../src/chain/address.ts'
import { blockId } from '../../src/chain/header.ts'
import { addressOfSecretKey } from '../../src/chain/signature.ts'
import { readValidatorKey } from '../../src/cli/validator-key.ts'
import { PBFT } from '../../src/consensus/pbft/kit.ts'
import type { Evidence } from '../../src/consensus/pbft/votes.ts'
import { toHex } from '../../src/encoding/bytes.ts'
import { describeEvidence } from '../../src/finality/evidence-report.ts'
import { describeFinalityProof } from '../../src/finality/finality-proof.ts'
import { idOf, keyOf, TestValidators } from '../finality/test-validators.ts'
import { type Done, runInProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-validator-'))
after(() => rmSync(folder, { recursive: true }))
const quorateFile = join(import.meta.dirname, '..', '..', 'bin', 'quorate')

function quorate(...args: readonly string[]): Done {
  const { status, stdout, stderr } = spawnSync(quorateFile, args, { cwd: folder, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

const here = (...args: readonly string[]): Promise<Done> => runInProcess(args, { folder })

function write(name: string, content: unknown, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  chmodSync(path, mode)
  return path
}

const secretKey = keyOf('a validator')
const address = addressOfSecretKey(secretKey)
const hexKey = toHex(secretKey)

describe('quorate validator', () => {
  test('new makes a key for its owner alone and prints the entry for the genesis file', async () => {
    const { code, out, err } = quorate('validator', 'new', 'ada.key')
    assert.equal(code, 0, err)
    const entry = JSON.parse(out)
    const path = join(folder, 'ada.key')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const key = await readValidatorKey(path)
    assert.deepEqual(entry, { name: 'ada', address: checksumAddress(key.address) })
    assert.equal(addressOfSecretKey(key.secretKey), key.address)
    assert.ok(!out.includes(toHex(key.secretKey).slice(2)))
    assert.deepEqual(Object.keys(JSON.parse(readFileSync(path, 'utf8'))), ['address', 'secretKey'])
    const shown = quorate('validator', 'show', 'ada.key', '--json', '--name', 'other')
    assert.deepEqual(JSON.parse(shown.out), { ...entry, name: 'other' })
  })

  test('new never writes over a file, and leaves nothing behind', () => {
    const path = write('taken.key', 'precious')
    const before = readdirSync(folder)
    const { code, err } = quorate('validator', 'new', 'taken.key')
    assert.equal(code, 3)
    assert.match(err, /^quorate: cannot write taken\.key: there is a file of this name\n$/)
    assert.equal(readFileSync(path, 'utf8'), 'precious')
    assert.deepEqual(readdirSync(folder), before)
  })

  test('a name that a genesis file would refuse is refused before a key is made', async () => {
    for (const args of [['b.key', '--name', 'b c'], ['ä.key']]) {
      const { code, err } = await here('validator', 'new', ...args)
      assert.equal(code, 2)
      assert.match(err, /^quorate: --name: .*\n {2}A name has 1 to 32 letters/)
    }
    assert.ok(!readdirSync(folder).includes('b.key'))
  })

  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    test(`a key file of mode ${mode.toString(8)} is refused, and chmod 600 is the remedy`, async () => {
      const path = write('open.key', { address, secretKey: hexKey }, mode)
      const { code, out, err } = await here('validator', 'show', path)
      assert.deepEqual({ code, out }, { code: 3, out: '' })
      assert.equal(err, `quorate: others can read ${path} or write to it\n  Run: chmod 600 ${path}\n`)
    })
  }
})

describe('a validator’s key file', () => {
  test('reads in either case and with a checksum', async () => {
    for (const written of [address, checksumAddress(address)]) {
      const path = write('good.key', { address: written, secretKey: hexKey })
      const key = await readValidatorKey(path)
      assert.equal(key.address, address)
      assert.deepEqual(Uint8Array.from(key.secretKey), secretKey)
    }
  })

  const short = hexKey.slice(0, -2)
  const FAULTS: readonly [says: string, content: unknown, message: RegExp][] = [
    ['no JSON', hexKey, /: expected a JSON object$/],
    ['an empty file', '', /: expected a JSON object$/],
    ['a list', [address, hexKey], /: expected a JSON object$/],
    ['no key', { address }, /: expected two texts, address and secretKey$/],
    ['a key as a number', { address, secretKey: 7 }, /: expected two texts, address and secretKey$/],
    ['another field', { address, secretKey: hexKey, name: 'ada' }, /: expected two texts/],
    ['a short key', { address, secretKey: short }, /: secretKey is not a secret key of 64 hex digits$/],
    ['a key of zero', { address, secretKey: `0x${'00'.repeat(32)}` }, /: secretKey is not a secret key/],
    ['a broken address', { address: '0x00', secretKey: hexKey }, /: address is not an address/],
    ['fields exchanged', { address: hexKey, secretKey: address }, /: secretKey is not a secret key/],
    [
      'the address of another key',
      { address: addressOfSecretKey(keyOf('another')), secretKey: hexKey },
      /: address is not the one of secretKey$/,
    ],
    ['a large file', ' '.repeat(1_001), /more than 1000 bytes$/],
  ]
  for (const [says, content, message] of FAULTS) {
    test(`${says}: refused, and the secret is not repeated`, async () => {
      const path = write('bad.key', content)
      await assert.rejects(readValidatorKey(path), (error: Error & { code: number }) => {
        assert.equal(error.code, 3)
        assert.match(error.message, message)
        assert.ok(!error.message.includes(short.slice(2, 20)))
        return true
      })
    })
  }

  test('that is missing is named', async () => {
    await assert.rejects(readValidatorKey(join(folder, 'none.key')), {
      message: /^cannot read .*none\.key/,
      code: 3,
    })
  })
})

const network = new TestValidators(4)
const genesisPath = write('genesis.json', network.file)
const header = {
  ...{ version: 1, previous: idOf('previous'), merkleRoot: idOf('content') },
  ...{ time: 1_000, bits: 0x207fffff, nonce: 0 },
}
const vote = { phase: 'commit', sequence: 1, view: 0, value: blockId(header) } as const
const proofBy = (members: readonly number[]) =>
  describeFinalityProof({
    genesisId: network.genesis.block.id,
    chainId: network.genesis.blocks.chainId,
    validators: network.validators,
    height: 1,
    headers: [header],
    certificate: network.certify(vote, members),
  })
const accused = {
  genesisId: network.genesis.block.id,
  validators: network.validators,
  kit: PBFT.signed!.evidence,
}
const lie = { ...vote, value: idOf('another') }
const evidenceBy = (signer: number) => {
  const evidence: Evidence = {
    type: 'contradiction',
    member: 1,
    first: { ...vote, signature: network.signing(1).sign(vote) },
    second: { ...lie, signature: network.signing(signer).sign(lie) },
  }
  return describeEvidence(evidence, accused)
}

describe('quorate finality verify', () => {
  const path = write('proof.json', proofBy([0, 1, 2]))

  test('says which block is final and which validators signed', async () => {
    const done = quorate('finality', 'verify', path, '--genesis', genesisPath)
    assert.deepEqual(done, { code: 0, out: `final      ${vote.value}\nsigned by  ada, ben, cem\n`, err: '' })
    const json = await here('finality', 'verify', path, '--genesis', genesisPath, '--json')
    const signers = ['ada', 'ben', 'cem']
    assert.deepEqual(JSON.parse(json.out), { valid: true, block: vote.value, signers })
  })

  test('refuses a proof that is one signature short, with code 1 and one line', async () => {
    const short = write('short.json', proofBy([0, 1]))
    const done = await here('finality', 'verify', short, '--genesis', genesisPath)
    assert.deepEqual(done, { code: 1, out: 'refused: 2 of the 3 signatures that it takes\n', err: '' })
    const json = await here('finality', 'verify', short, '--genesis', genesisPath, '--json')
    assert.equal(json.code, 1)
    assert.deepEqual(JSON.parse(json.out), { valid: false, reason: '2 of the 3 signatures that it takes' })
  })

  test('a file that cannot be read, or is no JSON, is code 3', async () => {
    const text = write('text.json', 'no JSON')
    for (const [proof, genesis] of [
      ['none.json', genesisPath],
      [text, genesisPath],
      [path, 'none.json'],
      [path, text],
      [path, path],
    ] as const) {
      const { code, out, err } = await here('finality', 'verify', proof, '--genesis', genesis)
      assert.deepEqual({ code, out }, { code: 3, out: '' })
      assert.match(err, /^quorate: [^\n]+\n$/)
    }
  })

  test('a network without validators is code 3, and the message names the field', async () => {
    const file = write('other.json', { ...network.file, finality: { mode: 'longest-chain', depth: 9 } })
    const { code, err } = await here('finality', 'verify', path, '--genesis', file)
    assert.equal(code, 3)
    assert.match(err, /other\.json is not a genesis file with validators: finality\.validators: missing\n$/)
  })

  test('needs the genesis file', async () => {
    assert.equal((await here('finality', 'verify', path)).code, 2)
  })
})

describe('quorate evidence verify', () => {
  test('says which validator lied, and about what', async () => {
    const path = write('evidence.json', evidenceBy(1))
    const done = quorate('evidence', 'verify', path, '--genesis', genesisPath)
    const ben = network.validators.validators[1]!.address
    const out = `validator     ben (${ben})\nsigned twice  commit of sequence number 1, view 0\n`
    assert.deepEqual(done, { code: 0, out, err: '' })
    const json = await here('evidence', 'verify', path, '--genesis', genesisPath, '--json')
    assert.deepEqual(JSON.parse(json.out), {
      valid: true,
      type: 'contradiction',
      validator: { name: 'ben', address: ben },
      phase: 'commit',
      sequence: 1,
      view: 0,
      leftFor: null,
    })
  })

  test('says which commit a view change left out', async () => {
    const departure = { view: 3, sequence: 0, prepared: [], suspects: [] }
    const signing = network.signing(1)
    const evidence = {
      type: 'omission',
      member: 1,
      vote: { ...vote, signature: signing.sign(vote) },
      departure: { ...departure, signature: signing.sign({ phase: 'view-change', ...departure }) },
    } as const
    const path = write('omission.json', describeEvidence(evidence, accused))
    const ben = network.validators.validators[1]!.address
    const out = `validator  ben (${ben})\nleft out   commit of sequence number 1, view 0, when it left for view 3\n`
    const done = await here('evidence', 'verify', path, '--genesis', genesisPath)
    assert.deepEqual(done, { code: 0, out, err: '' })
  })

  test('refuses what the validator did not sign, with code 1 and one line', async () => {
    const path = write('forged.json', evidenceBy(0))
    const done = await here('evidence', 'verify', path, '--genesis', genesisPath)
    assert.deepEqual(done, { code: 1, out: 'refused: ben did not sign the second vote\n', err: '' })
  })
})
