// Four PBFT replicas agree on three values while the member whose turn is the second is silent. `perform` is what the caller
// of a protocol writes: it keeps records, hands messages over, keeps timers (here of virtual time), executes decisions.

import { createHash } from 'node:crypto'
import { NO_VALUE, PBFT, Pbft, type PbftEffect, type PbftInput, type Statement } from 'quorate/consensus'

const MEMBERS = [0, 1, 2, 3]
const SILENT = 2
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
const VALUES = ['alpha', 'beta', 'gamma'].map(name => `0x${sha256(name).toString('hex')}`)
const replicas = MEMBERS.map(self => {
  // Signatures for one process: a hash of the member and the statement's bytes. A network uses keys.
  const tag = (said: Statement, member: number) => sha256(`${member} ${PBFT.signed.encodeStatement(said)}`)
  const sign = (said: Statement) => tag(said, self)
  const isSigned = (said: Statement, by: number, signature: Uint8Array) => tag(said, by).equals(signature)
  const application = { validate: () => 'valid' as const, decision: () => null }
  const times = { timeoutMs: 1_000, retransmitMs: 250 }
  const rules = { n: 4, pattern: 'all-to-all', checkpointInterval: 1, pipeline: 1 } as const
  return new Pbft({ ...rules, ...times, signing: { self, sign, isSigned }, application })
})
const disks = MEMBERS.map(() => new Map<string, unknown>())
const timers = MEMBERS.map(() => new Map<string, number>())
const decided = MEMBERS.map((): string[] => [])
const inbox: { to: number; input: PbftInput }[] = []
const give = (to: number, input: PbftInput): unknown => inbox.push({ to, input })
let nowMs = 0

function perform(self: number, effect: PbftEffect): void {
  if (effect.type === 'persist') disks[self]!.set(effect.key, effect.record)
  if (effect.type === 'set-timer') timers[self]!.set(effect.name, nowMs + effect.delayMs)
  if (effect.type === 'clear-timer') timers[self]!.delete(effect.name)
  if (effect.type === 'decide') {
    const { sequence, value } = effect.decision
    if (value !== NO_VALUE) decided[self]!.push(value)
    give(self, { type: 'executed', sequence, digest: `0x${sha256(`${decided[self]}`).toString('hex')}` })
  }
  if (self === SILENT || !('message' in effect)) return
  const receivers = effect.type === 'broadcast' ? MEMBERS.filter(to => to !== self) : [Number(effect.to)]
  for (const to of receivers) give(to, { type: 'message', from: `${self}`, message: effect.message })
}
const start = { type: 'start', decided: 0, challenge: null, forgotten: null, convicted: [] } as const
for (const to of MEMBERS) give(to, { ...start, records: new Map() })
for (const to of MEMBERS) give(to, { type: 'demand', isWaiting: true })
while (decided.some(values => values.length < VALUES.length)) {
  const { to, input } = inbox.shift() ?? nextTimeout()
  for (const effect of replicas[to]!.step(input)) perform(to, effect)
  const value = VALUES.find(it => !decided[to]!.includes(it))
  if (replicas[to]!.turn !== null && value !== undefined) give(to, { type: 'propose', value })
}
for (const [to, values] of decided.entries())
  console.log(`member ${to} decided ${values.map(it => it.slice(0, 8))} in view ${replicas[to]!.state.view}`)

function nextTimeout(): { to: number; input: PbftInput } {
  const all = timers.flatMap((own, to) => [...own].map(([name, atMs]) => ({ to, name, atMs })))
  const { to, name } = all.sort((a, b) => a.atMs - b.atMs)[0]!
  nowMs = timers[to]!.get(name)!
  timers[to]!.delete(name)
  return { to, input: { type: 'timeout', name } }
}
