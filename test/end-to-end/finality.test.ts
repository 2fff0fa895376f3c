// Validators that are real processes: killed, frozen, cut off, started again, lying, without their memory. What was
// final once stays final, and finality comes back as soon as enough of them do.

import assert from 'node:assert/strict'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Level } from 'level'
import { readAgreement } from '../../src/cli/agreement.ts'
import { readStatus } from '../../src/cli/status.ts'
import {
  type CommitteeSetup,
  eventually,
  FinalityWatch,
  MINER,
  mining,
  quorate,
  TestCommittee,
  Trickle,
  trickleAccounts,
  wholeChain,
} from './network.ts'

/** Within this time finality must be back once enough validators are. */
const RESUMES_MS = 20_000

/** Times that a folder is put back: more show more of what chance brings. */
const RESTORES = Number(process.env.RESTORES ?? 1)

const PBFT = { mode: 'pbft', pattern: 'all-to-all', timeoutMs: 1_000, intervalMs: 250, heartbeatSeconds: 60 }
const HYBRID = { mode: 'hybrid', pattern: 'all-to-all', timeoutMs: 1_000, depth: 2, interval: 1 }
const NO_WORK = { proof: 'none', futureLimitSeconds: 15 }

/** A committee of which all nodes run, with transfers trickling in and all that becomes final written down. */
async function busyCommittee(context: TestContext, setup: Omit<CommitteeSetup, 'funded'>) {
  const names = Array.from({ length: setup.validators }, (_, index) => `v${index + 1}`)
  const funded = [...trickleAccounts(names).values()]
  const committee = await TestCommittee.create(context, { ...setup, funded })
  await committee.start(...names)
  const trickle = new Trickle(context, committee)
  const watch = new FinalityWatch(context, committee)
  return { committee, names, trickle, watch }
}

/** Finality comes back in time on these nodes, after what has just happened. */
async function assertResumes(
  context: TestContext,
  committee: TestCommittee,
  names: readonly string[],
  after: string,
): Promise<void> {
  const ms = await committee.resumes(names)
  context.diagnostic(`finality back ${Math.round(ms)} ms after ${after}`)
  assert.ok(ms < RESUMES_MS, `finality came back ${ms} ms after ${after}`)
}

/** Kills the validator whose turn it is, and returns it once finality has come back without it. */
async function killProposer(context: TestContext, committee: TestCommittee): Promise<string> {
  const [asked] = committee.running()
  const victim = await committee.proposer(asked!)
  await committee.node(victim).kill()
  await assertResumes(context, committee, committee.running(), 'the primary was killed')
  return victim
}

/** One chain on all nodes, whole, with everything that was ever final on it. */
async function assertOneChain(committee: TestCommittee, watch: FinalityWatch): Promise<void> {
  await watch.end()
  const clients = committee.names.map(name => committee.client(name))
  await eventually('one head on all nodes', async () => {
    const ids = await Promise.all(clients.map(async client => (await readStatus(client)).head.id))
    return new Set(ids).size === 1 ? true : null
  })
  const [first, ...others] = await Promise.all(clients.map(wholeChain))
  for (const other of others) assert.deepEqual(other, first)
  assert.deepEqual(watch.contradictions, [])
  assert.ok(watch.seen.size > 0)
  for (const [height, id] of watch.seen) assert.equal(first![height]!.hash, id, `final block ${height}`)
}

test('four validators: the primary killed, one frozen, one cut off, all started again; finality comes back, nothing final is reversed, and a proof of it verifies without a node', async context => {
  const { committee, names, trickle, watch } = await busyCommittee(context, {
    validators: 4,
    finality: PBFT,
    work: NO_WORK,
  })
  await committee.resumes(names)

  const victim = await killProposer(context, committee)
  await committee.start(victim)
  await assertResumes(context, committee, names, 'it was started again')

  // Frozen, not killed: its connections stand, and it says nothing.
  const [frozen, ...awake] = names as [string, ...string[]]
  trickle.avoided.add(frozen)
  committee.node(frozen).process.kill('SIGSTOP')
  const frozenMs = performance.now()
  await assertResumes(context, committee, awake, 'a validator froze')
  await sleep(10_000 - (performance.now() - frozenMs))
  committee.node(frozen).process.kill('SIGCONT')
  trickle.avoided.clear()
  await assertResumes(context, committee, names, 'it thawed')

  const [cut, ...rest] = names.toReversed() as [string, ...string[]]
  await committee.cutOff(cut, rest)
  await Promise.all(rest.map(name => committee.cutOff(name, [cut])))
  const heightAtCut = await committee.finalHeight(cut)
  await assertResumes(context, committee, rest, 'a validator was cut off')
  assert.ok((await committee.finalHeight(cut)) <= heightAtCut + 1)
  await Promise.all(names.map(name => committee.cutOff(name, [])))
  await assertResumes(context, committee, names, 'the cut healed')

  await Promise.all(names.map(name => committee.node(name).kill()))
  await committee.start(...names)
  await assertResumes(context, committee, names, 'all were started again')
  for (const name of names) assert.equal((await readAgreement(committee.client(name))).muted, null)

  await trickle.end()
  await assertOneChain(committee, watch)
  await assertProofs(committee)
})

