// Four PBFT replicas in one loop agree on three values while member 0 is silent. `perform` is what the caller of a
// protocol writes: it keeps records, hands messages over and, on a real network, sets timers.

import { createHash } from 'node:crypto'
import type { MemberIndex, PbftEffect, PbftInput, PbftRecord, Signing, Statement } from 'quorate/consensus'
import { Pbft } from 'quorate/consensus'

const MEMBERS = [0, 1, 2, 3]
const SILENT = 0
const VALUES = ['alpha', 'beta', 'gamma']

/** Signatures for one process: a hash of the member and the statement. A network uses keys. */
function signingOf(self: MemberIndex): Signing<Statement> {
  const tag = (member: MemberIndex, statement: Statement): Buffer =>
    createHash('sha256')
      .update(`${member} ${JSON.stringify(statement)}`)
      .digest()
  return {
    self,
    sign: statement => tag(self, statement),
    isSigned: (statement, member, signature) => tag(member, statement).equals(signature),
  }
}

const replicas = MEMBERS.map(self => {
  const application = { validate: () => 'valid' as const, decision: () => null }
  const rules = { n: 4, pattern: 'all-to-all', checkpointInterval: 8, pipeline: 1 } as const
  return new Pbft({ ...rules, timeoutMs: 1_000, retransmitMs: 250, signing: signingOf(self), application })
})
const disks = MEMBERS.map(() => new Map<string, PbftRecord | null>())
const decided = MEMBERS.map((): string[] => [])
const inbox: { readonly to: MemberIndex; readonly input: PbftInput }[] = MEMBERS.map(to => ({
  to,
  input: { type: 'start', records: new Map(), decided: 0, challenge: null },
}))

function perform(self: MemberIndex, effect: PbftEffect): void {
  if (effect.type === 'persist') disks[self]!.set(effect.key, effect.record)
  if (effect.type === 'decide') decided[self]!.push(effect.decision.value)
  if (self === SILENT || !('message' in effect)) return
  const receivers = effect.type === 'broadcast' ? MEMBERS.filter(to => to !== self) : [Number(effect.to)]
  for (const to of receivers)
    inbox.push({ to, input: { type: 'message', from: `${self}`, message: effect.message } })
}

for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) {
  const { to, input } = next
  const replica = replicas[to]!
  for (const effect of replica.step(input)) perform(to, effect)
  const value = replica.turn === null ? undefined : VALUES[replica.turn - 1]
  if (value === undefined) continue
  for (const effect of replica.step({ type: 'propose', value })) perform(to, effect)
}
for (const [member, values] of decided.entries()) console.log(`member ${member} decided ${values.join(', ')}`)