/** A proof from one node convinces a holder of the genesis file, and not when a digit of it is another. */
async function assertProofs({ network }: TestCommittee): Promise<void> {
  const rpc = network.nodes.get('v2')!.ready.rpc
  const path = join(network.directory, 'proof.json')
  const exported = await quorate(['finality', 'proof', '3', '--out', path, '--rpc', rpc])
  assert.equal(exported.code, 0, exported.stderr)
  const verify = (file: string) => quorate(['finality', 'verify', file, '--genesis', network.genesisPath])
  const good = await verify(path)
  assert.equal(good.code, 0, good.stderr)
  assert.match(good.stdout, /signed by {2}v\d, v\d, v\d/)
  const text = await readFile(path, 'utf8')
  const [{ signature }] = JSON.parse(text).certificate.signatures as [{ signature: string }]
  const changed = signature.replace(
    /(.)(.{40})$/,
    (_, digit: string, tail: string) => `${digit === '0' ? '1' : '0'}${tail}`,
  )
  const bad = join(network.directory, 'bad.json')
  await writeFile(bad, text.replace(signature, changed))
  const refused = await verify(bad)
  assert.equal(refused.code, 1, refused.stdout)
  assert.match(refused.stdout, /^refused: the signature of/)
  const early = await quorate(['finality', 'proof', '100000', '--rpc', rpc])
  assert.equal(early.code, 1)
}

test('seven validators and a leader that collects: the leader killed and back, finality goes on, one chain on all', async context => {
  const { committee, names, trickle, watch } = await busyCommittee(context, {
    validators: 7,
    finality: { ...PBFT, pattern: 'leader-collected' },
    work: NO_WORK,
  })
  await committee.resumes(names)
  const victim = await killProposer(context, committee)
  await committee.start(victim)
  await assertResumes(context, committee, names, 'it was started again')
  await trickle.end()
  await assertOneChain(committee, watch)
})

test('hybrid: without a quorum mining goes on, finality stands still and the doctor names the missing ones; with it the lag closes', async context => {
  const names = ['v1', 'v2', 'v3', 'v4']
  const committee = await TestCommittee.create(context, { validators: 4, finality: HYBRID })
  committee.options.set('v1', mining(MINER))
  await committee.start(...names)
  const watch = new FinalityWatch(context, committee)
  await committee.resumes(names)
  const doctor = () => quorate(['doctor', '--wait', '3', '--rpc', committee.node('v1').ready.rpc])
  const well = await doctor()
  assert.equal(well.code, 0, well.stdout)

  await Promise.all(['v3', 'v4'].map(name => committee.node(name).kill()))
  // What was under way may still be decided.
  await sleep(2_000)
  const client = committee.client('v1')
  const stalled = await readStatus(client)
  await eventually('mining goes on', async () =>
    (await readStatus(client)).head.height >= stalled.head.height + 4 ? true : null,
  )
  const later = await readStatus(client)
  assert.equal(later.final?.id, stalled.final?.id)
  assert.ok(later.lag >= stalled.lag + 4)
  const ill = await doctor()
  assert.equal(ill.code, 1, ill.stdout)
  assert.match(ill.stdout, /^Nothing can be decided: too few validators can vote/)
  assert.match(ill.stdout, /takes 3 of the 4 validators, and this node can count on 2/)
  assert.match(ill.stdout, /Missing: v3 \(not connected\), v4 \(not connected\)\./)

  await committee.start('v3', 'v4')
  await assertResumes(context, committee, names, 'the missing came back')
  await eventually('the lag closes', async () => ((await readStatus(client)).lag <= 4 ? true : null))
  const { ready } = committee.node('v1')
  assert.equal((await quorate(['mine', '--stop', '--data', ready.data, '--rpc', ready.rpc])).code, 0)
  await assertOneChain(committee, watch)
})

test('one of four equivocates: finality goes on, and the evidence convicts it without a node', async context => {
  const funded = [...trickleAccounts(['v1', 'v2', 'v3', 'v4']).values()]
  const committee = await TestCommittee.create(context, {
    validators: 4,
    finality: PBFT,
    work: NO_WORK,
    funded,
  })
  committee.options.set('v4', ['--byzantine', 'equivocate'])
  await committee.start('v1', 'v2', 'v3', 'v4')
  const trickle = new Trickle(context, committee)
  const watch = new FinalityWatch(context, committee)
  trickle.avoided.add('v4')
  const honest = ['v1', 'v2', 'v3']
  assert.ok((await committee.resumes(honest, 6)) < 3 * RESUMES_MS)
  const rpc = await eventually('evidence', async () => {
    for (const name of honest) {
      const evidence = (await committee.client(name).call('quorate_getEvidence')) as unknown[]
      if (evidence.length > 0) return committee.node(name).ready.rpc
    }
    return null
  })
  const list = await quorate(['evidence', 'list', '--rpc', rpc])
  assert.match(list.stdout, /^1 +v4 /m)
  const path = join(committee.network.directory, 'evidence.json')
  const exported = await quorate(['evidence', 'export', '1', '--out', path, '--rpc', rpc])
  assert.equal(exported.code, 0, exported.stderr)
  const verified = await quorate(['evidence', 'verify', path, '--genesis', committee.network.genesisPath])
  assert.equal(verified.code, 0, verified.stdout)
  assert.match(verified.stdout, /^validator +v4 /)
  await trickle.end()
  await watch.end()
  assert.deepEqual(watch.contradictions, [])
})

test('a validator whose votes are lost says so and does not vote, however often it is started, until it is told to', async context => {
  const funded = [...trickleAccounts(['v1', 'v2', 'v3', 'v4']).values()]
  const committee = await TestCommittee.create(context, {
    validators: 4,
    finality: PBFT,
    work: NO_WORK,
    funded,
  })
  await committee.start('v1', 'v2', 'v3', 'v4')
  const trickle = new Trickle(context, committee)
  await committee.resumes(committee.names)
  await committee.node('v4').stop()
  await removeVotes(join(committee.network.directory, 'v4', 'chain'))
  for (const time of ['once', 'twice']) {
    await committee.start('v4')
    const { self, muted } = await readAgreement(committee.client('v4'))
    assert.equal(self, null, time)
    assert.match(muted ?? '', /the record of its votes is not/)
    assert.match(await committee.log('v4'), /this validator does not vote/)
    // It follows all the same.
    await committee.resumes(committee.names)
    await committee.node('v4').stop()
  }
  committee.options.set('v4', ['--forget-votes'])
  await committee.start('v4')
  assert.equal((await readAgreement(committee.client('v4'))).self, 3)
  // Now the others need it.
  await committee.node('v1').stop()
  await assertResumes(context, committee, ['v2', 'v3', 'v4'], 'another was stopped')
  const { lastCertificate } = await readAgreement(committee.client('v2'))
  assert.deepEqual(lastCertificate?.signers, ['v2', 'v3', 'v4'])
  await trickle.end()
})

test('a validator whose folder is put back to an older copy contradicts nothing, and votes again in time', async context => {
  const { committee, names, trickle, watch } = await busyCommittee(context, {
    validators: 4,
    finality: PBFT,
    work: NO_WORK,
  })
  await committee.resumes(names)
  const copy = join(committee.network.directory, 'copy')
  for (let time = 1; time <= RESTORES; time++) {
    // Another one each time: the last that failed is passed over for a while.
    const [victim, other, ...rest] = [...names.slice(-time % 4), ...names.slice(0, -time % 4)] as [
      string,
      string,
    ]
    const folder = join(committee.network.directory, victim)
    await committee.node(victim).stop()
    await rm(copy, { recursive: true, force: true })
    await cp(folder, copy, { recursive: true })
    await committee.start(victim)
    await committee.resumes(names, 4)
    // It goes while it is the next to propose, and comes back as it was.
    await eventually(`the turn of ${victim}`, async () =>
      (await committee.proposer(other)) === victim ? true : null,
    )
    await committee.node(victim).kill()
    await rm(folder, { recursive: true })
    await cp(copy, folder, { recursive: true })
    const startedMs = performance.now()
    await committee.start(victim)
    await eventually(`a vote of ${victim}`, async () => {
      const { muted } = await readAgreement(committee.client(victim))
      return muted === null ? true : null
    })
    // Without another one nothing is decided unless it votes.
    await committee.node(other).stop()
    await committee.resumes([victim, ...rest])
    const { lastCertificate } = await readAgreement(committee.client(victim))
    assert.deepEqual(lastCertificate?.signers, [victim, ...rest].sort())
    const ms = performance.now() - startedMs
    context.diagnostic(`it voted again ${Math.round(ms)} ms after its start`)
    assert.ok(ms < RESUMES_MS, `${ms}`)
    await committee.start(other)
    for (const name of names)
      assert.deepEqual((await readAgreement(committee.client(name))).evidence, [], `${name}, time ${time}`)
  }
  await trickle.end()
  await watch.end()
  assert.deepEqual(watch.contradictions, [])
})

async function removeVotes(directory: string): Promise<void> {
  const level = new Level<string, Uint8Array>(directory, { valueEncoding: 'view' })
  const keys = await level.keys({ gte: 'finality/vote/', lt: 'finality/vote0' }).all()
  assert.ok(keys.length > 0)
  await level.batch(keys.map(key => ({ type: 'del' as const, key })))
  await level.close()
}
